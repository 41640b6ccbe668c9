import numpy as np
import pytest
from PIL import Image

from keras_semisis.data import CamVid, DataError
from tests.conftest import SHARED, needs_shared


def write_camvid(root, names, height=360, width=480, split="train"):
    for folder, mode in ((split, "RGB"), (f"{split}annot", "L")):
        (root / folder).mkdir(parents=True)
        for i, name in enumerate(names):
            Image.new(mode, (width, height), color=i).save(root / folder / f"{name}.png")


def test_original_size_and_order_by_name(tmp_path):
    write_camvid(tmp_path, ["b", "a", "c"], split="test")
    source = CamVid(tmp_path, split="test")
    assert [source.name(i) for i in range(3)] == ["a", "b", "c"]
    image, label_map = source.load(0)
    assert image.shape == (360, 480, 3) and image.dtype == np.uint8
    assert label_map.shape == (360, 480) and (label_map == 1).all()


@needs_shared("data/camvid")
def test_small_camvid():
    train, val = (CamVid(SHARED / "data" / "camvid", split=split) for split in ("train", "val"))
    assert (len(train), len(val)) == (367, 101)
    space = train.label_space
    assert (space.num_classes, space.ignore_class, space.class_names[8]) == (12, 11, "car")
    image, label_map = train.load(0)
    assert image.shape == (192, 256, 3) and label_map.shape == (192, 256)
    sky, road = label_map == 0, label_map == 3
    assert image[sky].mean() > image[road].mean()
    assert np.nonzero(sky)[0].mean() < np.nonzero(road)[0].mean()


def test_a_split_that_does_not_exist(tmp_path):
    write_camvid(tmp_path, ["a"])
    with pytest.raises(ValueError, match='"train", "val" and "test"'):
        CamVid(tmp_path, split="training")
    with pytest.raises(DataError, match=r"val: there is no such folder.* holds train, trainannot"):
        CamVid(tmp_path, split="val")
    with pytest.raises(DataError, match="nowhere"):
        CamVid(tmp_path / "nowhere" / "camvid")
