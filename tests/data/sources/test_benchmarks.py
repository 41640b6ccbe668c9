"""Cityscapes, ADE20K and COCO-Stuff: small trees of their layouts, and the sample of COCO-Stuff."""

import csv

import numpy as np
import pytest
from PIL import Image

from keras_semisis.data import ADE20K, CamVid, Cityscapes, COCOStuff, DataError, Folder, class_statistics, paired_dataset
from keras_semisis.data.labels.distinct_colors import distinct_colors
from tests.conftest import SHARED, needs_shared

PHOTO = np.random.default_rng(0).integers(0, 256, (6, 8, 3)).astype(np.uint8)


def write(path, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(array)).save(path)


def label_map(*ids, dtype=np.uint8):
    return np.resize(np.array(ids, dtype), (6, 8))


def cityscapes_tree(root, labels):
    """One image a label map, in the folders of the published archives with all that lies in them."""
    for i, label in enumerate(labels):
        for split in ("train", "val"):
            city, stem = ("aachen", "bonn")[i % 2], f"{('aachen', 'bonn')[i % 2]}_{i:06d}_000019"
            write(root / "leftImg8bit" / split / city / f"{stem}_leftImg8bit.png", PHOTO)
            write(root / "gtFine" / split / city / f"{stem}_gtFine_labelIds.png", label)
            write(root / "gtFine" / split / city / f"{stem}_gtFine_instanceIds.png", label.astype(np.uint16) * 1000)
            write(root / "gtFine" / split / city / f"{stem}_gtFine_color.png", PHOTO)
            (root / "gtFine" / split / city / f"{stem}_gtFine_polygons.json").write_text("{}")


def ade20k_tree(root, labels):
    for split, name in (("training", "train"), ("validation", "val")):
        for i, label in enumerate(labels):
            write(root / "images" / split / f"ADE_{name}_{i:08d}.jpg", PHOTO)
            write(root / "annotations" / split / f"ADE_{name}_{i:08d}.png", label)


COCO_LAYOUTS = [("{}_img", "{}_label"), ("{}2017", "stuffthingmaps/{}2017"), ("images/{}2017", "stuffthingmaps/{}2017")]


def coco_tree(root, labels, layout=COCO_LAYOUTS[0]):
    for split in ("train", "val"):
        for i, label in enumerate(labels):
            write(root / layout[0].format(split) / f"{i:012d}.jpg", PHOTO)
            write(root / layout[1].format(split) / f"{i:012d}.png", label)


def read_classes(name):
    with open(SHARED / "data" / "classes" / name, newline="") as file:
        return list(csv.DictReader(file))


# Classes


@needs_shared("data/classes")
def test_classes_of_cityscapes_are_the_official_ones():
    rows = read_classes("cityscapes.csv")
    space = Cityscapes.label_space
    assert (space.num_classes, space.ignore_class) == (35, 0)
    assert [int(row["label_id"]) for row in rows] == [*range(34), -1]
    assert space.class_names == tuple(row["name"] for row in rows)
    assert space.palette == tuple(tuple(int(row[c]) for c in "rgb") for row in rows)
    assert Cityscapes.train_ids == tuple(255 if row["train_id"] == "-1" else int(row["train_id"]) for row in rows)
    assert sorted(i for i in Cityscapes.train_ids if i != 255) == list(range(19))


@needs_shared("data/classes")
def test_classes_of_ade20k_are_the_official_ones():
    rows = read_classes("ade20k.csv")
    space = ADE20K.label_space
    assert (space.num_classes, space.ignore_class, space.class_names[0]) == (151, 0, "unknown")
    assert space.palette[1:] == tuple(tuple(int(row[c]) for c in "rgb") for row in rows)
    assert len(set(space.class_names)) == 151
    for i, row in enumerate(rows, start=1):  # the file lists all names of a class, with ; for spaces and commas
        assert int(row["index"]) == i
        assert f";{space.class_names[i].replace(' ', ';')};" in f";{row['name']};"


