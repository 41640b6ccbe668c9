"""What an error or a warning advises, done: it leads to the right label map, in Python and on the command line."""

import ast
import pickle
import re
import shlex
import shutil
import sys
import warnings
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

import keras_semisis
from keras_semisis.cli.commands.check import check_files
from keras_semisis.cli.messages import in_words, option_words
from keras_semisis.data import (
    Cityscapes,
    DataError,
    Folder,
    LabelSpace,
    Records,
    SyntheticScenes,
    paired_dataset,
    semi_paired_split,
)
from keras_semisis.data.advised import Advised
from keras_semisis.data.argument_error import ArgumentError
from keras_semisis.data.data_warning import DataWarning
from keras_semisis.data.labels.distinct_colors import distinct_colors
from keras_semisis.data.labels.label_space import uncolored_label_space
from keras_semisis.data.remedy import Remedy
from keras_semisis.losses.perceptual_networks import PERCEPTUAL_NETWORKS
from keras_semisis.metrics import FrechetInceptionDistance
from keras_semisis.metrics.protocols import get_protocol
from keras_semisis.metrics.protocols.evaluation import _check
from keras_semisis.options.layout import Layout
from keras_semisis.options.train import TrainSettings
from keras_semisis.recipes.evaluating import open_features, open_perceptual
from keras_semisis.recipes.sources import open_data
from tests.cli.command import call
from tests.data.pictures.written import png_of_16_bits, tiff_in_planes

PACKAGE = Path(keras_semisis.__file__).parent


def space(number, ignore_class=None):
    return LabelSpace([f"c{i}" for i in range(number)], distinct_colors(number), ignore_class)


