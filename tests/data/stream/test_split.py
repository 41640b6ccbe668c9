import warnings

import numpy as np
import pytest

from keras_semisis.data import DataError, missing_classes, semi_paired_split
from tests.data.array_source import ArraySource, numbered_source


def names(source):
    return [source.name(i) for i in range(len(source))]


def quiet_split(source, ratio, seed=0):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return semi_paired_split(source, ratio, seed)


@pytest.mark.parametrize("ratio", [0.1, 0.25, 0.5, 0.9])
def test_pairs_and_the_rest_are_disjoint_and_complete(ratio):
    source = numbered_source(37)
    paired, images, labels = quiet_split(source, ratio)
    assert len(paired) == round(ratio * 37)
    assert sorted(names(images)) == sorted(names(labels))
    assert sorted(names(paired) + names(images)) == names(source)


def test_ratio_zero_has_no_pairs_and_ratio_one_reshuffles_them():
    source = numbered_source(30)
    paired, images, labels = quiet_split(source, 0)
    assert (len(paired), len(images), len(labels)) == (0, 30, 30)
    paired, images, labels = quiet_split(source, 1)
    assert sorted(names(paired)) == sorted(names(images)) == sorted(names(labels))
    assert names(paired) != names(images) != names(labels) != names(paired)


def test_split_ignores_the_order_of_listing():
    items = [np.full((2, 2), i) for i in range(40)]
    listed = ArraySource(items, names=[f"n{i:02d}" for i in range(40)])
    order = np.random.default_rng(0).permutation(40)
    shuffled = ArraySource([items[i] for i in order], names=[f"n{i:02d}" for i in order], num_classes=40)
    for part, other in zip(quiet_split(listed, 0.3, seed=5), quiet_split(shuffled, 0.3, seed=5), strict=True):
        assert names(part) == names(other)
    (
        paired,
        other,
    ) = quiet_split(listed, 0.3)[0], quiet_split(shuffled, 0.3)[0]
    np.testing.assert_array_equal(paired.load_label_map(3), other.load_label_map(3))


def test_seed_decides_and_a_larger_ratio_keeps_the_pairs():
    source = numbered_source(50)
    small, large = (set(names(quiet_split(source, ratio)[0])) for ratio in (0.2, 0.6))
    assert small < large
    assert names(quiet_split(source, 0.2, 0)[0]) == names(quiet_split(source, 0.2, 0)[0])
    assert names(quiet_split(source, 0.2, 0)[0]) != names(quiet_split(source, 0.2, 1)[0])


def test_unpaired_images_and_label_maps_coincide_at_chance_level():
    # Two independent orders agree in Poisson(1) places: 100 splits in 100 on average, standard deviation 10;
    # 150 or more, or 50 or fewer, has a probability below 1e-5.
    source = numbered_source(40)
    matches = 0
    for seed in range(100):
        _, images, labels = quiet_split(source, 0.25, seed)
        matches += int((images.indices == labels.indices).sum())
    assert 50 < matches < 150


def test_unpaired_sources_keep_their_other_half_to_themselves():
    _, images, labels = quiet_split(numbered_source(10), 0.5)
    assert images.label_space is None
    assert images.load_image(0).shape == (4, 6, 3) and labels.load_label_map(0).shape == (4, 6)
    with pytest.raises(ValueError, match="no label maps"):
        images.load_label_map(0)
    with pytest.raises(ValueError, match="no photos"):
        labels.load_image(0)
    for half in (images, labels):
        with pytest.raises(ValueError, match="unpaired"):
            half.load(0)


@pytest.mark.parametrize(
    ("ratio", "error", "message"),
    [
        (0.01, DataError, "leaves no pair.*ratio=0.1 or more"),
        (0.99, DataError, "nothing unpaired.*ratio=1"),
        (-0.1, ValueError, "not between 0 and 1"),
        (20, ValueError, "ratio=0.2"),
    ],
)
def test_ratios_that_do_not_work(ratio, error, message):
    with pytest.raises(error, match=message):
        semi_paired_split(numbered_source(10), ratio)


def test_missing_classes_are_reported_by_name():
    rare = [np.zeros((2, 2)) for _ in range(20)]
    rare[7][0, 0] = 2
    rare[8][0, 0] = 3
    source = ArraySource(rare, num_classes=5, ignore_class=3)  # class 1 and 4 are nowhere, 3 does not count
    for seed in range(10):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            paired, _, _ = semi_paired_split(source, 0.5, seed)
        if 7 in paired.indices:
            assert not caught and missing_classes(paired, source) == []
        else:
            assert missing_classes(paired, source) == ["c2"]
            assert len(caught) == 1 and "no pixel of c2:" in str(caught[0].message)


class Beside(ArraySource):
    """Numbered pairs, and what has no partner."""

    def __init__(self, number, photos, label_maps):
        super().__init__([np.full((2, 2), i) for i in range(number)], num_classes=99)
        further = [
            ArraySource([np.full((2, 2), 90 + i) for i in range(n)], None, [f"{kind}{i}" for i in range(n)], 99)
            for kind, n in (("photo", photos), ("map", label_maps))
        ]
        self.unpaired_images, self.unpaired_labels = (source if len(source) else None for source in further)


@pytest.mark.parametrize(("ratio", "expected"), [(1, (8, 3, 2)), (0.5, (4, 4 + 3, 4 + 2)), (0, (0, 8 + 3, 8 + 2))])
def test_what_has_no_partner_joins_the_unpaired_part(ratio, expected):
    paired, images, labels = quiet_split(Beside(8, 3, 2), ratio)
    assert (len(paired), len(images), len(labels)) == expected
    assert [images.load_image(len(images) - 3 + i)[0, 0, 0] for i in range(3)] == [90, 91, 92]
    assert [labels.load_label_map(len(labels) - 2 + i)[0, 0] for i in range(2)] == [90, 91]
    assert len(set(names(images))) == len(images) and len(set(names(labels))) == len(labels)
    assert paired.unpaired_images is None and paired.unpaired_labels is None


def test_with_all_pairs_the_side_without_further_ones_is_the_pairs_again():
    source = Beside(8, 3, 0)
    paired, images, labels = quiet_split(source, 1)
    assert (len(paired), len(images)) == (8, 3) and sorted(names(labels)) == names(source)


def test_a_subset_keeps_what_lies_beside():
    part = Beside(8, 3, 2).subset([1, 2])
    assert (len(part), len(part.unpaired_images), len(part.unpaired_labels)) == (2, 3, 2)


def test_classes_that_unpaired_label_maps_alone_show_are_reported():
    with pytest.warns(UserWarning, match=r"pairs of a ratio of 1 hold no pixel of c90, c91: .*Label a photo that shows them"):
        semi_paired_split(Beside(8, 0, 2), 1)
