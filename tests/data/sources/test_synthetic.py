"""`SyntheticScenes`: the same bits everywhere, a long tail of classes, texture and light to learn."""

import hashlib

import numpy as np
import pytest

from keras_semisis.data import class_statistics
from keras_semisis.data.sources.synthetic.scenes import SyntheticScenes

NUM_SCENES = 200
NAMES = SyntheticScenes().label_space.class_names


@pytest.fixture(scope="module")
def scenes():
    """``(images, label_maps)`` of the first 200 training scenes of seed 0."""
    source = SyntheticScenes(NUM_SCENES)
    images, label_maps = zip(*(source.load(i) for i in range(NUM_SCENES)), strict=True)
    return np.stack(images), np.stack(label_maps)


def digest(arrays):
    return hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest()[:16]


@pytest.mark.parametrize(
    ("seed", "split", "size", "index", "expected"),
    [
        (0, "train", (64, 96), 0, "dd7d3c6f8b6b505b"),
        (0, "val", (64, 96), 3, "e0144a0e4716c501"),
        (7, "train", (48, 80), 11, "be05e597af63dedc"),
    ],
)
def test_golden_bits(seed, split, size, index, expected):
    source = SyntheticScenes(12, split, size, seed)
    assert digest(source.load(index)) == expected


def test_a_scene_depends_on_seed_split_and_index_alone():
    forwards, backwards = SyntheticScenes(6, seed=3), SyntheticScenes(400, seed=3)
    first = [forwards.load(i) for i in range(6)]
    second = [backwards.load(i) for i in reversed(range(6))][::-1]
    for i, (one, other) in enumerate(zip(first, second, strict=True)):
        for a, b, alone in zip(one, other, (forwards.load_image(i), forwards.load_label_map(i)), strict=True):
            np.testing.assert_array_equal(a, b)
            np.testing.assert_array_equal(a, alone)


def test_numpy_indices_and_subsets():
    source = SyntheticScenes(5)
    part = source.subset([4, 1])
    np.testing.assert_array_equal(part.load(0)[0], source.load(4)[0])
    assert [part.name(0), part.name(1)] == ["train-00004", "train-00001"]


def test_all_scenes_of_all_splits_and_seeds_differ():
    sources = [SyntheticScenes(25, split, seed=seed) for split in ("train", "val") for seed in (0, 1)]
    label_maps = [source.load_label_map(i).tobytes() for source in sources for i in range(25)]
    assert len(set(label_maps)) == len(label_maps)


def test_names_are_unique_across_splits():
    sources = (SyntheticScenes(30, "train"), SyntheticScenes(30, "val"))
    names = [source.name(i) for source in sources for i in range(30)]
    assert names[12] == "train-00012"
    assert len(set(names)) == 60


def test_label_space():
    space = SyntheticScenes().label_space
    assert space.num_classes == 11
    assert space.class_names[space.ignore_class] == "void"
    assert len(set(space.palette)) == space.num_classes


def test_ids_are_valid_and_every_class_occurs(scenes):
    images, label_maps = scenes
    assert images.shape == (NUM_SCENES, 64, 96, 3) and images.dtype == np.uint8
    assert label_maps.shape == (NUM_SCENES, 64, 96) and label_maps.dtype == np.uint8
    assert np.unique(label_maps).tolist() == list(range(len(NAMES)))


def test_class_frequencies_have_a_long_tail(scenes):
    label_maps = scenes[1]
    pixels = {name: (label_maps == i).mean() for i, name in enumerate(NAMES)}
    occurs = {name: (label_maps == i).any((1, 2)).mean() for i, name in enumerate(NAMES)}
    for name in ("sky", "road", "building"):
        assert pixels[name] > 0.15 and occurs[name] > 0.95, name
    for name in ("sidewalk", "vegetation", "car"):
        assert 0.03 < pixels[name] < 0.15 and occurs[name] > 0.8, name
    for name in ("pole", "lane marking"):
        assert 0.004 < pixels[name] < 0.03, name
    for name in ("pedestrian", "traffic sign"):
        assert 0.0005 < pixels[name] < 0.005 and 0.15 < occurs[name] < 0.5, name
    assert pixels["void"] < 0.05
    assert pixels["road"] > 100 * pixels["traffic sign"]


def test_the_world_is_the_right_way_up(scenes):
    label_maps = scenes[1]
    row = {name: np.nonzero(label_maps == i)[1].mean() for i, name in enumerate(NAMES)}
    assert row["sky"] < row["building"] < row["car"] < row["road"] < row["void"]
    assert row["traffic sign"] < row["pedestrian"]


def test_every_class_is_textured(scenes):
    images, label_maps = scenes
    for i, name in enumerate(NAMES):
        masks = label_maps == i
        deviations = [image[mask].std(0).mean() for image, mask in zip(images, masks, strict=True) if mask.sum() >= 12]
        assert np.median(deviations) > 6.0, name


