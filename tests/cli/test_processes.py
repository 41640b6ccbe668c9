"""Two processes of the command line train together, one of them is killed, and the run goes on without it."""

import json
import os
import subprocess
import sys
import time

import keras
import pytest

from tests.cli.test_killed import METHODS, NETWORKS
from tests.conftest import JAX_ENVIRONMENT, ROOT
from tests.gans.test_processes import free_port, only_jax

STEPS, SECONDS = 40, 60
TRAIN = [sys.executable, "-m", "keras_semisis.cli", "train"]


def start(output, *arguments):
    with open(output, "w") as file:
        environment = os.environ | JAX_ENVIRONMENT | {"KERAS_BACKEND": "jax"}
        return subprocess.Popen(
            [*TRAIN, *map(str, arguments)], cwd=ROOT, env=environment, stdout=file, stderr=subprocess.STDOUT
        )


def steps_of(folder):
    losses = folder / "losses.jsonl"
    return [json.loads(line)["step"] for line in losses.read_text().splitlines()] if losses.exists() else []


@pytest.mark.multi_device
@only_jax
def test_a_process_that_dies_ends_the_other_and_the_run_goes_on_in_one(tmp_path):
    folder, outputs = tmp_path / "run", [tmp_path / "first", tmp_path / "second"]
    settings = [*NETWORKS, *METHODS["oasis"], "--method", "oasis", "--steps", STEPS, "--save-every", 3, "--output", folder]
    address = f"127.0.0.1:{free_port()}"
    first, second = (
        start(output, *settings, "--coordinator", address, "--processes", 2, "--process", number)
        for number, output in enumerate(outputs)
    )
    while len(steps_of(folder)) < 4:
        assert first.poll() is None and second.poll() is None, [output.read_text()[-2000:] for output in outputs]
        time.sleep(0.1)
    second.kill()
    killed = time.monotonic()
    assert first.wait(timeout=SECONDS) == 1
    assert time.monotonic() - killed < SECONDS
    told = " ".join(outputs[0].read_text().split())
    assert "Another of the 2 processes has ended" in told and f"--resume {folder}" in told
    ran_on = json.loads((folder / "settings.json").read_text())["ran_on"]
    assert ran_on == {"processes": 2, "devices": 2}
    saved = keras.saving.load_model(folder / "last.keras").step
    assert saved >= 3 and saved % 3 == 0
    assert start(tmp_path / "resumed", "--resume", folder).wait() == 0, (tmp_path / "resumed").read_text()[-2000:]
    assert steps_of(folder) == list(range(1, STEPS + 1))
    assert json.loads((folder / "settings.json").read_text())["ran_on"] == {"processes": 1, "devices": 1}