@needs_shared("data/classes")
def test_classes_of_coco_stuff_are_the_official_ones():
    rows = read_classes("coco_stuff.csv")
    space = COCOStuff.label_space
    assert (space.num_classes, space.ignore_class) == (183, 0)
    assert [int(row["id"]) for row in rows] == list(range(182))
    assert space.class_names == ("unknown", *(row["name"] for row in rows))
    assert space.palette == tuple(distinct_colors(183)) and len(set(space.palette)) == 183


def test_sizes_are_those_of_published_results():
    assert [(s.published_image_size, s.published_load_size) for s in (Cityscapes, ADE20K, COCOStuff, CamVid)] == [
        ((256, 512), None),
        ((256, 256), (286, 286)),
        ((256, 256), (286, 286)),
        (None, None),
    ]


# Layouts


@pytest.mark.parametrize("split", ["train", "val"])
def test_cityscapes(tmp_path, split):
    cityscapes_tree(tmp_path, [label_map(*range(34)), label_map(33), label_map(7, 255)])
    source = Cityscapes(tmp_path, split)
    assert [source.name(i) for i in range(3)] == [
        "aachen/aachen_000000_000019",
        "aachen/aachen_000002_000019",
        "bonn/bonn_000001_000019",
    ]
    maps = [source.load(i)[1] for i in range(3)]
    np.testing.assert_array_equal(maps[0], label_map(*range(34)))
    np.testing.assert_array_equal(maps[1], label_map(7, 34))
    np.testing.assert_array_equal(maps[2], label_map(33))
    assert source.load_image(0).tolist() == PHOTO.tolist()


def test_cityscapes_license_plates_are_class_34(tmp_path):
    path = tmp_path / "gtFine" / "train" / "aachen" / "a_gtFine_labelIds.png"
    write(tmp_path / "leftImg8bit" / "train" / "aachen" / "a_leftImg8bit.png", PHOTO)
    path.parent.mkdir(parents=True)
    Image.fromarray(label_map(-1, 33, dtype=np.int32)).save(path.with_suffix(".tif"))  # the only format with -1
    np.testing.assert_array_equal(Cityscapes(tmp_path).load_label_map(0), label_map(34, 33))


@pytest.mark.parametrize("parent", ["", "ADEChallengeData2016"])
@pytest.mark.parametrize("split", ["train", "val"])
def test_ade20k(tmp_path, split, parent):
    ade20k_tree(tmp_path / parent, [label_map(0, 1, 150), label_map(75)])
    source = ADE20K(tmp_path, split)
    assert [source.name(i) for i in range(2)] == [f"ADE_{split}_{i:08d}" for i in range(2)]
    np.testing.assert_array_equal(source.load(0)[1], label_map(0, 1, 150))


@pytest.mark.parametrize("layout", COCO_LAYOUTS)
@pytest.mark.parametrize("split", ["train", "val"])
def test_coco_stuff(tmp_path, split, layout):
    coco_tree(tmp_path, [label_map(0, 181, 255)], layout)
    image, classes = COCOStuff(tmp_path, split).load(0)
    assert image.shape == (6, 8, 3)
    np.testing.assert_array_equal(classes, label_map(1, 182, 0))


@pytest.mark.parametrize(
    ("source", "tree", "ids"),
    [(Cityscapes, cityscapes_tree, (34, 200)), (ADE20K, ade20k_tree, (151, 255)), (COCOStuff, coco_tree, (182, 254))],
)
def test_a_stored_id_that_the_benchmark_has_not_is_named(tmp_path, source, tree, ids):
    """Id 182 + 1 or 34 would pass for a class of another meaning if only the range of classes were checked."""
    for i in ids:
        tree(tmp_path, [label_map(1, 1, i)])
        words = rf"\.png: label id {i} \(16 pixels\) found, which this data set has not: its ids are (-1|0)\.\."
        with pytest.raises(DataError, match=words):
            source(tmp_path).load(0)


