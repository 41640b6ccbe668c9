"""`keras-semisis pack`, and `--data records:PATH`."""

import numpy as np
import pytest
from PIL import Image

from keras_semisis.cli.sources import open_data
from keras_semisis.data import DataError, Records
from tests.cli.test_commands import call

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


def test_a_pack_without_splits_keeps_a_tenth_for_validation(data, tmp_path):
    call("pack", f"folder:{data}", tmp_path / "packed", *OPTIONS)
    train, val = open_data(f"records:{tmp_path}/packed/train", (8, 8))
    assert (len(train), len(val)) == (10, 1)
    train, val = open_data(f"records:{tmp_path}/packed/train", (8, 8),
                           validation_data=f"records:{tmp_path}/packed/val")
    assert (len(train), len(val)) == (11, 1) and isinstance(val, Records)
    call("pack", "synthetic:2", tmp_path / "scenes", "--image-size", "32x32")
    with pytest.raises(DataError, match="its classes are not those of"):
        open_data(f"records:{tmp_path}/packed/train", (8, 8), validation_data=f"records:{tmp_path}/scenes/val")
    with pytest.raises(DataError, match="no packed records here"):
        open_data(f"records:{tmp_path}/nothing", (8, 8))
