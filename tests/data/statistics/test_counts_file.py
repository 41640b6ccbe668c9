import numpy as np
import pytest
from PIL import Image

from keras_semisis.data import DataError, Folder, class_statistics
from tests.data.array_source import ArraySource

RNG = np.random.default_rng(0)


def write_folder(root, label_maps):
    (root / "labels").mkdir(parents=True, exist_ok=True)
    for i, label_map in enumerate(label_maps):
        Image.fromarray(np.asarray(label_map, np.uint8)).save(root / "labels" / f"{i}.png")
    return Folder(root, images=None, palette=[(i, 0, 0) for i in range(4)])


def reads_of(source, monkeypatch):
    reads = []
    original = type(source).load_label_map
    monkeypatch.setattr(type(source), "load_label_map", lambda self, index: reads.append(index) or original(self, index))
    return reads


def test_statistics_cache_is_used_while_the_data_is_the_same(tmp_path, monkeypatch):
    source = write_folder(tmp_path / "data", RNG.integers(0, 4, (5, 6, 7)))
    cache = tmp_path / "run" / "statistics.npz"
    counts = class_statistics(source, cache=cache)
    reads = reads_of(source, monkeypatch)
    np.testing.assert_array_equal(class_statistics(source, cache=cache), counts)
    assert not reads and [path.name for path in cache.parent.iterdir()] == ["statistics.npz"]


@pytest.mark.parametrize("change", ["content", "fewer", "order", "id_map", "damaged cache", "other file"])
def test_statistics_cache_is_renewed_when_the_data_has_changed(tmp_path, change):
    label_maps = RNG.integers(0, 4, (5, 6, 7))
    source = write_folder(tmp_path, label_maps)
    cache = tmp_path / "statistics.npz"
    class_statistics(source, cache=cache)
    if change == "content":
        label_maps[2] = 3
        source = write_folder(tmp_path, label_maps)
    elif change == "fewer":
        label_maps = label_maps[:4]
        source = source.subset(range(4))
    elif change == "order":
        label_maps = label_maps[::-1]
        source = source.subset([4, 3, 2, 1, 0])
    elif change == "id_map":
        label_maps = np.where(label_maps == 3, 0, label_maps)
        source = Folder(tmp_path, images=None, palette=[(i, 0, 0) for i in range(4)], id_map={3: 0})
    elif change == "damaged cache":
        cache.write_bytes(cache.read_bytes()[:100])
    else:
        cache.write_text("not an npz")
    expected = [[(m == c).sum() for c in range(4)] for m in label_maps]
    np.testing.assert_array_equal(class_statistics(source, cache=cache), expected)
    np.testing.assert_array_equal(class_statistics(source, cache=cache), expected)


def test_statistics_without_a_fingerprint_are_not_cached(tmp_path):
    class_statistics(ArraySource(np.zeros((2, 3, 3))), cache=tmp_path / "statistics.npz")
    assert not list(tmp_path.iterdir())


def test_statistics_report_progress():
    seen = []
    class_statistics(ArraySource(np.zeros((3, 2, 2))), progress=lambda *numbers: seen.append(numbers))
    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_statistics_raise_what_reading_raises(tmp_path):
    source = write_folder(tmp_path, np.zeros((3, 4, 4)))
    (tmp_path / "labels" / "1.png").write_bytes(b"nothing")
    with pytest.raises(DataError, match=r"1\.png"):
        class_statistics(source, cache=tmp_path / "cache.npz")
    assert not (tmp_path / "cache.npz").exists()