@pytest.mark.parametrize(("source", "tree"), [(Cityscapes, cityscapes_tree), (ADE20K, ade20k_tree), (COCOStuff, coco_tree)])
def test_what_is_missing_is_named(tmp_path, source, tree):
    with pytest.raises(ValueError, match=r"split='test' is none of .*, which have label maps\. only=\"images\" reads"):
        source(tmp_path, "test")
    with pytest.raises(ValueError, match=r"split='north' is none of \"train\".* and .*, nor \"test\" \(photos alone\)"):
        source(tmp_path, "north", only="images")
    with pytest.raises(ValueError, match="only='photos' is none of"):
        source(tmp_path, only="photos")
    with pytest.raises(DataError, match=r"expected train_img|there is no such folder"):
        source(tmp_path)
    with pytest.raises(DataError, match="there is no such folder"):
        source(tmp_path / "nowhere")
    tree(tmp_path, [label_map(1), label_map(2)])
    labels = sorted(path for path in tmp_path.rglob("*.png") if "leftImg8bit" not in path.name)
    alone = next(path for path in labels if "train" in str(path) and ("labelIds" in path.name or "gtFine" not in path.name))
    alone.unlink()
    with pytest.raises(DataError, match=r"this image has no label map of the same name.*1 of 2 images"):
        source(tmp_path)


def test_cityscapes_without_label_ids(tmp_path):
    cityscapes_tree(tmp_path, [label_map(1)])
    for path in tmp_path.rglob("*labelIds.png"):
        path.unlink()
    with pytest.raises(DataError, match=r"gtFine/train: no image files named \*_gtFine_labelIds found"):
        Cityscapes(tmp_path)


def test_cityscapes_with_train_ids_alone(tmp_path):
    cityscapes_tree(tmp_path, [label_map(1), label_map(2)])
    for path in tmp_path.rglob("*labelIds.png"):
        write(path.with_name(path.name.replace("labelIds", "labelTrainIds")), label_map(*range(19), 255))
        path.unlink()
    words = r"gtFine/train: there are \*_gtFine_labelTrainIds but no \*_gtFine_labelIds\..*Unpack gtFine_trainvaltest\.zip"
    with pytest.raises(DataError, match=words) as caught:
        Cityscapes(tmp_path)
    advised = caught.value.remedies[0].settings
    with pytest.warns(UserWarning, match="passed over"):
        train = Folder(tmp_path, split="train", **advised)
    assert (len(train), train.label_space.num_classes, train.label_space.ignore_class) == (2, 20, 19)
    np.testing.assert_array_equal(train.load(0)[1], label_map(*range(20)))


def train_extra(root, number, lacking=0):
    """Photos and coarse label maps, some of which the archives lack, with all that lies beside them."""
    for i in range(number):
        stem = f"aachen/aachen_{i:06d}_000019"
        write(root / "leftImg8bit" / "train_extra" / f"{stem}_leftImg8bit.png", PHOTO)
        if i >= lacking:
            instances = label_map(7000, dtype=np.uint16)
            for kind, array in (("labelIds", label_map(7, i)), ("color", PHOTO), ("instanceIds", instances)):
                write(root / "gtCoarse" / "train_extra" / f"{stem}_gtCoarse_{kind}.png", array)


def names(source):
    return [source.name(i) for i in range(len(source))]


def test_train_extra_of_cityscapes(tmp_path):
    train_extra(tmp_path, 5, lacking=2)
    photos, labels = Cityscapes(tmp_path, "train_extra", only="images"), Cityscapes(tmp_path, "train_extra", only="labels")
    assert (len(photos), photos.label_space, len(labels)) == (5, None, 3)
    assert names(labels) == names(photos)[2:] and labels.label_space == Cityscapes.label_space
    np.testing.assert_array_equal(labels.load_label_map(2), label_map(7, 4))
    pairs = Cityscapes(tmp_path, "train_extra")
    assert names(pairs) == names(labels) and names(pairs.unpaired_images) == names(photos)[:2]
    assert pairs.unpaired_labels is None and pairs.load(0)[0].shape == (6, 8, 3)


