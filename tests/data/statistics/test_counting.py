import shutil
import tracemalloc

import numpy as np
import pytest
from scipy import stats

from keras_semisis.data import (
    ClassStatistics,
    DataError,
    class_statistics,
    missing_classes,
    paired_dataset,
    rare_class_probabilities,
    semi_paired_split,
)
from keras_semisis.data.statistics import counts_file
from keras_semisis.data.statistics.pixel_counts import pixel_counts
from keras_semisis.data.stream.rejection import rejection_draws
from tests.data.array_source import ArraySource

RNG = np.random.default_rng(5)
# A chi-square test rejects a correct sampler with this probability (once: the draws are fixed by their seed).
ERROR_RATE = 1e-4


class Scenes(ArraySource):
    """Made when asked for: 12 of 183 classes in each, some of them rare. Counts how often one is read."""

    def __init__(self, number, fingerprints=None, num_classes=183):
        super().__init__([[[0]]], num_classes=num_classes, ignore_class=0)
        self.number = number
        self.fingerprints = fingerprints
        self.reads = []

    def __len__(self):
        return self.number

    def name(self, index):
        return f"scene{index}"

    def fingerprint(self, index):
        return None if self.fingerprints is None else f"{self.fingerprints.get(index, '')}{index}"

    def load_label_map(self, index):
        self.reads.append(index)
        rng = np.random.default_rng(index)
        present = (self.label_space.num_classes * rng.random(12) ** 3).astype(np.uint8)
        return present[rng.integers(0, 12, (16, 20))]


def dense_counts(source):
    number = source.label_space.num_classes
    return np.array([[(m == c).sum() for c in range(number)] for m in map(source.load_label_map, range(len(source)))])


@pytest.fixture(scope="module")
def scenes():
    source = Scenes(150)
    return class_statistics(source), dense_counts(source)


def test_sparse_counts_are_the_dense_ones(scenes):
    sparse, dense = scenes
    assert sparse.shape == dense.shape and len(sparse) == 150
    np.testing.assert_array_equal(sparse, dense)
    np.testing.assert_array_equal(sparse.totals, dense.sum(axis=0))
    np.testing.assert_array_equal(sparse.rows(7, 11), dense[7:11])
    again = ClassStatistics.from_arrays(sparse.arrays())
    again.extend(sparse)
    np.testing.assert_array_equal(again, np.concatenate([dense, dense]))


@pytest.mark.parametrize("ignore_class", [None, 0, 182])
def test_probabilities_of_sparse_counts_are_bit_identical_to_the_dense(scenes, ignore_class, monkeypatch):
    sparse, dense = scenes
    monkeypatch.setattr("keras_semisis.data.statistics.rare_classes._ROWS", 64)
    np.testing.assert_array_equal(rare_class_probabilities(sparse, ignore_class), rare_class_probabilities(dense, ignore_class))


def test_draws_follow_the_probabilities_of_a_thousand_scenes():
    p = rare_class_probabilities(class_statistics(Scenes(1000)), ignore_class=0)
    expected = 100_000 * p
    assert expected.min() > 5  # as the test's approximation asks for
    drawn = rejection_draws(p, 0, np.arange(100_000))
    assert stats.chisquare(np.bincount(drawn, minlength=1000), expected).pvalue > ERROR_RATE
    assert stats.chisquare(np.full(1000, 100), expected).pvalue < ERROR_RATE  # it tells uniform draws from these


@pytest.mark.parametrize("size", [0, 1, 2**18 - 1, 2**18, 2**18 + 1, 3 * 2**18])
def test_pixels_are_counted_block_by_block(size):
    label_map = RNG.integers(0, 5, (1, size)).astype(np.uint8)
    np.testing.assert_array_equal(pixel_counts(label_map, 6), [(label_map == c).sum() for c in range(6)])


def test_pixels_of_large_label_maps_are_counted_in_full():
    rows = [[2**16, 0, 2**32 - 1], [70_000, 2**16 - 1, 0]]
    table = ClassStatistics(3)
    for row in rows:
        table.append(row)
    np.testing.assert_array_equal(table, rows)
    np.testing.assert_array_equal(table.totals, np.sum(rows, axis=0))


@pytest.mark.parametrize("counts", [[1, 2], [1, -1, 0], [2**32, 0, 0], [[1, 2, 3]]])
def test_what_is_no_row_of_counts_is_refused(counts):
    table = ClassStatistics(3)
    with pytest.raises(ValueError, match="3 numbers of pixels"):
        table.append(counts)
    assert len(table) == 0


@pytest.mark.parametrize(
    ("name", "values"),
    [("ends", [0, 3, 2, 4]), ("ends", [1, 4]), ("ends", [0, 5]), ("ends", []), ("classes", [0, 1, 2, 3]), ("pixels", [1])],
)
def test_what_is_no_table_is_refused(name, values):
    table = ClassStatistics(3)
    table.append([1, 1, 0])
    table.append([0, 1, 1])
    ClassStatistics.from_arrays(table.arrays())
    with pytest.raises(ValueError, match="no table"):
        ClassStatistics.from_arrays(table.arrays() | {name: np.array(values, np.int64)})


def test_a_stray_id_of_a_source_that_does_not_check_is_refused():
    with pytest.raises(DataError, match=r"item0001: label id 7 found, but the classes are 0\.\.2"):
        class_statistics(ArraySource([[[0, 2]], [[7, 1]]], num_classes=3))


