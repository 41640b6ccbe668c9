"""`train`, `evaluate` and `train-segmenter` on data with damaged files."""

import json

import keras
import pytest

from keras_semisis import models
from keras_semisis.cli.messages import print_report
from keras_semisis.data import DataError
from keras_semisis.options.train import TrainSettings
from keras_semisis.recipes import training
from keras_semisis.recipes.training_data import open_training_data
from tests.cli.command import call
from tests.conftest import SHARED, needs_shared

pytestmark = [needs_shared("data/coco_stuff_sample"), pytest.mark.filterwarnings("ignore:The . pairs")]


@pytest.fixture
def data(tmp_path):
    """Some of the sample, with a damaged label map for training and a damaged photo for validation."""
    root = tmp_path / "data"
    for folder in ("train_img", "train_label", "val_img", "val_label"):
        (root / folder).mkdir(parents=True)
        for path in sorted((SHARED / "data" / "coco_stuff_sample" / folder).iterdir())[:4]:
            (root / folder / path.name).write_bytes(path.read_bytes())
    for path in damaged(root):
        path.write_bytes(path.read_bytes()[:2000])
    return root


def damaged(root):
    return [sorted((root / folder).iterdir())[1] for folder in ("train_label", "val_img")]


def test_options_of_train_reach_its_settings(tmp_path, monkeypatch):
    seen = []

    def stop(settings, *_):
        seen.append(settings)
        raise ValueError("seen")

    monkeypatch.setattr(training, "begin", stop)
    data = f"coco_stuff:{tmp_path}"
    run = ("train", "--output", tmp_path / "run")
    call(*run, "--data", data, "--skip-bad", 3, code=1)
    call(*run, "--data", data, "--image-size", "64x64", code=1)
    call(*run, "--data", data, "--image-size", "64x64", "--load-size", "70x80", code=1)
    call(*run, "--data", "synthetic", code=1)
    assert [(s.image_size, s.load_size, s.skip_bad) for s in seen] == [
        ((256, 256), (286, 286), 3),
        ((64, 64), None, 0),
        ((64, 64), (70, 80), 0),
        ((64, 96), None, 0),
    ]
    assert "--load-size 70" in call(*run, "--data", "synthetic", "--load-size", "70", code=1)


def test_training_data_share_the_number_of_bad_files(data, tmp_path):
    def read(skip_bad):
        opened = open_training_data(
            TrainSettings(
                f"coco_stuff:{data}",
                str(tmp_path / f"run{skip_bad}"),
                image_size=(32, 32),
                load_size=(40, 36),
                batch_size=2,
                ratio=0.5,
                skip_bad=skip_bad,
            )
        )
        for batches in (*opened.sets, opened.val):
            assert all(image.shape[1:] == (32, 32, 3) for _ in range(2) for image, _ in batches)
        return opened

    with pytest.raises(DataError, match=f"^{damaged(data)[0]}: cannot be read"):
        read(0)
    with pytest.raises(DataError, match=r"^Bad files: 2, of which 1 is tolerated"):
        read(1)
    opened = read(2)
    assert len(opened.bad_files.messages) == 2 and opened.counts == {
        "pairs": 2,
        "unpaired_images": 2,
        "unpaired_label_maps": 2,
        "validation": 4,
    }
    print_report(opened.bad_files)


@pytest.mark.skipif(keras.config.backend() == "jax", reason="nothing in it depends on the backend, and JAX compiles for long")
def test_evaluate_lists_what_it_skipped(data, tmp_path):
    models.wavelet_spade_generator(183, (32, 32), 1, 4, 2, hidden_channels=4).save(tmp_path / "generator.keras")
    models.unet_segmenter(183, (32, 32), (4, 4), 4).save(tmp_path / "segmenter.keras")
    bad = damaged(data)[1]
    evaluate = (
        "evaluate",
        tmp_path / "generator.keras",
        "--data",
        f"coco_stuff:{data}",
        "--features",
        "none",
        "--segmenter",
        tmp_path / "segmenter.keras",
        "--batch-size",
        4,
        "--output",
        tmp_path / "scores.json",
    )
    note, error, *rest = call(*evaluate, code=1).splitlines()
    assert note.startswith("Note: ") and "does not say what its 183 classes mean" in note
    assert error.startswith(f"Error: {bad}: cannot be read") and not rest
    output = call(*evaluate, "--skip-bad", 1)
    assert f"Bad files that were left out: 1\n  {bad}: cannot be read" in output
    assert str(bad) in json.loads((tmp_path / "scores.json").read_text())["settings"]["bad_files"][0]


@pytest.mark.skipif(keras.config.backend() == "jax", reason="nothing in it depends on the backend, and JAX compiles for long")
def test_train_segmenter_lists_what_it_skipped(data, tmp_path):
    train = (
        "train-segmenter",
        "--data",
        f"coco_stuff:{data}",
        "--image-size",
        "32x32",
        "--channels",
        "4,4",
        "--final-channels",
        4,
        "--steps",
        2,
        "--batch-size",
        4,
        "--output",
        tmp_path / "segmenter.keras",
    )
    output = call(*train, code=1)
    assert f"Error: {damaged(data)[0]}: cannot be read" in output and "Traceback" not in output
    output = call(*train, "--skip-bad", 2)
    assert "Bad files that were left out: 2" in output
    assert all(f"  {path}: cannot be read" in output for path in damaged(data))
    assert "on 3 validation photos" in output
    assert (tmp_path / "segmenter.keras").exists()
