"""What the tests share: where the reference tensors and the sample photos are."""

import os
import tempfile
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from unittest import mock

import pytest

# XLA's optimizations take minutes and save nothing at the tests' sizes
_XLA_FLAGS = ["--xla_backend_optimization_level=0", "--xla_llvm_disable_expensive_passes=true"]
if find_spec("jaxlib") and metadata.version("jaxlib").startswith("0.10."):  # others end at a flag that they do not know
    _XLA_FLAGS += ["--xla_cpu_use_fusion_emitters=false", "--xla_cpu_parallel_codegen_split_count=1"]
# For processes that compute with JAX. It compiles the step of the same small network in many tests: once is enough
JAX_ENVIRONMENT = {
    "XLA_FLAGS": " ".join(_XLA_FLAGS),
    "JAX_COMPILATION_CACHE_DIR": str(Path(tempfile.gettempdir()) / f"keras_semisis-jax-{os.getppid()}"),
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0.2",
}
if os.environ.get("KERAS_BACKEND") == "jax":
    os.environ.update(JAX_ENVIRONMENT | os.environ)
if "PYTEST_XDIST_WORKER" in os.environ:
    # one thread for each worker: libraries that start a thread per core would fight over the cores
    for name in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        os.environ.setdefault(name, "1")


def pytest_collection_modifyitems(items):
    """Marks the tests of long.txt, and of long_jax.txt there, one node id a line."""
    lists = [LONG, *([LONG_ON_JAX] if os.environ.get("KERAS_BACKEND") == "jax" else [])]
    long = {line for file in lists for line in file.read_text().splitlines()}
    for item in items:
        if item.nodeid in long:
            item.add_marker(pytest.mark.long)


# For tests that train a GAN on the way to something that no backend changes
not_on_jax = pytest.mark.skipif(
    os.environ.get("KERAS_BACKEND") == "jax", reason="same on every backend; TensorFlow and PyTorch run it, JAX compiles long"
)

# What takes more than three seconds on TensorFlow and two idle cores, by --durations=0, but for one of each kind
LONG = Path(__file__).parent / "long.txt"
# What JAX, which compiles, takes more than four for
LONG_ON_JAX = Path(__file__).parent / "long_jax.txt"


@pytest.fixture(scope="module", autouse=True)
def precision_of_other_modules():
    """Commands that run within a test set the precision of its process: the next module has the one before again."""
    import keras

    before = keras.config.dtype_policy()
    yield
    keras.config.set_dtype_policy(before)


@pytest.fixture(scope="session", autouse=True)
def bfloat16_is_fast():
    """What commands choose by the device that they run on is the same on every machine."""
    with mock.patch("keras_semisis.recipes.precision.bfloat16_slowdown", return_value=0.5):
        yield


@pytest.fixture(scope="module")
def eager_tensorflow():
    """TensorFlow runs a few steps of a small network sooner than it traces one."""
    if os.environ.get("KERAS_BACKEND", "tensorflow") != "tensorflow":
        yield
        return
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture(scope="module")
def few_batches_for_the_statistics():
    """The moving average's batch-norm statistics are of two batches in place of 51, which would be most of what is computed."""
    from keras_semisis.gans import fitting

    whole = fitting.Calibration
    with mock.patch.object(fitting, "Calibration", lambda dataset, batches: whole(dataset, min(batches, 2))):
        yield


@pytest.fixture
def told(caplog):
    """A function that returns what recipes have told since it was called before."""
    caplog.set_level("INFO", "keras_semisis")

    def told():
        text = "\n".join(caplog.messages)
        caplog.clear()
        return text

    return told


ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"


def needs_shared(name: str):
    """Skips a test where `../shared/<name>` is missing."""
    return pytest.mark.skipif(not (SHARED / name).exists(), reason=f"../shared/{name} is not beside this checkout")