def blocks(*rows):
    """Label maps of 16×16 pixels in which each id is a block; one for each argument."""
    return [np.repeat(np.repeat(np.array(row).reshape(2, -1), 8, 0), 16 // (len(row) // 2), 1) for row in rows]


class Case:
    """Label maps as stored, the classes that are named, and what has to be read in the end."""

    def __init__(self, stored, right, named=None, ignored=None, settings=None, dtype=np.uint8, csv=False):
        self.stored, self.right = [a.astype(dtype) for a in blocks(*stored)], blocks(*right)
        self.named, self.ignored, self.settings, self.csv = named, ignored, settings or {}, csv

    def write(self, root):
        (root / "labels").mkdir(parents=True)
        (root / "images").mkdir()
        for i, array in enumerate(self.stored):
            suffix = "tif" if array.dtype == np.int32 else "png"
            Image.fromarray(array).save(root / "labels" / f"{i}.{suffix}")
            Image.new("RGB", array.shape[::-1]).save(root / "images" / f"{i}.png")
        if self.named is not None and self.csv:
            rows = [
                f"{i},{name},{','.join(map(str, color))},{int(i == self.named.ignore_class)}"
                for i, (name, color) in enumerate(zip(self.named.class_names, self.named.palette, strict=True))
            ]
            rows = ["id,name,r,g,b,ignore", *rows]
            if self.named.drawn_palette:
                rows = [",".join(row.split(",")[:2]) for row in rows]
            (root / "classes.csv").write_text("\n".join(rows))


CASES = {
    "a black and white mask": Case([(0, 255, 0, 0)], [(0, 1, 0, 0)]),
    "three levels": Case([(0, 127, 255, 0)], [(0, 1, 2, 0)], ignored=None),
    "levels in several files": Case([(0, 255, 0, 0), (0, 0, 127, 127)], [(0, 2, 0, 0), (0, 0, 1, 1)]),
    "four levels": Case([(0, 85, 170, 255)], [(0, 1, 2, 3)]),
    "levels below 255": Case([(0, 60, 120, 180)], [(0, 1, 2, 3)]),
    "one level": Case([(0, 128, 0, 0)], [(0, 1, 0, 0)]),
    "levels of 16 bits": Case([(0, 32767, 65535, 0)], [(0, 1, 2, 0)], dtype=np.uint16),
    "a wrong id map before": Case([(0, 127, 255, 0)], [(0, 1, 2, 0)], settings={"id_map": {255: 128}}),
    "an id map of ids that are in no file": Case([(0, 127, 255, 0)], [(0, 1, 2, 0)], settings={"id_map": {127: 1, 128: 2}}),
    "unlabeled": Case([(0, 1, 2, 255)], [(0, 1, 2, 3)], ignored=3),
    "unlabeled, some classes unseen": Case([(0, 3, 255, 0)], [(0, 3, 4, 0)], ignored=4),
    "unlabeled is -1": Case([(0, 1, 2, -1)], [(0, 1, 2, 3)], ignored=3, dtype=np.int32),
    "unlabeled in two ways": Case([(0, 1, 255, -1)], [(0, 1, 2, 2)], ignored=2, dtype=np.int32),
    "unlabeled, among levels": Case([(0, 127, 200, 255)], [(0, 1, 2, 3)], ignored=3, settings={"ignore_class": 255}),
    "ignored, below levels": Case([(0, 100, 200, 0)], [(0, 1, 2, 0)], ignored=0, settings={"ignore_class": 0}),
    "ignored, among levels": Case([(0, 100, 200, 0)], [(0, 1, 2, 0)], ignored=1, settings={"ignore_class": 100}),
    "a negative id": Case([(0, 1, 2, -7)], [(1, 2, 3, 0)], dtype=np.int32),
    "named, a black and white mask": Case([(0, 255, 0, 0)], [(0, 1, 0, 0)], named=space(2)),
    "named, levels": Case([(0, 255, 0, 0), (0, 127, 0, 0)], [(0, 2, 0, 0), (0, 1, 0, 0)], named=space(3)),
    "named, rounded levels": Case([(0, 128, 255, 0)], [(0, 1, 2, 0)], named=space(3)),
    "named, levels of its own": Case([(0, 60, 120, 200)], [(0, 1, 2, 3)], named=space(4)),
    "named, 16 bits scaled": Case([(0, 257, 514, 0)], [(0, 1, 2, 0)], named=space(3), dtype=np.uint16),
    "named, unlabeled without a class": Case([(0, 1, 2, 255)], [(0, 1, 2, 3)], named=space(3), ignored=3),
    "named, unlabeled with a class": Case([(0, 1, 2, 255)], [(0, 1, 2, 1)], named=space(3, 1), ignored=1),
    "named, -1 and 255 with a class": Case([(0, -1, 2, 255)], [(0, 1, 2, 1)], named=space(3, 1), ignored=1, dtype=np.int32),
    "named, from 1 on": Case([(1, 2, 3, 3)], [(0, 1, 2, 2)], named=space(3)),
    "classes.csv, unlabeled": Case([(0, 1, 2, 255)], [(0, 1, 2, 3)], named=space(3), ignored=3, csv=True),
    "classes.csv without colors, unlabeled": Case(
        [(0, 1, 2, 255)], [(0, 1, 2, 3)], named=uncolored_label_space(["c0", "c1", "c2"]), ignored=3, csv=True
    ),
    "classes.csv, their grays": Case(
        [(0, 255, 0, 0), (0, 128, 0, 0)],
        [(0, 1, 0, 0), (0, 2, 0, 0)],
        named=LabelSpace(["c0", "c1", "c2"], [(0, 0, 0), (255, 255, 255), (128, 128, 128)]),
        csv=True,
    ),
    "classes.csv, levels": Case([(0, 255, 0, 0), (0, 127, 0, 0)], [(0, 2, 0, 0), (0, 1, 0, 0)], named=space(3), csv=True),
}


def advice_of(root, named, settings):
    """The source, and what an error or a warning of it advises: settings, or None."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            source = Folder(root, label_space=named, **settings)
            for i in range(len(source)):
                source.load(i)
        except DataError as error:
            return None, error
    doubts = [warning.message for warning in caught if isinstance(warning.message, DataWarning)]
    return source, doubts[0] if doubts else None


def first_settings(advised):
    return next(remedy.settings for remedy in advised.remedies if remedy.settings and ... not in remedy.settings.values())


@pytest.mark.parametrize("name", CASES)
def test_one_remedy_leads_to_the_right_label_map(tmp_path, name):
    case = CASES[name]
    case.write(tmp_path)
    named = None if case.csv else case.named
    _, advised = advice_of(tmp_path, named, case.settings)
    settings = case.settings | first_settings(advised)
    source, doubt = advice_of(tmp_path, named, settings)
    if name == "unlabeled, some classes unseen":  # id 1 and 2 may be classes that no file shows
        assert source.label_space.ignore_class == 4
    else:
        assert doubt is None, str(doubt)
    for i, right in enumerate(case.right):
        np.testing.assert_array_equal(source.load_label_map(i), right)
    assert source.label_space.ignore_class == case.ignored
    if case.named is None and doubt is None:
        assert source.label_space.num_classes == len(np.unique(case.right))


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.named is None or case.csv])
def test_the_command_line_words_the_remedy_as_options_that_it_takes(tmp_path, name):
    case = CASES[name]
    case.write(tmp_path)
    given = shlex.split(option_words(["id_map", "ignore_class"])(case.settings))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        _, said = run_pack_check(tmp_path, given)
    said += "".join(in_words(warning.message, option_words(["id_map", "ignore_class"])) for warning in caught)
    _, advised = advice_of(tmp_path, None, case.settings)
    assert not re.search(r"\b(id_map|ignore_class|palette|label_space)=", said)
    options = re.findall(r"--(?:id-map -?\d+=\d+|ignore-class -?\d+)", said)
    settings = first_settings(advised)
    assert options == option_words(["id_map", "ignore_class"])(settings).replace(" --", "\n--").split("\n")
    kept = {key: value for key, value in case.settings.items() if key not in settings}
    code, said = run_pack_check(tmp_path, shlex.split(" ".join([*options, option_words(kept)(kept)])))
    assert code == 0, said


def copy_of(root):
    """The same files, in a folder to validate with."""
    for name in ("images", "labels"):
        shutil.copytree(root / name, root / "others" / name, dirs_exist_ok=True)
    if (root / "classes.csv").exists():
        shutil.copy(root / "classes.csv", root / "others")
    return root / "others"


def run_pack_check(root, options):
    """Exit status and text of a command that reads every label map."""
    from typer.testing import CliRunner

    from keras_semisis.cli import app

    target, others = root / f"packed{len(options)}", copy_of(root)
    found = CliRunner().invoke(
        app, ["pack", f"folder:{root}", str(target), "--validation-data", f"folder:{others}", *options], env={"COLUMNS": "200"}
    )
    return found.exit_code, found.output


def test_classes_takes_the_options_that_its_errors_advise(tmp_path):
    CASES["three levels"].write(tmp_path)
    said = call("classes", f"folder:{tmp_path}", code=1)
    assert "Give --id-map 127=1 --id-map 255=2 to make classes of them" in said
    assert "3 classes" in call("classes", f"folder:{tmp_path}", "--id-map", "127=1", "--id-map", "255=2")
    CASES["unlabeled"].write(tmp_path / "other")
    assert "Give --ignore-class 255" in call("classes", f"folder:{tmp_path}/other", code=1)
    assert "void (don't care)" in call("classes", f"folder:{tmp_path}/other", "--ignore-class", "255")


RAMP = np.arange(64).reshape(8, 8)
# stored, the photo that has to be read, and which of the remedies leads to it
PHOTOS = {
    "8 bits in 16": (RAMP.astype(np.uint16), RAMP, 0),
    "10 bits in 16": ((RAMP * 16 + 15).astype(np.uint16), RAMP * 4 + 3, 0),
    "12 bits in 16": ((RAMP * 64).astype(np.uint16), RAMP * 4, 0),
    "14 bits in 16": ((RAMP * 256).astype(np.uint16), RAMP * 4, 0),
    "a dark one of 16 bits": ((RAMP * 64).astype(np.uint16), RAMP // 4, 1),
    "colors of 12 bits in 16": (
        np.stack([RAMP * 64, RAMP * 32, RAMP], 2).astype(np.uint16),
        np.stack([RAMP * 4, RAMP * 2, RAMP // 16], 2),
        0,
    ),
    "dark colors of 16 bits": (np.stack([RAMP * 64] * 3, 2).astype(np.uint16), np.stack([RAMP // 4] * 3, 2), 1),
    "from 0 to 1": ((RAMP * 4 / 255).astype(np.float32), RAMP * 4, 0),
    "from 0 to 255": ((RAMP * 4).astype(np.float32), RAMP * 4, 0),
}


def write_photo(root, stored):
    (root / "images").mkdir(parents=True, exist_ok=True)
    if stored.ndim == 3:
        (root / "images" / "a.png").write_bytes(png_of_16_bits(stored))
        return
    Image.fromarray(stored).save(root / "images" / f"a.{'tif' if stored.dtype == np.float32 else 'png'}")


@pytest.mark.parametrize("name", PHOTOS)
def test_the_range_that_an_error_names_makes_the_photo_right(tmp_path, name):
    stored, right, which = PHOTOS[name]
    write_photo(tmp_path, stored)
    with pytest.raises(DataError, match=r"a\.(png|tif): its values are") as caught:
        Folder(tmp_path, labels=None).load_image(0)
    settings = caught.value.remedies[which].settings
    photo = Folder(tmp_path, labels=None, **settings).load_image(0)
    np.testing.assert_array_equal(photo, right if right.ndim == 3 else np.repeat(right[..., None], 3, axis=2))


def test_a_range_of_too_few_bits_is_corrected(tmp_path):
    write_photo(tmp_path, np.full((2, 2), 4000, np.uint16))
    with pytest.raises(DataError, match="its values reach 4000, but those of image_range end at 1023") as caught:
        Folder(tmp_path, labels=None, image_range=(0, 1023)).load_image(0)
    assert (Folder(tmp_path, labels=None, **first_settings(caught.value)).load_image(0) == 250).all()


def test_the_command_line_takes_the_range_that_it_advises(tmp_path):
    for name in "ab":
        for folder, array in (("images", np.full((8, 8), 3000, np.uint16)), ("labels", np.eye(8, dtype=np.uint8))):
            (tmp_path / folder).mkdir(exist_ok=True)
            Image.fromarray(array).save(tmp_path / folder / f"{name}.png")
    code, said = run_pack_check(tmp_path, [])
    assert code == 1 and "Give --image-range 0:4095, or --image-range 0:65535 if it is as dark as that." in said
    code, _ = run_pack_check(tmp_path, ["--image-range", "0:4095"])
    assert code == 0
    assert (Records(tmp_path / "packed2", "val").load_image(0) == 187).all()


def test_dark_colors_that_cannot_be_read_whole(tmp_path):
    (tmp_path / "images").mkdir()
    content = tiff_in_planes(np.full((2, 3, 3), 4095, np.uint16), compressed=True)
    (tmp_path / "images" / "a.tif").write_bytes(content)
    with pytest.raises(DataError, match="only the upper 8 can be read, and its values end below 4096") as caught:
        Folder(tmp_path, labels=None).load_image(0)
    photo = Folder(tmp_path, labels=None, **caught.value.remedies[1].settings).load_image(0)
    assert (photo == 15).all() and photo.shape == (2, 3, 3)


def test_a_picture_above_the_limit_of_pillow(tmp_path, monkeypatch):
    write_photo(tmp_path, np.full((10, 10), 7, np.uint8))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 40)
    with pytest.raises(DataError, match=r"cannot be read: Image size \(100 pixels\) exceeds limit of 80") as caught:
        Folder(tmp_path, labels=None).load_image(0)
    assert first_settings(caught.value) == {"PIL.Image.MAX_IMAGE_PIXELS": 51}
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 51)
    with pytest.warns(Image.DecompressionBombWarning):
        assert Folder(tmp_path, labels=None).load_image(0).shape == (10, 10, 3)


def test_colors_that_nothing_names(tmp_path):
    (tmp_path / "labels").mkdir()
    pictures = [np.array([[(9, 0, 0), (0, 9, 0)]], np.uint8), np.array([[(9, 0, 0), (3, 4, 5)]], np.uint8)]
    for i, picture in enumerate(pictures):
        Image.fromarray(picture).save(tmp_path / "labels" / f"{i}.png")
    with pytest.raises(DataError, match=r"has colors, and no palette says what they mean: \(0, 9, 0\), \(3, 4, 5\)") as caught:
        Folder(tmp_path, images=None)
    source = Folder(tmp_path, images=None, **first_settings(caught.value))
    for i, picture in enumerate(pictures):
        np.testing.assert_array_equal(source.label_space.colorize(source.load_label_map(i)), picture)


def test_smooth_edges(tmp_path):
    (tmp_path / "labels").mkdir()
    picture = np.array([[(9, 0, 0), (8, 60, 0), (7, 140, 0), (0, 200, 0)]], np.uint8)
    Image.fromarray(picture).save(tmp_path / "labels" / "a.png")
    palette = [(9, 0, 0), (0, 200, 0)]
    with pytest.raises(DataError, match="2 unknown colors in all") as caught:
        Folder(tmp_path, images=None, palette=palette).load_label_map(0)
    assert "give --snap 61 to take" in caught.value.worded(option_words(["snap"]))
    right = Folder(tmp_path, images=None, palette=palette, **first_settings(caught.value)).load_label_map(0)
    assert right.tolist() == [[0, 0, 1, 1]]


def test_two_splits_of_one_meaning(tmp_path):
    for split in ("train", "val", "valid"):
        for kind in ("images", "labels"):
            (tmp_path / split / kind).mkdir(parents=True)
            Image.fromarray(np.eye(4, dtype=np.uint8)).save(tmp_path / split / kind / f"{split}.png")
    with pytest.raises(DataError, match=r"both val and valid may be .* Or name the one by split='val'\.$") as caught:
        open_data(f"folder:{tmp_path}", (4, 4))
    assert caught.value.worded(option_words(["validation_split"])).endswith("Or name the one by --validation-split val.")
    val = open_data(f"folder:{tmp_path}", (4, 4), layout=Layout(**first_settings(caught.value))).val
    assert [val.name(i) for i in range(len(val))] == ["val"] == [Folder(tmp_path, "val").name(0)]


@pytest.mark.parametrize("ratio", [0.01, 0.99])
@pytest.mark.filterwarnings("ignore:The . pairs")
def test_a_ratio_that_leaves_nothing(ratio):
    scenes = SyntheticScenes(3, "train", (32, 32))
    with pytest.raises(DataError) as caught:
        semi_paired_split(scenes, ratio)
    for remedy in caught.value.remedies:
        semi_paired_split(scenes, **remedy.settings)


def test_a_ratio_in_percent():
    with pytest.raises(ArgumentError, match=r"^ratio=20 is not between 0 and 1\. For 20 % give ratio=0\.2\.$") as caught:
        semi_paired_split(SyntheticScenes(3, "train", (32, 32)), 20)
    words = option_words(["ratio"])
    assert caught.value.worded(words) == "--ratio 20 is not between 0 and 1. For 20 % give --ratio 0.2."
    assert first_settings(caught.value) == {"ratio": 0.2}


def test_files_that_check_has_found(tmp_path):
    for i in range(4):
        write_photo(tmp_path / "data", np.full((4, 4), i, np.uint8))
        (tmp_path / "data" / "images" / "a.png").rename(tmp_path / "data" / "images" / f"{i}.png")
        (tmp_path / "data" / "labels").mkdir(exist_ok=True)
        Image.fromarray(np.eye(4, dtype=np.uint8)).save(tmp_path / "data" / "labels" / f"{i}.png")
    (tmp_path / "data" / "images" / "2.png").write_bytes(b"")
    settings = TrainSettings(f"folder:{tmp_path / 'data'}", str(tmp_path / "run"), image_size=(4, 4))
    with pytest.raises(DataError, match="Files that cannot be used: 1") as caught:
        check_files(settings)
    assert first_settings(caught.value) == {"skip_bad": 1}
    check_files(replace(settings, **first_settings(caught.value)))


def test_classes_in_another_order(tmp_path):
    model = LabelSpace(["sky", "road", "car"], distinct_colors(3))
    data = LabelSpace(["car", "sky", "road"], distinct_colors(3))
    (tmp_path / "labels").mkdir(parents=True)
    Image.fromarray(np.array([[0, 1, 2]], np.uint8)).save(tmp_path / "labels" / "a.png")  # a car, the sky, a road
    with pytest.raises(DataError, match="are not those of the model") as caught:
        model.require_same_classes(data, "the model", "the data")
    (tmp_path / "classes.csv").write_text(
        "\n".join(["id,name,r,g,b", *(f"{i},{name},{i},{i},{i}" for i, name in enumerate(model.class_names))])
    )
    source = Folder(tmp_path, images=None, **first_settings(caught.value))
    model.require_same_classes(source.label_space, "the model", "the data")
    assert [source.label_space.class_names[i] for i in source.load_label_map(0)[0]] == ["car", "sky", "road"]


def label_maps_of_two_kinds(root):
    for kind, array in (("labelIds", 2), ("labelTrainIds", 1)):
        for i in range(2):
            for path, value in ((root / "images" / f"{i}.png", (0, 0, 0)), (root / "labels" / f"{i}_{kind}.png", array)):
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.new("RGB" if isinstance(value, tuple) else "L", (4, 4), value).save(path)


@pytest.mark.filterwarnings("ignore:.*passed over", "ignore:.*left out")
def test_label_maps_of_two_kinds(tmp_path):
    label_maps_of_two_kinds(tmp_path)
    with pytest.raises(DataError, match="label_suffix='_labelIds', or another") as caught:
        Folder(tmp_path, images=None, label_space=space(3))
    assert Folder(tmp_path, images=None, label_space=space(3), **first_settings(caught.value)).load_label_map(0).max() == 2
    with pytest.raises(DataError, match="label_suffix='_labelIds', or the other") as caught:
        Folder(tmp_path, label_space=space(3))
    assert Folder(tmp_path, label_space=space(3), **first_settings(caught.value)).load(0)[1].max() == 2
    options = option_words(["label_suffix"])(first_settings(caught.value)).split()
    assert run_pack_check(tmp_path, [*options, "--id-map", "2=0"])[0] == 0


def train_ids_of_cityscapes(root):
    for path, value in (
        ("leftImg8bit/train/a/a_leftImg8bit.png", (0, 0, 0)),
        ("gtFine/train/a/a_gtFine_labelTrainIds.png", 18),
    ):
        (root / path).parent.mkdir(parents=True)
        Image.new("RGB" if isinstance(value, tuple) else "L", (4, 4), value).save(root / path)


def test_train_ids_of_cityscapes(tmp_path):
    train_ids_of_cityscapes(tmp_path)
    with pytest.raises(DataError, match="Unpack") as caught:
        Cityscapes(tmp_path)
    assert Folder(tmp_path, "train", label_space=space(20), **first_settings(caught.value)).load(0)[1].max() == 18


def test_photos_of_several_proportions(tmp_path):
    for i, size in enumerate([(8, 16), (16, 8)]):
        for kind, mode in (("images", "RGB"), ("labels", "L")):
            (tmp_path / kind).mkdir(parents=True, exist_ok=True)
            Image.new(mode, size).save(tmp_path / kind / f"{i}.png")
    source = Folder(tmp_path, label_space=space(2))
    with pytest.warns(DataWarning, match="all are stretched to 8×8") as caught:
        paired_dataset(source, (8, 8), 2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        paired_dataset(source, (8, 8), 2, **first_settings(caught[0].message))


def test_scores_without_the_inception_network():
    with pytest.raises(ArgumentError, match=r"needs --inception FILE\.") as caught:
        open_features("auto", get_protocol("clean"), None, None)
    _, other_network, alone = caught.value.remedies
    assert open_features(**alone.settings, protocol=get_protocol("clean"), segmenter=None, inception=None) is None
    protocol = get_protocol(other_network.settings["protocol"])
    assert open_features(other_network.settings["features"], protocol, None, None).output_shape[0] is None
    words = option_words(["protocol", "features", "inception"])
    said = caught.value.worded(words)
    assert "and give --inception FILE. Without it use --protocol native --features efficientnet_lite0" in said
    assert "and give features=load_fid_inception(FILE). Without it use the protocol" in str(caught.value)


def test_one_image_has_no_covariance():
    metric = FrechetInceptionDistance(lambda images: images.mean(axis=(1, 2)))
    metric.update_state(np.zeros((1, 4, 4), int), *np.zeros((2, 1, 4, 4, 3), "float32"))
    with pytest.raises(ArgumentError, match=r"found 1\. Score more of them with other data, or mIoU alone") as caught:
        metric.result()
    _, alone = caught.value.remedies
    assert open_features(**alone.settings, protocol=get_protocol("native"), segmenter=None, inception=None) is None
    said = caught.value.worded(option_words(["validation_data", "features"]))
    assert "with --validation-data folder:PATH, or mIoU alone, by a segmenter, with --features none." in said


def test_vgg19_that_cannot_be_downloaded(monkeypatch):
    def offline(**_):
        raise Exception("URL fetch failure")

    monkeypatch.setattr("keras.applications.VGG19", offline)
    with pytest.raises(OSError, match=r"\(URL fetch failure\)\. Go on without .*, by perceptual=None, or with VGG16") as caught:
        PERCEPTUAL_NETWORKS["vgg19"].build()
    without, other = caught.value.remedies
    assert open_perceptual(without.settings["perceptual"]) is None
    assert PERCEPTUAL_NETWORKS[other.settings["perceptual"]].build is keras_semisis.models.vgg16_features
    said = caught.value.worded(option_words(["perceptual"]))
    assert "by --perceptual none, or with VGG16" in said and said.endswith(", by --perceptual vgg16_imagenet.")


# The advice itself


def test_the_dont_care_class_of_a_model():
    scenes = SyntheticScenes(2, image_size=(32, 32))
    gan = SimpleNamespace(
        num_classes=11,
        ignore_class=10,
        instance_edges=False,
        trunks={},
        require_same_classes=lambda **_: None,
        check_judges=lambda metrics: None,
    )
    checked = {
        "protocol": get_protocol("native"),
        "features": None,
        "segmenter": lambda images: images,
        "perceptual": None,
        "metrics": (),
        "train": None,
        "batch_size": 2,
    }
    source = scenes.with_ignore_class(None)
    with pytest.raises(ArgumentError, match=r"class 10 as don't-care, the data have none, .* with ignore_class=10\.") as error:
        _check(gan, source, **checked)
    settings = error.value.remedies[0].settings
    assert "Open the data with --ignore-class 10." in error.value.worded(option_words(["ignore_class"]))
    _check(gan, scenes.with_ignore_class(**settings), **checked)


def test_a_remedy_without_words_is_left_out():
    error = DataError(
        "a.png: wrong.", Remedy("Do {}.", {"palette": [1]}), Remedy("Or do {}.", {"id_map": {1: 2}}), Remedy("Rest.")
    )
    assert str(error) == "a.png: wrong. Do palette=[1]. Or do id_map={1: 2}. Rest."
    assert error.worded(lambda settings: "--x" if "id_map" in settings else None) == "a.png: wrong. Or do --x. Rest."


def test_an_error_in_another_keeps_its_remedies():
    inner = DataError("wrong.", Remedy("Do {}.", {"id_map": {1: 2}}))
    assert inner.about("a.png").worded(lambda settings: "--x") == "a.png: wrong. Do --x."
    size = ArgumentError("{} is odd.", {"image_size": (5, 8)})
    assert (str(size), size.worded(option_words(["image_size"]))) == ("image_size=(5, 8) is odd.", "--image-size 5x8 is odd.")
    assert size.worded(lambda settings: None) == str(pickle.loads(pickle.dumps(size))) == str(size)
    assert DataError("Two:", listed=[inner, inner]).worded(lambda settings: "--x") == "Two:\n  wrong. Do --x.\n  wrong. Do --x."


def test_errors_and_warnings_survive_another_process():
    for kind in (DataError, DataWarning):
        error = kind("a.png: wrong.", Remedy("Do {}.", {"id_map": {1: 2}}), listed=[DataError("b.png: wrong.")])
        again = pickle.loads(pickle.dumps(error))
        assert type(again) is kind and str(again) == str(error) and again.remedies == error.remedies
        assert isinstance(again, Advised) and str(again.listed[0]) == "b.png: wrong."


@pytest.mark.filterwarnings("ignore:The . pairs")
def test_every_remedy_of_the_package_is_tried_above(tmp_path, monkeypatch):
    made = set()
    original = Remedy.__init__

    def record(self, *arguments, **options):
        frame = sys._getframe(1)
        made.add((Path(frame.f_code.co_filename), frame.f_lineno))
        original(self, *arguments, **options)

    monkeypatch.setattr(Remedy, "__init__", record)
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    for number, name in enumerate(CASES):
        test_one_remedy_leads_to_the_right_label_map(tmp_path / f"case{number}", name)
    for number, name in enumerate(PHOTOS):
        test_the_range_that_an_error_names_makes_the_photo_right(tmp_path / f"photo{number}", name)
    test_a_range_of_too_few_bits_is_corrected(tmp_path / "bits")
    test_dark_colors_that_cannot_be_read_whole(tmp_path / "one")
    test_colors_that_nothing_names(tmp_path / "two")
    with monkeypatch.context() as patch:
        test_a_picture_above_the_limit_of_pillow(tmp_path / "limit", patch)
    for ratio in (0.01, 0.99):
        test_a_ratio_that_leaves_nothing(ratio)
    test_a_ratio_in_percent()
    test_files_that_check_has_found(tmp_path / "check")
    test_classes_in_another_order(tmp_path / "order")
    test_two_splits_of_one_meaning(tmp_path / "splits")
    (tmp_path / "smooth").mkdir()
    test_smooth_edges(tmp_path / "smooth")
    test_label_maps_of_two_kinds(tmp_path / "two kinds")
    test_train_ids_of_cityscapes(tmp_path / "train ids")
    test_photos_of_several_proportions(tmp_path / "proportions")
    test_the_dont_care_class_of_a_model()
    test_scores_without_the_inception_network()
    test_one_image_has_no_covariance()
    test_vgg19_that_cannot_be_downloaded(monkeypatch)
    missing = [
        f"{path.relative_to(PACKAGE)}:{first}"
        for path in PACKAGE.rglob("*.py")
        for first, last in remedies_in(path)
        if not any(file == path and first <= line <= last for file, line in made)
    ]
    assert missing == []


def remedies_in(path):
    """First and last line of each remedy in a file whose values are known."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Remedy" and len(node.args) > 1:
            values = getattr(node.args[1], "values", [])
            if not any(isinstance(value, ast.Constant) and value.value is ... for value in values):
                yield node.lineno, node.end_lineno
