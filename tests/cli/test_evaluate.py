"""What `evaluate` refuses, in one line and before the work, and whose don't-care class it takes."""

import io
import json
import re
import shutil
import sys
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from PIL import Image

from keras_semisis import OASIS, models
from keras_semisis.cli.app import prepare
from keras_semisis.cli.commands.evaluate import _show as show
from keras_semisis.data import Folder, LabelSpace
from keras_semisis.recipes import evaluating
from keras_semisis.recipes.scoring import load_segmenter
from keras_semisis.recipes.sources import DataPair
from keras_semisis.recipes.trained_models import load_gan
from tests.cli.command import call
from tests.conftest import not_on_jax

pytestmark = [pytest.mark.usefixtures("eager_tensorflow"), not_on_jax]
SIZE = (16, 16)
SPACE = LabelSpace(("sky", "road", "void"), ((0, 0, 255), (90, 90, 90), (0, 0, 0)), ignore_class=2)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A GAN with don't-care 2, a segmenter, and a folder of photos that names no don't-care class."""
    place = tmp_path_factory.mktemp("evaluate")
    gan = OASIS(
        3,
        SIZE,
        ignore_class=2,
        generator=models.oasis_generator(3, SIZE, 1, 4, num_blocks=1, hidden_channels=4),
        discriminator=models.oasis_discriminator(3, SIZE, (4,), 4),
    )
    gan.compile()
    gan.save(place / "gan.keras")
    image = keras.Input((*SIZE, 3))
    keras.Model(image, keras.layers.Conv2D(3, 1)(image)).save(place / "segmenter.keras")
    random = np.random.default_rng(0)
    for data in ("data", "train"):
        for folder in ("images", "labels"):
            (place / data / folder).mkdir(parents=True)
        for i in range(4):
            Image.fromarray(random.integers(0, 256, (*SIZE, 3), "uint8")).save(place / data / "images" / f"{i}.png")
            Image.fromarray(random.integers(0, 3, SIZE, "uint8")).save(place / data / "labels" / f"{i}.png")
    return place


def evaluate(place, *options, model="gan.keras", segmenter="segmenter.keras", output="results.json", code=0):
    return call(
        "evaluate",
        place / model,
        "--data",
        f"folder:{place / 'train'}",
        "--validation-data",
        f"folder:{place / 'data'}",
        "--segmenter",
        place / segmenter,
        "--cache",
        place / "cache",
        "--output",
        place / output,
        *options,
        code=code,
    )


def test_the_dont_care_class_is_the_models_where_the_data_name_none(place):
    evaluate(place)
    document = json.loads((place / "results.json").read_text())
    assert document["labels"]["label_ids"] == [0, 1, 255]
    evaluate(place, "--ignore-class", 2)
    assert json.loads((place / "results.json").read_text())["generated"] == document["generated"]
    assert "trained with class 2 as don't-care, the data have class 0" in evaluate(place, "--ignore-class", 0, code=1)


def test_photos_are_compared_at_the_size_that_is_asked_for(place):
    image = keras.Input((24, 32, 3))
    keras.Model(image, keras.layers.Conv2D(3, 1)(image)).save(place / "wide.keras")
    evaluate(place, "--image-size", "24x32", segmenter="wide.keras", output="wide.json")
    assert json.loads((place / "wide.json").read_text())["image_size"] == [24, 32]


def test_a_source_stays_as_it_was_opened(place, monkeypatch):
    """One that itself names no don't-care class, such as a pack."""
    opened = Folder(place / "data")
    monkeypatch.setattr(evaluating, "open_settings", lambda *options: DataPair(opened, opened))
    evaluate(place)
    assert json.loads((place / "results.json").read_text())["labels"]["label_ids"] == [0, 1, 255]
    assert opened.label_space.ignore_class is None


@pytest.mark.parametrize("output", ["data", "gan.keras/x.json"])
def test_an_output_that_cannot_be_written_costs_no_work(place, output, monkeypatch):
    monkeypatch.setattr(evaluating, "evaluate_protocol", None)
    assert f"{place / output}: cannot be written" in evaluate(place, output=output, code=1)