def test_missing_classes_by_brute_force():
    whole = Scenes(60)
    paired = whole.subset(range(0, 60, 10))
    dense = dense_counts(whole)
    expected = np.flatnonzero((dense[::10].sum(axis=0) == 0) & (dense.sum(axis=0) > 0))
    assert len(expected) and missing_classes(paired, whole) == [f"c{c}" for c in expected if c != 0]


def test_an_interrupted_pass_goes_on_where_it_was(tmp_path, monkeypatch):
    cache = tmp_path / "statistics.npz"
    source, reports = Scenes(300, fingerprints={}), []
    interrupted = Scenes(300, fingerprints={})

    def progress(done, number):
        if done == 100:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        class_statistics(interrupted, cache, progress)
    assert len(interrupted.reads) < 250  # not far ahead
    counts = class_statistics(source, cache, lambda done, number: reports.append(done))
    assert sorted(source.reads) == list(range(100, 300))
    assert reports == list(range(100, 301))
    np.testing.assert_array_equal(counts, dense_counts(source))


def test_a_killed_pass_loses_what_was_not_saved_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(counts_file, "_SAVE_SECONDS", -1.0)
    cache, at_kill = tmp_path / "statistics.npz", tmp_path / "killed.npz"
    class_statistics(Scenes(90, fingerprints={}), cache, lambda done, number: done == 60 and shutil.copy(cache, at_kill))
    source = Scenes(90, fingerprints={})
    counts = class_statistics(source, at_kill)
    assert sorted(source.reads) == list(range(60, 90))
    np.testing.assert_array_equal(counts, dense_counts(source))


@pytest.mark.parametrize(
    ("fingerprints", "number", "read"),
    [
        ({}, 50, range(0)),
        ({}, 70, range(50, 70)),
        ({49: "new "}, 50, range(50)),
        ({60: "new "}, 70, range(50, 70)),
        ({3: "new "}, 70, range(70)),
        ({}, 40, range(40)),
        (None, 50, range(50)),
    ],
)
def test_kept_counts_serve_while_what_was_counted_is_unchanged(tmp_path, fingerprints, number, read):
    cache = tmp_path / "statistics.npz"
    class_statistics(Scenes(50, fingerprints={}), cache)
    source = Scenes(number, fingerprints)
    counts = class_statistics(source, cache)
    assert sorted(source.reads) == list(read)
    np.testing.assert_array_equal(counts, dense_counts(source))


@pytest.mark.parametrize(
    "write",
    [
        np.save,
        lambda file, array: np.savez(file, num_classes=array),
        lambda file, array: file.write(b"PK"),
        lambda file, array: None,
    ],
)
def test_a_cache_that_holds_something_else_is_as_good_as_none(tmp_path, write):
    with open(tmp_path / "statistics.npz", "wb") as file:
        write(file, np.zeros(3))
    source = Scenes(3, fingerprints={})
    np.testing.assert_array_equal(class_statistics(source, tmp_path / "statistics.npz"), dense_counts(source))


def test_a_source_that_knows_its_counts_is_not_read(scenes, monkeypatch):
    sparse, dense = scenes
    monkeypatch.setattr(Scenes, "class_counts", lambda self, index: sparse.rows(index, index + 1)[0])
    source = Scenes(150)
    np.testing.assert_array_equal(class_statistics(source), dense)
    missing_classes(source.subset([0]), source)
    assert not source.reads


def test_a_split_counts_its_pairs_once_and_looks_at_few_others(tmp_path):
    """A class that is nowhere, as COCO-Stuff has some: looking for it must not read everything."""

    class WithoutTheLast(Scenes):
        def load_label_map(self, index):
            return np.minimum(super().load_label_map(index), 181)

    source, cache = WithoutTheLast(3000, fingerprints={}), tmp_path / "statistics.npz"
    with pytest.warns(UserWarning, match="The 30 pairs of a ratio of 0.01 hold no pixel of c"):
        paired, _, _ = semi_paired_split(source, 0.01, statistics_cache=cache)
    assert len(set(source.reads)) == len(source.reads) == 30 + 512
    np.testing.assert_array_equal(class_statistics(paired), dense_counts(paired))
    source.reads.clear()
    paired_dataset(paired, (16, 20), 2, sampler="rare_classes")
    class_statistics(paired, cache)
    assert not source.reads
    with pytest.warns(UserWarning):
        semi_paired_split(source, 0.01, statistics_cache=cache)
    assert len(source.reads) == 512


def test_counts_that_cannot_be_kept_are_returned_with_a_warning(tmp_path):
    (tmp_path / "file").write_text("in the way")
    source = Scenes(5, fingerprints={})
    with pytest.warns(UserWarning, match=r"file.statistics\.npz: the class statistics cannot be kept"):
        counts = class_statistics(source, tmp_path / "file" / "statistics.npz")
    np.testing.assert_array_equal(counts, dense_counts(source))


def test_memory_grows_by_the_sparse_table_alone():
    maps = [Scenes(1).load_label_map(i) for i in range(50)]

    def peak(number):
        source = Scenes(number)
        source.load_label_map = lambda index: maps[index % 50]
        tracemalloc.start()
        try:
            class_statistics(source)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(100)
    growth = (peak(5000) - peak(1000)) / 4000
    # at most 12 classes of five bytes and where the row ends, and half as much for growing by reallocation
    assert growth < 1.5 * (12 * 5 + 8)
    assert peak(5000) < 2 * 2**20 < 5000 * 183 * 8
