"""Photos of other proportions than the image size: stretched, or scaled and cropped."""

import warnings

import numpy as np
import pytest
from PIL import Image

from keras_semisis.data import ADE20K, DataError, Folder, LabelSpace, SyntheticScenes, paired_dataset, unpaired_dataset
from keras_semisis.data.data_warning import DataWarning
from keras_semisis.data.pictures.resizing import covering_size
from keras_semisis.data.sources.fitted_items import FittedItems
from tests.data.array_source import ArraySource

SPACE = LabelSpace([f"c{i}" for i in range(256)], [(i, i, i) for i in range(256)])


def columns(height, width):
    """A label map whose ids are the columns' numbers; `ArraySource` shows it as its photo."""
    return np.tile(np.arange(width, dtype=np.uint8), (height, 1))


def rows(height, width):
    return columns(width, height).T


@pytest.mark.parametrize(
    ("shape", "size", "expected"),
    [
        ((8, 40), (8, 12), (8, 40)),
        ((40, 12), (8, 12), (40, 12)),
        ((16, 24), (8, 12), (8, 12)),
        ((3, 3), (8, 12), (12, 12)),
        ((7, 1000), (64, 96), (64, 9143)),
        ((1000, 999), (64, 64), (64, 64)),
    ],
)
def test_the_least_size_of_the_same_proportions_that_covers(shape, size, expected):
    assert covering_size(shape, size) == expected


@pytest.mark.parametrize(
    ("array", "expected"),
    [(columns(8, 40), columns(8, 40)[:, 14:26]), (rows(41, 12), rows(41, 12)[16:24]), (columns(8, 12), columns(8, 12))],
)
def test_the_middle_without_training(array, expected):
    source = ArraySource([array], num_classes=256)
    ((image, label_map),) = paired_dataset(source, (8, 12), 1, training=False, fit="crop")
    np.testing.assert_array_equal(label_map[0], expected)
    np.testing.assert_array_equal(np.rint((image[0, ..., 0] + 1) * 127.5), expected)


def test_windows_of_training_lie_anywhere_and_keep_proportions():
    source = ArraySource([columns(8, 40), rows(30, 12)], num_classes=256)
    starts = {"wide": set(), "high": set()}
    for image, label_map in steps(paired_dataset(source, (8, 12), 2, fit="crop"), 200):
        np.testing.assert_array_equal(np.rint((image[..., 0] + 1) * 127.5), label_map)
        for ids in label_map.astype(int):
            across, down = np.diff(ids, axis=1), np.diff(ids, axis=0)
            assert ((np.abs(across) == 1).all() and (down == 0).all()) or ((across == 0).all() and (down == 1).all())
            starts["wide" if across.any() else "high"].add(int(ids.min()))
    # 200 draws of 29 and of 23 places, by a fixed seed
    assert starts["wide"] <= {*range(29)} and len(starts["wide"]) > 20
    assert starts["high"] <= {*range(23)} and len(starts["high"]) > 16


def steps(dataset, number):
    return [dataset.load_step(step) for step in range(number)]


def test_a_load_size_is_covered_before_the_crop():
    source = ArraySource([columns(20, 60)], num_classes=256)
    batches = steps(paired_dataset(source, (8, 12), 1, load_size=(10, 15), fit="crop"), 50)
    widths = {int(np.ptp(label_map)) for _, label_map in batches}
    # of 60 columns in 30 pixels every second is left
    assert widths == {22} and len({int(label_map.min()) for _, label_map in batches}) > 8


def test_unpaired_photos_and_label_maps_are_fitted_each_by_its_own_proportions():
    images, labels = ArraySource([columns(8, 40)], num_classes=256), ArraySource([rows(30, 12)], num_classes=256)
    (image, label_map), *_ = steps(unpaired_dataset(images, labels, (8, 12), 1, fit="crop"), 1)
    assert np.ptp(np.rint((image[0, ..., 0] + 1) * 127.5), axis=1).tolist() == [11] * 8
    assert np.ptp(label_map[0], axis=0).tolist() == [7] * 12


