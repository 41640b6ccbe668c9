"""Instance maps beside label maps: where sources find them, and what they read of them."""

import numpy as np
import pytest
from PIL import Image

from keras_semisis.data import Cityscapes, COCOStuff, DataError, Folder, Records, write_records
from keras_semisis.data.sources.fitted_items import FittedItems
from keras_semisis.data.sources.joined import Joined
from keras_semisis.data.sources.one_sided import ImagesOnly, LabelMapsOnly

IDS = np.array([[0, 0, 1], [1, 1, 1]], np.uint8)
# two things of class 1
THINGS = np.array([[5, 5, 26_001], [26_002, 26_002, 26_001]], np.uint16)


def write(path, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(array)).save(path)


def write_pair(root, name="a", folder="{kind}", instances=THINGS, instance_name="{}"):
    write(root / folder.format(kind="images") / f"{name}.jpg", np.zeros((2, 3, 3), np.uint8))
    write(root / folder.format(kind="labels") / f"{name}.png", IDS)
    if instances is not None:
        write(root / folder.format(kind="instances") / f"{instance_name.format(name)}.png", instances)


def same_things(found, expected):
    """Whether two maps tell the same pixels apart."""
    pairs = {*zip(found.ravel().tolist(), expected.ravel().tolist(), strict=True)}
    return found.shape == expected.shape and len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})


@pytest.mark.parametrize("folder", ["{kind}", "train/{kind}", "{kind}/train", "{kind}_train"])
@pytest.mark.parametrize("instance_name", ["{}", "{}_instanceIds"])
def test_a_folder_beside_the_label_maps(tmp_path, folder, instance_name):
    for name, instances in (("a", THINGS), ("town/b", THINGS.T.reshape(2, 3)), ("c", np.flip(THINGS))):
        write_pair(tmp_path, name, folder, instances, instance_name)
    source = Folder(tmp_path, split=None if folder == "{kind}" else "train")
    assert source.has_instances
    for name, instances in (("a", THINGS), ("town/b", THINGS.T.reshape(2, 3)), ("c", np.flip(THINGS))):
        (index,) = [i for i in range(3) if source.name(i) == name]
        np.testing.assert_array_equal(source.load_instance_map(index), instances)


def test_lists_of_names_and_objects_as_those_of_pascal_voc(tmp_path):
    for name in ("a", "b"):
        write(tmp_path / "JPEGImages" / f"{name}.jpg", np.zeros((2, 3, 3), np.uint8))
        write(tmp_path / "SegmentationClass" / f"{name}.png", IDS)
        write(tmp_path / "SegmentationObject" / f"{name}.png", THINGS)
    (tmp_path / "ImageSets/Segmentation").mkdir(parents=True)
    (tmp_path / "ImageSets/Segmentation/train.txt").write_text("b\n")
    source = Folder(tmp_path, split="train")
    assert source.has_instances and len(source) == 1
    np.testing.assert_array_equal(source.load_instance_map(0), THINGS)


COLORS = np.array([[9, 0, 0], [0, 9, 0], [0, 0, 9]], np.uint8)


@pytest.mark.parametrize("form", ["gray", "16 bits", "indexed", "colors"])
def test_forms_of_instance_files(tmp_path, form):
    things = np.array([[0, 0, 1], [2, 2, 1]], np.uint8)
    write_pair(tmp_path, instances=None)
    picture = {
        "gray": lambda: Image.fromarray(things),
        "16 bits": lambda: Image.fromarray(things * np.uint16(999)),
        "indexed": lambda: Image.fromarray(things, "P"),
        "colors": lambda: Image.fromarray(COLORS[things]),
    }[form]()
    if form == "indexed":
        picture.putpalette(COLORS.ravel().tolist())
    (tmp_path / "instances").mkdir()
    picture.save(tmp_path / "instances" / "a.png")
    assert same_things(Folder(tmp_path).load_instance_map(0), things)


def test_an_instance_file_whose_ids_may_be_altered_is_named_as_what_it_is(tmp_path):
    write_pair(tmp_path, instances=None)
    write(tmp_path / "instances" / "a.jpg", THINGS.astype(np.uint8))
    with pytest.raises(DataError, match=r"instances/a\.jpg: this instance map is a JPEG, which alters ids"):
        Folder(tmp_path).load_instance_map(0)


