"""What the tests share: where the reference tensors and the sample photos are."""

import os
import tempfile
from importlib import metadata
from pathlib import Path

import pytest

# JAX compiles the step of the same small network in many tests: once is enough
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(Path(tempfile.gettempdir()) / f"keras_semisis-jax-{os.getppid()}"))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.2")
if os.environ.get("KERAS_BACKEND") == "jax":
    # XLA's optimisations take minutes and save nothing at the tests' sizes
    flags = ["--xla_backend_optimization_level=0", "--xla_llvm_disable_expensive_passes=true"]
    if metadata.version("jaxlib").startswith("0.10."):  # a version that does not know a flag ends the process
        flags += ["--xla_cpu_use_fusion_emitters=false", "--xla_cpu_parallel_codegen_split_count=1"]
    os.environ.setdefault("XLA_FLAGS", " ".join(flags))
if "PYTEST_XDIST_WORKER" in os.environ:
    # one thread for each worker: libraries that start a thread per core would fight over the cores
    for name in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        os.environ.setdefault(name, "1")

SHARED = Path(__file__).resolve().parents[2] / "shared"


def needs_shared(name: str):
    """Skips a test where `../shared/<name>` is missing."""
    return pytest.mark.skipif(not (SHARED / name).exists(), reason=f"../shared/{name} is not beside this checkout")