def damaged(place, name, change):
    content = bytearray((place / "segmenter.keras").read_bytes())
    (place / name).write_bytes(change(content))
    return name


def flipped(content):
    begin = content.index(b"\x89HDF")  # of the weights
    content[begin + 600 : begin + 640] = bytes(255 - byte for byte in content[begin + 600 : begin + 640])
    return content


@pytest.mark.parametrize("change", [flipped, lambda content: content[: len(content) // 2], lambda content: b"hello"])
def test_damaged_files_are_named_with_their_option(place, change):
    name = damaged(place, "damaged.keras", change)
    for option, arguments in (("--segmenter", {"segmenter": name}), ("MODEL", {"model": name})):
        output = evaluate(place, **arguments, code=1)
        assert (
            output == f"Error: {option} {place / name}: this is no Keras file, or one that is damaged or was cut short. "
            "Name another one, or copy it again.\n"
        )
    assert "MODEL" in call("generate", place / name, place / "data" / "labels", code=1)


def test_other_networks_are_no_segmenters(place):
    load_gan(place / "gan.keras").generator.save(place / "generator.keras")
    image = keras.Input((*SIZE, 4))
    keras.Model(image, keras.layers.Conv2D(3, 1)(image)).save(place / "four.keras")
    image = keras.Input((*SIZE, 3))
    keras.Model(image, [keras.layers.Conv2D(3, 1)(image), image]).save(place / "two.keras")
    for name, kind in (
        ("gan.keras", "OASIS"),
        ("generator.keras", "Functional"),
        ("four.keras", "Functional"),
        ("two.keras", "Functional"),
    ):
        assert f"--segmenter {place / name}: this is a {kind} named" in evaluate(place, segmenter=name, code=1)
        with pytest.raises(ValueError, match=re.escape(f"segmenter={str(place / name)!r}: this is a {kind} named")):
            load_segmenter(place / name, SPACE, SIZE)
    assert load_gan(place / "generator.keras").num_classes == 3
    label_map = keras.Input(SIZE, dtype="int32")
    keras.Model(label_map, keras.layers.Embedding(4, 3, name="image")(label_map)).save(place / "embedding.keras")
    assert load_gan(place / "embedding.keras").num_classes == 4


def test_a_sequential_segmenter_judges(place):
    keras.Sequential([keras.Input((*SIZE, 3)), keras.layers.Conv2D(3, 1)]).save(place / "sequential.keras")
    evaluate(place, segmenter="sequential.keras")
    assert load_segmenter(place / "sequential.keras", SPACE, SIZE).output_shape == (None, *SIZE, 3)
    assert "but a model that `keras-semisis train` has saved" in evaluate(place, model="sequential.keras", code=1)


def test_the_table_needs_no_arrows(monkeypatch):
    """Where Windows redirects the output, cp1252 has none."""
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="cp1252"))
    prepare(SimpleNamespace())
    show(
        {
            "protocol": {"name": "native", "version": 1},
            "counts": {"generated": 4},
            "generated": {"miou": 0.25},
            "real": {"miou": 0.5},
            "not_measured": {},
            "notes": [],
        }
    )
    sys.stdout.flush()
    assert rb"mIoU \u2191" in written.getvalue() and b"0.2500" in written.getvalue()


@pytest.fixture
def wide(place, tmp_path):
    """The folder of photos with columns on both sides that a crop leaves out."""
    for path in (place / "data").rglob("*.png"):
        array = np.asarray(Image.open(path))
        target = tmp_path / "wide" / path.relative_to(place / "data")
        target.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.concatenate([array[:, ::-1][:, :8], array, array[:, :8]], axis=1)).save(target)
    (tmp_path / "gan.keras").write_bytes((place / "gan.keras").read_bytes())
    return tmp_path


def of_run(folder, **options):
    document = {"options": {"data": "folder:PATH", "id_map": [], **options}, "label_space": SPACE.get_config()}
    (folder / "settings.json").write_text(json.dumps(document))