def test_stretch_is_what_it_was():
    source = ArraySource([columns(8, 24), rows(16, 12)], num_classes=256)
    given, default = (
        steps(paired_dataset(source, (8, 12), 2, seed=3, load_size=(9, 14), **fit), 5) for fit in ({"fit": "stretch"}, {})
    )
    for (image, label_map), (other_image, other_map) in zip(given, default, strict=True):
        np.testing.assert_array_equal(image, other_image)
        np.testing.assert_array_equal(label_map, other_map)
    (_, label_map), *_ = steps(paired_dataset(source.subset([0]), (8, 12), 1, training=False), 1)
    np.testing.assert_array_equal(label_map[0, 0], 2 * np.arange(12) + 1)


def photos(root, *sizes):
    for i, (height, width) in enumerate(sizes):
        for kind, mode in (("images", "RGB"), ("labels", "L")):
            (root / kind).mkdir(parents=True, exist_ok=True)
            Image.new(mode, (width, height)).save(root / kind / f"{i}.png")
    return Folder(root, label_space=SPACE)


def test_mixed_proportions_are_warned_of_unless_something_is_said(tmp_path):
    source = photos(tmp_path, (20, 30), (30, 20), (24, 36))
    words = (
        r"1\.png .*is 30×20 and .*[02]\.png .*is (20×30|24×36), height×width\), and all are stretched to 8×12\. "
        r"Give fit='crop'"
    )
    with pytest.warns(DataWarning, match=words) as caught:
        paired_dataset(source, (8, 12), 1)
    with pytest.warns(DataWarning, match="stretched"):
        unpaired_dataset(source, source, (8, 12), 1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for settings in (caught[0].message.remedies[0].settings, {"fit": "stretch"}, {"training": False}):
            paired_dataset(source, (8, 12), 1, **settings)
        paired_dataset(photos(tmp_path / "same", (20, 40), (10, 20), (21, 40)), (8, 12), 1)


def test_published_sizes_are_stretched_without_a_word(tmp_path):
    for i, (height, width) in enumerate([(20, 30), (30, 20)]):
        for kind, mode in (("images", "RGB"), ("annotations", "L")):
            (tmp_path / kind / "training").mkdir(parents=True, exist_ok=True)
            Image.new(mode, (width, height)).save(tmp_path / kind / "training" / f"{i}.png")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        paired_dataset(ADE20K(tmp_path), (256, 256), 1)
    with pytest.warns(DataWarning, match="stretched"):
        paired_dataset(ADE20K(tmp_path), (8, 12), 1)


def test_sizes_are_those_of_upright_photos(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    (tmp_path / "images").mkdir()
    Image.new("RGB", (8, 4)).save(tmp_path / "images" / "a.jpg", exif=exif)
    (tmp_path / "images" / "b.png").write_bytes(b"no picture")
    source = Folder(tmp_path, labels=None)
    assert source.photo_size(0) == (8, 4) == source.load_image(0).shape[:2]
    assert source.photo_size(1) is None
    with pytest.raises(DataError):
        source.load_image(1)


def test_another_fit_is_refused():
    with pytest.raises(ValueError, match="fit='pad' is none of 'stretch', 'crop'"):
        paired_dataset(ArraySource([columns(8, 12)]), (8, 12), 1, fit="pad")


@pytest.mark.parametrize("shape", [(8, 40), (31, 12), (16, 24), (3, 3)])
def test_items_fitted_by_themselves_are_those_of_validation(shape):
    source = ArraySource([columns(*shape)], num_classes=256)
    items = FittedItems(source, (8, 12))
    ((image, label_map),) = paired_dataset(source, (8, 12), 1, training=False, fit="crop")
    for own in (items.load(0), (items.load_image(0), items.load_label_map(0))):
        np.testing.assert_array_equal(own[1], label_map[0])
        np.testing.assert_array_equal(own[0], np.rint((image[0] + 1) * 127.5))
    stretched = SyntheticScenes(1)
    assert FittedItems(stretched, (32, 32)).fingerprint(0) != stretched.fingerprint(0)
    assert FittedItems(stretched, (32, 32)).image_fingerprint(0) != FittedItems(stretched, (32, 48)).image_fingerprint(0)