def test_colors_that_differ_in_one_channel_are_different_things(tmp_path):
    # as the panoptic files of COCO, whose ids are R + 256 G + 65536 B
    things = np.array([[[1, 0, 0], [0, 1, 0], [0, 0, 1]], [[1, 1, 1], [2, 1, 1], [2, 1, 1]]], np.uint8)
    write_pair(tmp_path, instances=things)
    assert same_things(Folder(tmp_path).load_instance_map(0), np.array([[0, 1, 2], [3, 4, 4]]))


def test_a_folder_without_and_one_elsewhere(tmp_path):
    write_pair(tmp_path, instances=None)
    source = Folder(tmp_path)
    assert not source.has_instances
    with pytest.raises(ValueError, match=r"a\.jpg and .*a\.png: this source has no instance maps"):
        source.load_instance_map(0)
    write(tmp_path / "things" / "a.png", THINGS)
    np.testing.assert_array_equal(Folder(tmp_path, instances="things").load_instance_map(0), THINGS)
    with pytest.raises(DataError, match="there is no folder objects of instance maps"):
        Folder(tmp_path, instances="objects")
    write(tmp_path / "instances" / "a.png", THINGS)
    assert Folder(tmp_path).has_instances and not Folder(tmp_path, instances=None).has_instances


def test_nobody_who_does_not_ask_is_told_of_a_missing_one(tmp_path):
    write_pair(tmp_path, "a")
    write_pair(tmp_path, "b", instances=None)
    source = Folder(tmp_path)
    assert [len(source.load(i)) for i in range(2)] == [2, 2]
    with pytest.raises(DataError, match=r"labels/b\.png: this label map has no instance map .*instances \(1 of 2 label maps"):
        source.has_instances  # noqa: B018  # it is a property


def test_instance_folders_are_no_splits(tmp_path):
    write_pair(tmp_path, folder="{kind}_train")
    write_pair(tmp_path, "b", folder="{kind}_val")
    assert [Folder(tmp_path, split=split).name(0) for split in ("train", "val")] == ["a", "b"]
    write_pair(tmp_path / "one")
    assert Folder(tmp_path / "one").has_instances  # without split=


def test_views_hand_them_on(tmp_path):
    write_pair(tmp_path / "one")
    write_pair(tmp_path / "other", instances=np.flip(THINGS))
    write_pair(tmp_path / "without", instances=None)
    one, other, without = (Folder(tmp_path / name) for name in ("one", "other", "without"))
    joined = Joined(one, other.subset([0]))
    assert joined.has_instances and not Joined(one, without).has_instances
    np.testing.assert_array_equal(joined.load_instance_map(1), np.flip(THINGS))
    assert LabelMapsOnly(one, [0]).has_instances and not ImagesOnly(one, [0]).has_instances
    # the shorter side is scaled to 2, and the middle is taken
    np.testing.assert_array_equal(FittedItems(one, (2, 1)).load_instance_map(0), THINGS[:, 1:2])


def test_cityscapes(tmp_path):
    for kind, ending, array in (
        ("leftImg8bit", "leftImg8bit", np.zeros((2, 3, 3), np.uint8)),
        ("gtFine", "gtFine_labelIds", IDS),
        ("gtFine", "gtFine_instanceIds", THINGS),
    ):
        write(tmp_path / kind / "train/ulm" / f"ulm_0_{ending}.png", array)
    source = Cityscapes(tmp_path)
    assert source.has_instances
    np.testing.assert_array_equal(source.load_instance_map(0), THINGS)
    (tmp_path / "gtFine/train/ulm/ulm_0_gtFine_instanceIds.png").unlink()
    assert not Cityscapes(tmp_path).has_instances


@pytest.mark.parametrize(
    ("images", "labels", "instances"),
    [
        ("train_img", "train_label", "train_inst"),
        ("train2017", "stuffthingmaps/train2017", "panoptic_train2017"),
        ("images/train2017", "stuffthingmaps/train2017", "annotations/panoptic_train2017"),
    ],
)
def test_coco_stuff(tmp_path, images, labels, instances):
    write(tmp_path / images / "000000000009.jpg", np.zeros((2, 3, 3), np.uint8))
    write(tmp_path / labels / "000000000009.png", IDS)
    assert not COCOStuff(tmp_path).has_instances
    write(tmp_path / instances / "000000000009.png", THINGS)
    np.testing.assert_array_equal(COCOStuff(tmp_path).load_instance_map(0), THINGS)


def test_a_pack_has_none(tmp_path):
    pytest.importorskip("array_record")
    write_pair(tmp_path / "data")
    write_records(Folder(tmp_path / "data"), tmp_path / "pack")
    assert not Records(tmp_path / "pack").has_instances
