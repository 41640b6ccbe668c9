"""Runs of the command line in processes of their own: twice the same, and killed at any moment."""

import io
import os
import subprocess
import sys
import time
import zipfile

import h5py
import numpy as np
import pytest

from tests.conftest import JAX_ENVIRONMENT, ROOT
from tests.gans.busy import busy_processors

pytestmark = pytest.mark.slow

NETWORKS = (
    "--data synthetic --image-size 32x32 --base-channels 1 --hidden-channels 4 --noise-channels 2 --num-blocks 2 "
    "--discriminator-channels 4,4 --discriminator-final-channels 4 --batch-size 2 --features none"
).split()
METHODS = {"oasis": [], "semi_paired": ["--unconditional-channels", "4:4,8:4,32:4", "--perceptual", "none"]}
STEPS, EVERY, KILLS = 40, 7, 4
SEEDS = range(int(os.environ.get("KILLED_RUNS", 1)))


def start(folder, *arguments):
    """The process; what it prints is in ``output`` in the folder's parent."""
    # as many threads as there are processors, also where the test's own process has one
    environment = {name: value for name, value in os.environ.items() if "_NUM_" not in name} | JAX_ENVIRONMENT
    with open(folder.parent / "output", "a") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.cli.watched_train", folder.parent / "progress", "train", *map(str, arguments)],
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )


def settings(method, steps):
    return [*NETWORKS, *METHODS[method], "--method", method, "--steps", steps, "--save-every", EVERY, "--sample-every", 1000]


def finish(folder, *arguments):
    assert start(folder, *arguments).wait() == 0, (folder.parent / "output").read_text()[-3000:]


def arrays(folder):
    """All that a checkpoint holds: weights, slots of the optimizers, states of generators of random numbers, the step."""
    found = {}
    with zipfile.ZipFile(folder / "last.keras") as archive, h5py.File(io.BytesIO(archive.read("model.weights.h5"))) as file:
        file.visititems(lambda name, item: found.update({name: item[()]}) if isinstance(item, h5py.Dataset) else None)
    return found


def assert_equal(folder, other):
    one, two = arrays(folder), arrays(other)
    assert one.keys() == two.keys() and len(one) > 50
    assert [name for name in one if not np.array_equal(one[name], two[name])] == []


def progress(path):
    """The steps from which processes began, and the last step that was done."""
    lines = path.read_text().split("\n")[:-1] if path.exists() else []
    steps = [int(line.removeprefix("from ")) for line in lines]
    return [step for line, step in zip(lines, steps, strict=True) if "from" in line], steps[-1] if steps else 0


@pytest.mark.parametrize("method", METHODS)
def test_two_runs_of_one_command_give_the_same_model(method, tmp_path):
    """The second beside other work."""
    folders = [tmp_path / name / "run" for name in ("quiet", "busy")]
    for folder in folders:
        folder.parent.mkdir()
    finish(folders[0], *settings(method, 250), "--output", folders[0])
    with busy_processors():
        finish(folders[1], *settings(method, 250), "--output", folders[1])
    assert_equal(*folders)
    records = [(folder / "losses.jsonl").read_text() for folder in folders]
    assert records[0] == records[1] and records[0].count("\n") == 250


@pytest.fixture(scope="module", params=METHODS)
def undisturbed(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param) / "run"
    finish(folder, *settings(request.param, STEPS), "--output", folder)
    return request.param, folder


@pytest.mark.parametrize("seed", SEEDS)
def test_a_run_that_is_killed_again_and_again_ends_with_the_model_of_one_that_is_not(undisturbed, seed, tmp_path):
    """At random: during the start, during a step, while a checkpoint is written."""
    method, whole = undisturbed
    folder, path, rng = tmp_path / "run", tmp_path / "progress", np.random.default_rng(seed)
    done = 0
    for target in sorted(rng.integers(0, STEPS - 5, KILLS)):
        going_on = (folder / "settings.json").exists()
        process = start(folder, *(["--resume", folder] if going_on else [*settings(method, STEPS), "--output", folder]))
        count = len(progress(path)[0])
        while process.poll() is None and (progress(path)[1] < target or len(progress(path)[0]) == count) and target > 5:
            time.sleep(0.002)
        time.sleep(rng.uniform(0, 0.5 if target > 5 else 8))
        process.kill()
        assert process.wait() < 0, (tmp_path / "output").read_text()[-3000:]
        begun, last = progress(path)
        if len(begun) > count:
            assert begun[-1] >= done - EVERY
            done = last
    finish(
        folder,
        *(["--resume", folder] if (folder / "settings.json").exists() else [*settings(method, STEPS), "--output", folder]),
    )
    begun, last = progress(path)
    assert begun[-1] >= done - EVERY and last == STEPS
    assert_equal(folder, whole)
