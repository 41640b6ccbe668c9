"""Of what is missing, files that the user has named come before packages that a command needs."""

import sys
from importlib import metadata

import pytest

from keras_semisis.options.augment import AugmentOptions
from keras_semisis.options.option import options_of
from keras_semisis.options.train import TrainSettings
from tests.cli.command import call


@pytest.fixture(scope="module")
def without_extras():
    """No package with weights, and no pycocotools."""

    def missing(name):
        raise metadata.PackageNotFoundError(name)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("keras_semisis.models.packaged_weights.metadata.distribution", missing)
        patch.setitem(sys.modules, "pycocotools.mask", None)
        patch.setattr("keras_semisis.recipes.film.shutil.which", lambda name: None)
        yield


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("train --data folder:nowhere", "nowhere: there is no such folder; "),
        ("train --data own", "--data own: expected cityscapes:PATH, "),
        ("train --data foldr:own", "--data foldr:own: expected cityscapes:PATH, "),
        ("train --data camvid:nowhere", "nowhere: there is no such folder; "),
        ("train --data records:nowhere", "nowhere: there is no such folder; "),
        ("train --data synthetic --validation-data folder:nowhere", "nowhere: there is no such folder; "),
        ("train --data synthetic --unpaired-images cityscapes:nowhere:train_extra", "nowhere: there is no such folder; "),
        ("train --data synthetic --segmenter nowhere.keras", "--segmenter nowhere.keras: there is no such file"),
        ("train --data synthetic --perceptual lpips --adapt nowhere.keras", "nowhere.keras: there is no such model"),
        ("train --data synthetic --init nowhere.keras", "nowhere.keras: there is no such model"),
        ("train-segmenter --network efficientnet_lite0 --output a.keras --data folder:nowhere", "nowhere: there is no such"),
        ("evaluate nowhere.keras --data synthetic --perceptual lpips", "nowhere.keras: there is no such model"),
        ("evaluate street --data folder:nowhere --features alexnet", "nowhere: there is no such folder; "),
        ("augment street --data synthetic --output a --segmenter nowhere.keras", "--segmenter nowhere.keras: there is no such"),
        ("rasterize nowhere.json --output a", "nowhere.json: there is no such file or folder"),
        ("rasterize . --output a --images nowhere", "--images nowhere: there is no such folder"),
        ("rasterize . --output a --classes nowhere.csv", "--classes nowhere.csv: there is no such file"),
        ("generate street nowhere.png --one-noise --video mp4", "nowhere.png: there is no such file or folder"),
        ("generate nowhere.keras --one-noise --video mp4", "nowhere.keras: there is no such model"),
    ],
)
def test_what_is_named_comes_before_what_is_not_installed(line, words, without_extras, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    said = call(*line.split(), code=1)
    assert said.startswith(f"Error: {words}") and said.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("train --data synthetic", "takes its weights from the package"),
        ("rasterize . --output a", "rasterize needs pycocotools"),
        ("generate street --one-noise --video mp4", "--video mp4 needs the program ffmpeg"),
    ],
)
def test_what_is_not_installed_is_told_then(line, words, without_extras, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert words in call(*line.split(), code=1)


@pytest.mark.parametrize(
    "line",
    [
        "generate street --output notes.txt",
        "generate street --output notes.txt/photos",
        "augment street --data synthetic --output notes.txt",
        "invert street notes.txt --label-map notes.txt --output notes.txt",
        "publish notes.txt notes.txt",
        "pack synthetic:2 notes.txt",
        "train --data synthetic --output notes.txt",
        "train --data synthetic --output notes.txt/run",
    ],
)
def test_a_file_is_no_folder_to_write_into(line, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.txt").write_text("mine")
    assert call(*line.split(), code=1) == "Error: notes.txt is a file. Name a folder.\n"
    assert [path.read_text() for path in tmp_path.iterdir()] == ["mine"]


def test_a_file_is_no_folder_to_read_from(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.txt").write_text("mine")
    for command in ("check", "train"):
        said = call(command, "--data", "folder:notes.txt", code=1)
        assert said == "Error: notes.txt: this is a file. Name a folder.\n"


def test_options_say_what_they_name():
    named = {name: declared.names for name, declared in options_of(TrainSettings).items() if declared.names}
    data = dict.fromkeys(("data", "validation_data", "unpaired_images", "unpaired_labels"), "data")
    assert named == {**data, "init": "model", "adapt": "model", "segmenter": "segmenter"}
    assert options_of(AugmentOptions)["segmenter"].names == "segmenter"
