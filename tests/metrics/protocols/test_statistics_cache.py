"""The cache of real statistics survives damage and folders that cannot be written."""

import io

import numpy as np
import pytest

from keras_semisis.metrics.feature_statistics import FeatureStatistics
from keras_semisis.metrics.moments import Moments
from keras_semisis.metrics.protocols.statistics_cache import StatisticsCache


def only_file(folder):
    files = list(folder.iterdir())
    assert len(files) == 1, files
    return files[0]


def test_what_is_stored_comes_back(tmp_path):
    cache = StatisticsCache(tmp_path / "a" / "b")
    arrays = {"mean": np.arange(3.0), "count": np.int64(7), "text": "abc"}
    cache.store("one", arrays)
    found = cache.load("one")
    assert found.keys() == arrays.keys() and str(found["text"]) == "abc"
    np.testing.assert_array_equal(found["mean"], arrays["mean"])
    assert cache.load("two") is None
    only_file(cache.folder)


def npy():
    file = io.BytesIO()
    np.save(file, np.zeros(3))
    return file.getvalue()


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[:50],
        lambda content: content[: len(content) // 2],
        lambda content: b"no archive at all",
        lambda content: content[:200] + bytes(60) + content[260:],
        lambda content: npy(),
    ],
)
def test_a_damaged_file_is_as_good_as_none(tmp_path, damage):
    cache = StatisticsCache(tmp_path)
    cache.store("one", {"mean": np.random.default_rng(0).normal(size=100)})
    path = only_file(tmp_path)
    path.write_bytes(damage(path.read_bytes()))
    assert cache.load("one") is None
    cache.store("one", {"mean": np.ones(2)})
    assert cache.load("one")["mean"].tolist() == [1, 1]


def test_a_file_of_another_key_is_as_good_as_none(tmp_path):
    cache = StatisticsCache(tmp_path)
    cache.store("one", {"mean": np.ones(2)})
    only_file(tmp_path).rename(cache._path("two"))
    assert cache.load("two") is None


def test_a_folder_that_cannot_be_written_gives_a_warning(tmp_path):
    (tmp_path / "file").write_text("in the way")
    cache = StatisticsCache(tmp_path / "file" / "folder")
    with pytest.warns(UserWarning, match="could not be kept"):
        cache.store("one", {"mean": np.ones(2)})
    assert cache.load("one") is None


def test_a_full_disk_leaves_the_old_file(tmp_path, monkeypatch):
    cache = StatisticsCache(tmp_path)
    cache.store("one", {"mean": np.ones(2)})

    def full(file, **arrays):
        file.write(b"half of it")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.warns(UserWarning, match="No space left on device"):
        cache.store("one", {"mean": np.zeros(2)})
    assert cache.load("one")["mean"].tolist() == [1, 1]
    only_file(tmp_path)


@pytest.mark.parametrize("count", [4, 40])
def test_statistics_come_back_exactly(count):
    """Below the dimension, where rows are kept, and above it."""
    features = np.random.default_rng(count).normal(size=(count, 8)).astype("float32")
    statistics = FeatureStatistics(kept=10)
    for part in np.array_split(features, 3):
        statistics.update(part)
    copy = FeatureStatistics.from_state(statistics.state(), kept=10)
    assert copy.count == count
    np.testing.assert_array_equal(copy.features, features[:10])
    covariance = np.cov(features.astype("float64"), rowvar=False)
    np.testing.assert_allclose(copy.moments.covariance(), covariance, rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(copy.moments.factor(), statistics.moments.factor())
    with pytest.raises(KeyError):
        Moments.from_state({"count": 3})