def test_coarse_label_maps_of_other_splits(tmp_path):
    cityscapes_tree(tmp_path, [label_map(1)])
    path = tmp_path / "gtCoarse" / "train" / "aachen" / "aachen_000000_000019_gtCoarse_labelIds.png"
    write(path, label_map(9))
    assert Cityscapes(tmp_path, annotation="gtCoarse").load_label_map(0).max() == 9
    assert Cityscapes(tmp_path).load_label_map(0).max() == 1
    with pytest.raises(ValueError, match="annotation='fine' is none of"):
        Cityscapes(tmp_path, annotation="fine")


@pytest.mark.parametrize(
    ("source", "split", "folder"),
    [
        (Cityscapes, "test", "leftImg8bit/test/berlin/{}_leftImg8bit"),
        (ADE20K, "test", "images/testing/{}"),
        (ADE20K, "test", "release_test/testing/{}"),
        (ADE20K, "test", "ADEChallengeData2016/images/testing/{}"),
        (COCOStuff, "unlabeled", "unlabeled2017/{}"),
        (COCOStuff, "unlabeled", "images/unlabeled2017/{}"),
        (COCOStuff, "test", "test2017/{}"),
        (CamVid, "train", "train/{}"),
        (COCOStuff, "train", "train_img/{}"),
    ],
)
def test_photos_without_label_maps(tmp_path, source, split, folder):
    for name in "ab":
        write(tmp_path / f"{folder.format(name)}.png", PHOTO)
    photos = source(tmp_path, split, only="images")
    assert len(photos) == 2 and photos.label_space is None and photos.load_image(1).tolist() == PHOTO.tolist()


@pytest.mark.parametrize("source", [ADE20K, CamVid, COCOStuff])
def test_label_maps_without_photos(tmp_path, source):
    folder = {ADE20K: "annotations/training", CamVid: "trainannot", COCOStuff: "stuffthingmaps/train2017"}[source]
    write(tmp_path / folder / "a.png", label_map(3))
    labels = source(tmp_path, "train", only="labels")
    assert len(labels) == 1 and labels.load_label_map(0).max() == (4 if source is COCOStuff else 3)
    with pytest.raises(ValueError, match="images=None"):
        labels.load_image(0)


def test_colors_are_not_taken_for_ids(tmp_path):
    ade20k_tree(tmp_path, [ADE20K.label_space.colorize(label_map(1, 2))])
    with pytest.raises(DataError, match="this label map has colors"):
        ADE20K(tmp_path).load(0)


# The sample


@needs_shared("data/coco_stuff_sample")
def test_coco_stuff_sample():
    root = SHARED / "data" / "coco_stuff_sample"
    train, val = COCOStuff(root, "train"), COCOStuff(root, "val")
    assert (len(train), len(val)) == (13, 8)
    counts = np.asarray(class_statistics(train))
    expected = np.zeros(183, np.int64)
    for path in sorted((root / "train_label").iterdir()):
        stored = np.asarray(Image.open(path)).astype(int)
        expected += np.bincount(np.where(stored == 255, 0, stored + 1).ravel(), minlength=183)
    np.testing.assert_array_equal(counts.sum(axis=0), expected)
    assert counts.sum(axis=0)[1] > 0  # there are people


@needs_shared("data/coco_stuff_sample")
def test_coco_stuff_sample_at_published_sizes():
    source = COCOStuff(SHARED / "data" / "coco_stuff_sample", "train").subset(range(4))
    batches = paired_dataset(source, COCOStuff.published_image_size, 2, load_size=COCOStuff.published_load_size)
    for image, classes in batches:
        assert image.shape == (2, 256, 256, 3) and classes.shape == (2, 256, 256)
        assert classes.max() <= 182 and np.abs(image).max() <= 1
