"""`keras-semisis pack`, and `--data records:PATH`."""

import os
import shutil

import numpy as np
import pytest
from PIL import Image

from keras_semisis.data import ADE20K, DataError, Records, write_records
from keras_semisis.data.sources.one_sided import ImagesOnly
from keras_semisis.recipes.known_data import default_sizes, label_space_of
from keras_semisis.recipes.sources import open_data
from tests.cli.command import call
from tests.data.sources.test_benchmarks import ade20k_tree, label_map

pytest.importorskip("array_record", reason="packed records need the extra keras-semisis[records]")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    root = tmp_path_factory.mktemp("data") / "folder"
    for kind in ("images", "labels"):
        (root / kind).mkdir(parents=True)
    for i in range(12):
        Image.new("RGB", (8, 6), (20 * i, 0, 0)).save(root / "images" / f"{i}.jpg")
        Image.fromarray(np.full((6, 8), 255 if i == 3 else i % 3, np.uint8)).save(root / "labels" / f"{i}.png")
    return root


OPTIONS = ("--id-map", "255=3", "--ignore-class", 3)


def test_records_split_as_the_folder_does(data, tmp_path):
    output = tmp_path / "packed"
    shown = call("pack", f"folder:{data}", output, *OPTIONS)
    assert f"records:{output}" in "".join(shown.split())
    pair = open_data(f"records:{output}", (8, 8))
    folder = open_data(f"folder:{data}", (8, 8), 3, ("255=3",))
    for records, other in zip(pair, folder, strict=True):
        assert [records.name(i) for i in range(len(records))] == [other.name(i) for i in range(len(other))]
        assert records.label_space == other.label_space
        np.testing.assert_array_equal(records.load(0)[1], other.load(0)[1])
    call("pack", f"folder:{data}", output, *OPTIONS)  # again: there is nothing left to do
    error = call("pack", f"folder:{data}", tmp_path / "packed" / "train", code=1)
    assert "id 255" in error  # of the data, before anything is written


def test_what_has_no_partner_is_packed_too(tmp_path):
    for folder, names in (("images", "abcdef"), ("labels", "abcx")):
        (tmp_path / "data" / folder).mkdir(parents=True)
        for i, name in enumerate(names):
            picture = Image.new("RGB", (8, 6), (20 * i, 0, 0)) if folder == "images" else Image.new("L", (8, 6), i % 3)
            picture.save(tmp_path / "data" / folder / f"{name}.png")
    packed = tmp_path / "packed"
    with pytest.warns(UserWarning, match="3 photos have no label map, and 1 label maps no photo"):
        shown = call("pack", f"folder:{tmp_path / 'data'}", packed)
    assert "train: 2 items, 3 unpaired photos, 1 unpaired label maps" in shown and "val: 1 items\n" in shown
    train, val = open_data(f"records:{packed}", (8, 8))
    assert [train.unpaired_images.name(i) for i in range(3)] == ["d", "e", "f"]
    assert train.unpaired_images.load_image(2)[0, 0, 0] == 100 and train.unpaired_images.label_space is None
    assert len(train.unpaired_labels) == 1 and train.unpaired_labels.name(0) == "x"
    np.testing.assert_array_equal(train.unpaired_labels.load_label_map(0), np.zeros((6, 8)))
    assert val.unpaired_images is None and val.unpaired_labels is None
    with pytest.warns(UserWarning, match="3 photos have no label map"):
        call("pack", f"folder:{tmp_path / 'data'}", packed)  # again: there is nothing left to do
    (tmp_path / "data" / "images" / "e.png").unlink()
    with pytest.warns(UserWarning, match="2 photos have no label map"):
        assert "holds a pack of other data" in call("pack", f"folder:{tmp_path / 'data'}", packed, code=1)


def test_a_pack_has_the_classes_and_sizes_of_what_was_packed(tmp_path):
    ade20k_tree(tmp_path / "ade", [label_map(1), label_map(2)])
    call("pack", f"ade20k:{tmp_path / 'ade'}", tmp_path / "packed")
    for data in (f"records:{tmp_path / 'packed'}", f"records:{tmp_path / 'packed' / 'val'}"):
        assert default_sizes(data) == ((256, 256), (286, 286))
        assert label_space_of(data) == ADE20K.label_space
    assert "chest of drawers" in call("classes", f"records:{tmp_path / 'packed'}")
    photos = open_data(f"ade20k:{tmp_path / 'ade'}", (8, 8)).train
    write_records(ImagesOnly(photos, range(2)), tmp_path / "photos")
    with pytest.raises(DataError, match="photos alone, which have no classes"):
        label_space_of(f"records:{tmp_path / 'photos'}")
    with pytest.raises(DataError, match="no packed records here"):
        default_sizes(f"records:{tmp_path}/nothing")


def test_bad_items_are_left_out_and_listed(data, tmp_path):
    shutil.copytree(data, tmp_path / "data")
    bad = tmp_path / "data" / "labels" / "7.png"
    Image.fromarray(np.full((6, 8), 77, np.uint8)).save(bad)
    (tmp_path / "data" / "classes.csv").write_text("id,name,r,g,b\n0,a,0,0,0\n1,b,1,1,1\n2,c,2,2,2\n3,d,3,3,3\n")
    pack = ("pack", f"folder:{tmp_path / 'data'}", tmp_path / "packed", "--id-map", "255=3")
    assert f"Error: {bad}: label id 77" in call(*pack, code=1)
    shown = call(*pack, "--skip-bad", 1)
    assert f"Bad files that were left out: 1\n  {bad}: label id 77" in shown
    assert [len(source) for source in open_data(f"records:{tmp_path / 'packed'}", (8, 8))] == [9, 2]


def test_a_folder_whose_name_is_no_text(tmp_path):
    output = tmp_path / os.fsdecode(b"caf\xe9")
    assert "udce9/train: 2 items" in call("pack", "synthetic:2", output, "--image-size", "32x32")
    assert Records(output, "val").load(0)[0].shape == (32, 32, 3)


def test_a_pack_without_splits_keeps_a_tenth_for_validation(data, tmp_path):
    call("pack", f"folder:{data}", tmp_path / "packed", *OPTIONS)
    train, val = open_data(f"records:{tmp_path}/packed/train", (8, 8))
    assert (len(train), len(val)) == (8, 2)
    train, val = open_data(f"records:{tmp_path}/packed/train", (8, 8), validation_data=f"records:{tmp_path}/packed/val")
    assert (len(train), len(val)) == (10, 2) and isinstance(val, Records)
    shutil.copytree(tmp_path / "packed/train", tmp_path / "copy")
    with pytest.raises(ValueError, match="10 of its 10 photos are among those to train on"):
        open_data(f"records:{tmp_path}/packed/train", (8, 8), validation_data=f"records:{tmp_path}/copy")
    call("pack", "synthetic:2", tmp_path / "scenes", "--image-size", "32x32")
    with pytest.raises(DataError, match="are not those of --data records"):
        open_data(f"records:{tmp_path}/packed/train", (8, 8), validation_data=f"records:{tmp_path}/scenes/val")
    with pytest.raises(DataError, match="no packed records here"):
        open_data(f"records:{tmp_path}/nothing", (8, 8))
