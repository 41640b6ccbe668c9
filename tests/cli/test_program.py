"""The program as a process: what it imports before a command begins, and what of a backend's own lines it shows."""

import os
import subprocess
import sys

import keras
import pytest

from keras_semisis.cli import quiet_start
from keras_semisis.cli.app import app

RUN = "import sys, keras_semisis_program\nsys.argv = ['keras-semisis', {}]\n"
BACKENDS = ("keras", "tensorflow", "jax", "torch")
TENSORFLOW_LINES = b"""\
WARNING: All log messages before absl::InitializeLog() is called are written to STDERR
I0000 00:00:1795861410.319372    3089 port.cc:153] oneDNN custom operations are on.
I0000 00:00:1795861410.391704    3089 cpu_feature_guard.cc:227] This TensorFlow binary is optimized to use CPU instructions.
To enable the following instructions: AVX2 FMA, in other operations, rebuild TensorFlow with the appropriate flags.
E0000 00:00:1795861414.628904    3089 cuda_platform.cc:52] failed call to cuInit: INTERNAL: CUDA error: UNKNOWN ERROR (303)
E0000 00:00:1795861422.480560    3089 meta_optimizer.cc:967] remapper failed: INVALID_ARGUMENT: Mutation::Apply error
2025-01-01 10:00:00.123456: I tensorflow/core/util/port.cc:153] oneDNN custom operations are on.
2025-01-01 10:00:00.123456: E external/local_xla/xla/stream_executor/cuda/cuda_dnn.cc:9] Unable to register cuDNN factory: once
"""
OTHER_LINES = b"""\
E0000 00:00:1795861414.628904    3089 cuda_dnn.cc:52] Could not create cudnn handle: CUDNN_STATUS_NOT_INITIALIZED
W0000 00:00:1795861414.628904    3089 gpu_device.cc:23] Cannot dlopen some GPU libraries.
E0000 00:00:1795861414.628904    3089 cuda_platform.cc:52] failed call to cuInit: CUDA_ERROR_OUT_OF_MEMORY: out of memory
F0000 00:00:1795861414.628904    3089 tensor.cc:852] Check failed: dtype() == expected_dtype
malloc(): corrupted top size
"""


def run(code, **environment):
    return subprocess.run([sys.executable, "-c", code], env=os.environ | environment, capture_output=True)


def test_help_imports_no_backend():
    lines = [["--help"], ["tarin"], *([command.name, "--help"] for command in app.registered_commands)]
    done = run(f"""
import sys, keras_semisis_program
for line in {lines}:
    sys.argv = ["keras-semisis", *line]
    try:
        keras_semisis_program.main()
    except SystemExit as error:
        assert error.code == (2 if line == ["tarin"] else 0), line
print(*({{name.partition(".")[0] for name in sys.modules}} & set({BACKENDS})), "imported")
""")
    assert done.stdout.splitlines()[-1:] == [b"imported"], done.stderr
    assert b"--unconditional-betas" in done.stdout and b"tarin" in done.stderr


def test_a_command_has_the_whole_package():
    done = run(
        RUN.format("'classes', 'synthetic'")
        + """
try:
    keras_semisis_program.main()
except SystemExit as error:
    assert error.code == 0
import keras, keras_semisis
assert keras.saving.get_registered_object("keras_semisis>SemiPairedGAN") is keras_semisis.SemiPairedGAN
assert set(keras_semisis.__all__) <= set(vars(keras_semisis))
"""
    )
    assert done.returncode == 0 and b"don't care" in done.stdout, done.stderr


def test_a_missing_backend_is_one_line():
    hidden = """
import importlib.util
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name == "torch" else find(name, *rest)
"""
    done = run(hidden + RUN.format("'classes', 'synthetic'") + "keras_semisis_program.main()", KERAS_BACKEND="torch")
    assert done.returncode == 1 and b"\n" not in done.stderr.strip()
    assert done.stderr.startswith(b"Error: KERAS_BACKEND=torch, which is not installed."), done.stderr


@pytest.mark.parametrize("line", TENSORFLOW_LINES.splitlines())
def test_lines_that_are_dropped(line):
    assert quiet_start.is_dropped(line)


@pytest.mark.parametrize("line", OTHER_LINES.splitlines())
def test_lines_that_are_not(line):
    assert not quiet_start.is_dropped(line)


WITHIN = """
import os, sys
from importlib.util import module_from_spec, spec_from_file_location
spec = spec_from_file_location("quiet_start", {file!r})
module = module_from_spec(spec)
spec.loader.exec_module(module)
with module.quiet_start():
    {action}
os.write(2, b"after\\n")
"""
AT_EXIT = (
    "import atexit, logging; log = logging.StreamHandler(); atexit.register(log.handle, logging.makeLogRecord({'msg': 'x'}))"
)


@pytest.mark.parametrize(
    ("action", "shown", "environment"),
    [
        (f"os.write(2, {TENSORFLOW_LINES + OTHER_LINES!r})", OTHER_LINES + b"after\n", {}),
        ("os.write(2, b'no end')", b"no endafter\n", {}),
        ("os.write(2, b'I0000'); os.write(2, b' of 7 items\\n')", b"I0000 of 7 items\nafter\n", {}),
        ("print('by Python', file=sys.stderr)", b"by Python\nafter\n", {}),
        ("os.system('echo by a child >&2')", b"by a child\nafter\n", {}),
        (
            AT_EXIT,
            b"after\nx\n",
            {},
        ),
        ("os.write(2, b'last words\\n'); os.abort()", b"last words\n", {}),
        ("os.write(2, b'last words'); os.kill(os.getpid(), 9)", b"last words", {}),
        (f"os.write(2, {TENSORFLOW_LINES!r})", TENSORFLOW_LINES + b"after\n", {"TF_CPP_MIN_LOG_LEVEL": "0"}),
    ],
)
def test_what_gets_through(action, shown, environment):
    environment = {"TF_CPP_MIN_LOG_LEVEL": "1"} | environment
    assert run(WITHIN.format(file=quiet_start.__file__, action=action), **environment).stderr == shown


def test_an_error_in_python_keeps_its_traceback():
    done = run(WITHIN.format(file=quiet_start.__file__, action="raise RuntimeError('why')"))
    assert b"Traceback" in done.stderr and done.stderr.endswith(b"RuntimeError: why\n")


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="these lines are TensorFlow's")
def test_a_training_shows_no_lines_of_tensorflow(tmp_path):
    options = (
        "train --method oasis --data synthetic:2 --image-size 32x32 --batch-size 1 --base-channels 1 --hidden-channels 2 "
        "--num-blocks 1 --discriminator-channels 2 --discriminator-final-channels 2 --steps 1 --output"
    )
    code = RUN.format(repr([*options.split(), str(tmp_path / "run")])[1:-1])
    code += "import os\nos.write(2, b'from C\\n')\nkeras_semisis_program.main()"
    environment = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True)
    assert done.returncode == 0 and b"Done." in done.stdout, done.stderr
    own = [line for line in done.stderr.splitlines() if not line.startswith(b"Warning: ")]
    assert own == [b"from C"], done.stderr