def test_texture_is_more_than_sensor_noise(scenes):
    """Neighbors' deviations from the scene's mean color of the class correlate; white noise gives 0."""
    images, label_maps = scenes
    for name in ("sky", "building", "road", "sidewalk", "vegetation", "car"):
        products, squares = [], []
        for image, label_map in zip(images[:60], label_maps[:60], strict=True):
            mask = label_map == NAMES.index(name)
            if mask.sum() < 30:
                continue
            gray = image.mean(-1) - image[mask].mean()
            pairs = mask[:, 1:] & mask[:, :-1]
            products.append((gray[:, 1:] * gray[:, :-1])[pairs])
            squares.append((gray * gray)[mask])
        assert np.concatenate(products).mean() > 0.3 * np.concatenate(squares).mean(), name


def test_light_and_colors_vary_between_scenes_of_one_class(scenes):
    images, label_maps = scenes
    for name in ("sky", "building", "road", "car"):
        masks = label_maps == NAMES.index(name)
        means = [image[mask].mean(0) for image, mask in zip(images, masks, strict=True) if mask.sum() >= 12]
        assert np.std(means, axis=0).mean() > 12.0, name


def test_classes_have_colors_of_their_own(scenes):
    """The nearest class-mean color, fitted on 100 scenes, beats the majority class on the other 100."""
    images, label_maps = scenes
    names = ("sky", "building", "road", "vegetation")
    ids = [NAMES.index(name) for name in names]
    train = [images[:100][label_maps[:100] == i].mean(0) for i in ids]
    hits, total, counts = 0, 0, []
    for k, i in enumerate(ids):
        pixels = images[100:][label_maps[100:] == i].astype(np.float32)
        nearest = np.argmin([np.square(pixels - mean).sum(-1) for mean in train], 0)
        hits, total = hits + (nearest == k).sum(), total + len(pixels)
        counts.append(len(pixels))
    assert hits / total > max(counts) / total + 0.15


@pytest.mark.parametrize("size", [(32, 32), (33, 47), (64, 64), (96, 64), (128, 256)])
def test_other_sizes(size):
    source = SyntheticScenes(3, image_size=size)
    for i in range(3):
        image, label_map = source.load(i)
        assert image.shape == (*size, 3) and image.dtype == np.uint8
        assert label_map.shape == size and label_map.max() < len(NAMES)
        assert {NAMES.index("sky"), NAMES.index("road")} <= set(np.unique(label_map).tolist())


def test_another_size_shows_the_same_scene():
    small, large = SyntheticScenes(10), SyntheticScenes(10, image_size=(128, 192))
    for i in range(10):
        a, b = small.load(i), large.load(i)
        assert (a[1] == b[1][1::2, 1::2]).mean() > 0.93
        shrunk = b[0].reshape(64, 2, 96, 2, 3).mean((1, 3))
        assert np.abs(a[0] - shrunk).mean() < 16.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"split": "test"}, 'split=\'test\' is unknown.*"train" and "val"'),
        ({"image_size": (31, 96)}, r"image_size=\(31, 96\).*at least 32"),
        ({"image_size": (64,)}, r"image_size=\(64,\).*\(height, width\)"),
        ({"num_scenes": 0}, "num_scenes=0"),
        ({"seed": -1}, "seed=-1 is negative"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        SyntheticScenes(**arguments)


@pytest.mark.parametrize("index", [-1, 5])
@pytest.mark.parametrize("method", ["load", "load_image", "load_label_map", "name"])
def test_index_out_of_range(method, index):
    with pytest.raises(IndexError, match=rf"Scene {index} does not exist.*0\.\.4"):
        getattr(SyntheticScenes(5), method)(index)


def test_fingerprints_tell_scenes_seeds_and_sizes_apart_and_statistics_are_cached(tmp_path, monkeypatch):
    scenes = SyntheticScenes(num_scenes=3, image_size=(32, 48))
    others = [
        SyntheticScenes(3, image_size=(32, 48), seed=1),
        SyntheticScenes(3, image_size=(48, 32)),
        SyntheticScenes(3, "val", image_size=(32, 48)),
    ]
    prints = [source.fingerprint(i) for source in (scenes, *others) for i in range(3)]
    assert len(set(prints)) == len(prints)
    assert scenes.fingerprint(1) == SyntheticScenes(num_scenes=9, image_size=(32, 48)).fingerprint(1)
    counts = class_statistics(scenes, cache=tmp_path / "counts.npz")
    monkeypatch.setattr(SyntheticScenes, "load", None)  # to be read from the cache
    again = class_statistics(SyntheticScenes(num_scenes=3, image_size=(32, 48)), cache=tmp_path / "counts.npz")
    np.testing.assert_array_equal(again, counts)
