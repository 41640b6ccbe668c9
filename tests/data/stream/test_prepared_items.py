import numpy as np
import pytest

from keras_semisis.data import DataError
from keras_semisis.data.stream import prepared_items
from keras_semisis.data.stream.prepared_items import PreparedItems
from tests.data.array_source import ArraySource, numbered_source

RNG = np.random.default_rng(0)


def count_loads(source):
    loads = []
    original = source.load
    source.load = lambda index: loads.append(index) or original(index)
    return loads


@pytest.mark.parametrize(("limit", "expected"), [(5 * 4 * 6 * 4, [0, 1]), (5 * 4 * 6 * 4 - 1, [0, 1, 0])])
def test_items_stay_in_memory_if_all_of_them_fit(monkeypatch, limit, expected):
    monkeypatch.setattr(prepared_items, "MEMORY_LIMIT", limit)
    source = numbered_source(5)  # 4×6 pixels of 3 + 1 bytes
    loads = count_loads(source)
    items = PreparedItems(source, (4, 6), image=True, label_map=True)
    got = [items.get(index) for index in (0, 1, 0)]
    assert loads == expected
    for image, label_map in (got[0], got[2]):
        np.testing.assert_array_equal(image, source.load_image(0))
        np.testing.assert_array_equal(label_map, source.load_label_map(0))


def test_ids_above_255_are_not_cut():
    source = ArraySource([np.zeros((2, 2))], num_classes=300)
    source.load_label_map = lambda index: np.full((2, 2), 299)
    assert PreparedItems(source, (1, 1), label_map=True).get(0)[0].tolist() == [[299]]


@pytest.mark.parametrize("ids", [[[0, 300], [1, 1]], [[0, -1], [1, 1]]])
def test_ids_of_a_source_of_ones_own_that_are_no_classes_are_refused(ids):
    source = ArraySource([[[0, 1], [1, 1]]])
    source.label_maps = [np.array(ids)]
    with pytest.raises(DataError, match=r"item0000: label id (300|-1)"):
        PreparedItems(source, (2, 2), label_map=True).get(0)


@pytest.mark.parametrize("photo", [np.full((2, 2, 3), 0.5), np.zeros((2, 2), np.uint8), np.zeros((2, 2, 4), np.uint8)])
def test_photos_of_a_source_of_ones_own_must_be_of_bytes(photo):
    source = ArraySource([[[0, 1], [1, 1]]], images=[photo])
    with pytest.raises(DataError, match=f"the photo is {photo.dtype} of shape"):
        PreparedItems(source, (2, 2), image=True, label_map=True).get(0)
