"""`keras-semisis classes`, and the sources and sizes that the commands choose by name."""

import csv

import numpy as np
import pytest
from PIL import Image

from keras_semisis.data import ADE20K, CamVid, Cityscapes, COCOStuff, DataError
from keras_semisis.recipes.known_data import default_sizes
from keras_semisis.recipes.sources import open_data
from tests.cli.command import call
from tests.data.sources.test_benchmarks import ade20k_tree, cityscapes_tree, coco_tree, label_map


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("cityscapes", Cityscapes),
        ("ade20k", ADE20K),
        ("coco_stuff", COCOStuff),
        ("camvid", CamVid),
        ("tfds:scene_parse150", ADE20K),
    ],
)
def test_classes_prints_every_id_name_and_color(name, source):
    output = call("classes", name)
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in output.splitlines() if line.startswith("│")]
    space = source.label_space
    assert [row[0] for row in rows] == [str(i) for i in range(space.num_classes)]
    assert [row[2].removesuffix(" (don't care)") for row in rows] == list(space.class_names)
    assert [tuple(map(int, row[3].split(","))) for row in rows] == list(space.palette)
    assert [i for i, row in enumerate(rows) if row[2].endswith("(don't care)")] == [space.ignore_class]
    if source is Cityscapes:
        assert [int(row[4]) for row in rows] == list(Cityscapes.train_ids)


def test_a_legend_shows_every_color(tmp_path):
    path = tmp_path / "deep" / "legend.png"
    assert "legend.png" in call("classes", "coco_stuff", "--legend", path)
    drawn = np.asarray(Image.open(path).convert("RGB")).reshape(-1, 3)
    colors, counts = np.unique(drawn, axis=0, return_counts=True)
    much = {tuple(color) for color, count in zip(colors.tolist(), counts, strict=True) if count > 100}
    assert set(COCOStuff.label_space.palette) <= much
    assert "must end in .png" in call("classes", "ade20k", "--legend", tmp_path / "legend.jpg", code=1)


@pytest.mark.parametrize("prefix", ["", "folder:"])
def test_classes_of_a_folder(tmp_path, prefix):
    (tmp_path / "labels" / "train").mkdir(parents=True)
    Image.fromarray(label_map(0, 1)).save(tmp_path / "labels" / "train" / "a.png")
    with open(tmp_path / "classes.csv", "w", newline="") as file:
        csv.writer(file).writerows([["id", "name", "r", "g", "b"], [0, "[sky]", 1, 2, 3], [1, "Straße $x_", 4, 5, 6]])
    output = call("classes", f"{prefix}{tmp_path}", "--legend", tmp_path / "legend.png")
    assert "[sky]" in output and "Straße $x_" in output and "4, 5, 6" in output


def test_classes_of_nothing():
    assert "there is no such source or folder" in call("classes", "nowhere", code=1)


def test_sizes_are_those_of_published_results_unless_others_are_given():
    assert default_sizes("cityscapes:x") == default_sizes("tfds:cityscapes/semantic_segmentation:1.0.0") == ((256, 512), None)
    assert default_sizes("coco_stuff:x") == default_sizes("tfds:scene_parse150") == ((256, 256), (286, 286))
    assert default_sizes("camvid:x") == default_sizes("folder:x") == default_sizes("tfds:other") == ((64, 96), None)


@pytest.mark.parametrize(
    ("kind", "tree", "source"),
    [("cityscapes", cityscapes_tree, Cityscapes), ("ade20k", ade20k_tree, ADE20K), ("coco_stuff", coco_tree, COCOStuff)],
)
def test_benchmarks_are_opened_by_name(tmp_path, kind, tree, source):
    tree(tmp_path, [label_map(1), label_map(2)])
    train, val = open_data(f"{kind}:{tmp_path}", (8, 8))
    assert isinstance(train, source) and isinstance(val, source) and len(train) == len(val) == 2
    with pytest.raises(DataError):
        open_data(f"{kind}:{tmp_path}/elsewhere", (8, 8))


def test_sets_of_tfds_are_opened_by_name(tmp_path):
    tfds = pytest.importorskip("tensorflow_datasets")
    example = {"image": np.zeros((4, 5, 3), np.uint8), "annotation": np.zeros((4, 5, 3), np.uint8)}
    with tfds.testing.mock_data(as_data_source_fn=lambda builder, split, **options: [example] * (3 if split == "train" else 2)):
        train, val = open_data("tfds:scene_parse150", (8, 8))
    assert (len(train), len(val)) == (3, 2)
