"""`check`, `train --check`, and a run that meets a file that cannot be used."""

import json

import numpy as np
import pytest
from PIL import Image

from keras_semisis.callbacks import resume
from keras_semisis.callbacks.log_file import read_log
from keras_semisis.gans import fitting
from keras_semisis.options.train import TrainSettings
from keras_semisis.recipes.sources import open_data
from keras_semisis.recipes.training_data import open_training_data
from tests.cli.command import call
from tests.conftest import not_on_jax

pytestmark = [pytest.mark.usefixtures("eager_tensorflow"), pytest.mark.filterwarnings("ignore:Even though the")]

TINY = (
    "--method oasis --image-size 32x32 --batch-size 1 --base-channels 1 --noise-channels 2 --hidden-channels 2 "
    "--num-blocks 2 --discriminator-channels 4,4 --discriminator-final-channels 4 --steps 6 --sample-every 99"
).split()


@pytest.fixture
def folder(tmp_path):
    """Eleven pairs of three classes, of which the last is in three label maps alone."""
    root = tmp_path / "data"
    rng = np.random.default_rng(0)
    for kind in ("images", "labels"):
        (root / kind).mkdir(parents=True)
    for i in range(11):
        Image.fromarray(rng.integers(0, 256, (32, 32, 3)).astype("uint8")).save(root / f"images/{i:02d}.png")
        label_map = np.zeros((32, 32), "uint8")
        label_map[:8], label_map[31] = 1, 2 if i < 3 else 0
        Image.fromarray(label_map).save(root / f"labels/{i:02d}.png")
    (root / "classes.csv").write_text("id,name,r,g,b\n0,sky,0,128,255\n1,road,90,90,90\n2,car,200,0,0\n")
    return root


def spoil(path):
    """Gives a label map one pixel of 255."""
    label_map = np.array(Image.open(path))
    label_map[20, 20] = 255
    Image.fromarray(label_map).save(path)


def items(folder):
    return open_data(f"folder:{folder}", (32, 32))


def test_check_reads_everything_and_says_what_is_in_it(folder):
    (folder / "more").mkdir()
    Image.new("RGB", (40, 30)).save(folder / "more" / "a.png")
    output = call("check", "--data", f"folder:{folder}", "--unpaired-images", folder / "more")
    assert "pairs for training: 9 items, 32x32 (9)" in output and "pairs for validation: 2 items, 32x32 (2)" in output
    assert "unpaired photos of the folder: 1 item, 30x40 (1)" in output
    cars = sum(name in ("00", "01", "02") for name in map(items(folder).train.name, range(9)))
    rows = [line.split() for line in output.splitlines() if " road " in line or " car " in line]
    assert [(row[5], row[6]) for row in rows] == [("9", "(25.00%)"), (str(cars), f"({cars / 288:.2%})")]
    assert output.rstrip().endswith("All files can be used.")


def test_check_lists_all_bad_files_and_its_exit_status_says_so(folder):
    train = items(folder).train
    stray, damaged = (folder / "labels" / f"{train.name(i)}.png" for i in (2, 5))
    spoil(stray)
    photo = folder / "images" / damaged.name
    photo.write_bytes(photo.read_bytes()[:200])
    check = ("check", "--data", f"folder:{folder}")
    output = call(*check, code=1)
    assert "pairs for training: 7 of 9 items can be used" in output and "Files that cannot be used: 2\n" in output
    assert f"  {stray}: label id 255 (1 pixel)" in output and f"  {photo}:" in output
    assert (
        "Error: Files that cannot be used: 2. They are listed above. Correct them, or leave them out of a training by "
        "--skip-bad 2." in output
    )
    assert "All other files can be used." in call(*check, "--skip-bad", 2)
    assert "of which 1 may be" in call(*check, "--skip-bad", 1, code=1)
    assert f"  {photo}:" in call(*check, "--id-map", "255=0", code=1)


def test_train_checks_before_it_trains(folder, tmp_path):
    spoil(folder / "labels" / f"{items(folder).train.name(4)}.png")
    output = call("train", "--data", f"folder:{folder}", *TINY, "--check", "--output", tmp_path / "run", code=1)
    assert "Files that cannot be used: 1\n" in output and not (tmp_path / "run").exists()


@not_on_jax
@pytest.mark.filterwarnings("ignore:.* of the first .* batches cannot be read")
def test_a_file_that_cannot_be_used_ends_a_run_that_goes_on(folder, tmp_path, monkeypatch):
    whole = fitting.Calibration
    monkeypatch.setattr(fitting, "Calibration", lambda dataset, batches: whole(dataset, 2))
    run = tmp_path / "run"
    lane = (
        open_training_data(TrainSettings(f"folder:{folder}", str(run), method="oasis", image_size=(32, 32), batch_size=1))
        .sets[0]
        ._lanes[0]
    )
    stray = folder / "labels" / f"{lane.items._source.name(lane.indices(np.arange(6), False)[3])}.png"
    spoil(stray)
    output = call("train", "--data", f"folder:{folder}", *TINY, "--output", run, code=1)
    assert "Stopped at step 3 of 6: a file cannot be used. What was learned is kept." in output
    assert f"keras-semisis train --resume {run}\n" in output and f"Error: {stray}: label id 255 (1 pixel)" in output
    assert resume(run)[1] == 3 and [record["step"] for record in read_log(run / "losses.jsonl", 99)] == [1, 2, 3]

    assert "Nothing was learned yet" in call("train", "--resume", run, code=1)
    assert "leave --seed out" in call("train", "--resume", run, "--seed", 1, "--skip-bad", 1, code=1)
    output = call("train", "--resume", run, "--id-map", "255=2", "--skip-bad", 3, "--check")
    assert "All files can be used." in output and "Done." in output
    assert [record["step"] for record in read_log(run / "losses.jsonl", 99)] == [1, 2, 3, 4, 5, 6]
    options = json.loads((run / "settings.json").read_text())["options"]
    assert (options["id_map"], options["skip_bad"], options["steps"]) == (["255=2"], 3, 6)


def test_check_tells_of_several_proportions(folder):
    assert "several proportions" not in call("check", "--data", f"folder:{folder}")
    for kind in ("images", "labels"):
        path = folder / kind / "04.png"
        Image.open(path).crop((0, 0, 32, 20)).save(path)
    assert "several proportions" in call("check", "--data", f"folder:{folder}")
    assert "several proportions" not in call("check", "--data", f"folder:{folder}", "--fit", "crop")