def test_data_are_cropped_as_an_option_or_the_run_says(place, wide):
    def scores(folder, model, *options):
        output = wide / "results.json"
        printed = call(
            "evaluate",
            model,
            "--data",
            f"folder:{place / 'train'}",
            "--validation-data",
            f"folder:{folder}",
            "--segmenter",
            place / "segmenter.keras",
            "--cache",
            place / "cache",
            "--output",
            output,
            *options,
        )
        document = json.loads(output.read_text())
        return document["generated"], document["real"], document["settings"]["fit"], printed

    expected = scores(place / "data", place / "gan.keras", "--ignore-class", 2)[:2]
    cropped = scores(wide / "wide", wide / "gan.keras", "--ignore-class", 2, "--fit", "crop")
    assert cropped[:3] == (*expected, "crop")
    stretched = scores(wide / "wide", wide / "gan.keras", "--ignore-class", 2)
    assert stretched[2] == "stretch" and stretched[:2] != expected
    of_run(wide, fit="crop")
    by_run = scores(wide / "wide", wide / "gan.keras", "--ignore-class", 2)
    assert by_run[:3] == cropped[:3] and "says --fit crop" in by_run[3]
    assert scores(wide / "wide", wide / "gan.keras", "--ignore-class", 2, "--fit", "stretch")[:3] == stretched[:3]


def test_what_the_run_has_held_out_is_scored(place, wide, monkeypatch):
    """Not what it has trained on, which is all of its data where others validate, or another split."""
    monkeypatch.chdir(place)
    for split in ("spring", "summer"):
        for folder in ("images", "labels"):
            shutil.copytree(place / "train" / folder, wide / "seasons" / split / folder)
    shutil.copytree(place / "train/images", wide / "seasons/val/images")
    shutil.copytree(place / "train/labels", wide / "seasons/val/labels")

    def scored(data, *options):
        judge = ["--segmenter", place / "segmenter.keras", "--ignore-class", 2, "--output", wide / "results.json"]
        printed = call("evaluate", wide / "gan.keras", "--data", data, "--cache", place / "cache", *judge, *options)
        document = json.loads((wide / "results.json").read_text())
        (note,) = document["notes"] or [""]
        assert not note or (note in printed.split("Protocol native")[0] and f"Note: {note}" in printed)
        return document["counts"]["generated"], document["settings"]["validation_data"], document["settings"]["split"], note

    others = f"folder:{place / 'data'}"
    of_run(wide, data="folder:train", validation_data=others)
    *found, note = scored(f"folder:{place / 'train'}")
    assert found == [4, others, "val"] and f"settings.json says --validation-data {others}, which chooses" in note
    assert scored("folder:train", "--validation-data", others)[3] == ""
    assert scored(others, "--validation-data", "folder:train") == (4, "folder:train", "val", "")
    seasons = f"folder:{wide / 'seasons'}"
    of_run(wide, data=seasons, train_split="spring", validation_split="summer")
    *found, note = scored(seasons)
    assert found == [4, None, "summer"] and "says --train-split spring --validation-split summer, which chooses" in note
    assert scored(seasons, "--train-split", "spring", "--validation-split", "val") == (4, None, "val", "")
    note = scored(seasons, "--train-split", "summer", "--validation-split", "spring")[3]
    assert "photos that are scored may have been trained on. Leave out --train-split and --validation-split" in note
    of_run(wide, data=f"folder:{place / 'data'}")
    assert scored(others)[3] == ""


def test_label_maps_are_cropped_as_an_option_or_the_run_says(place, wide):
    def photo(folder, model, *options):
        call("generate", model, folder / "labels", "--output", wide / "photos", *options)
        return np.asarray(Image.open(wide / "photos" / "1.png"))

    expected = photo(place / "data", place / "gan.keras")
    np.testing.assert_array_equal(photo(wide / "wide", wide / "gan.keras", "--fit", "crop"), expected)
    assert (photo(wide / "wide", wide / "gan.keras") != expected).any()
    of_run(wide, fit="crop")
    np.testing.assert_array_equal(photo(wide / "wide", wide / "gan.keras"), expected)
    assert "--fit squeeze: expected stretch or crop" in call(
        "generate", wide / "gan.keras", wide / "wide/labels", "--fit", "squeeze", code=1
    )
