"""The Beam pipelines on Beam's local runner, against the same work without Beam."""

import functools
import importlib.util
import sys

import numpy as np
import pytest
from PIL import Image

from keras_semisis.data import DataError, Folder, Records, class_statistics, write_records

NEEDS_BEAM = pytest.mark.skipif(
    importlib.util.find_spec("apache_beam") is None, reason="Apache Beam is not installed (extra keras-semisis[beam])"
)
NUMBER = 23


@pytest.fixture(scope="module")
def open_source(tmp_path_factory):
    root = tmp_path_factory.mktemp("folder")
    rng = np.random.default_rng(0)
    for kind in ("images", "labels"):
        (root / kind).mkdir()
    for i in range(NUMBER):
        Image.fromarray(rng.integers(0, 256, (6, 9, 3)).astype(np.uint8)).save(root / "images" / f"{i}.png")
        Image.fromarray(rng.integers(0, 1 + i % 7, (6, 9)).astype(np.uint8)).save(root / "labels" / f"{i}.png")
    return functools.partial(Folder, root, palette=[(i, 0, 0) for i in range(7)])


@NEEDS_BEAM
def test_statistics_are_bit_identical_and_serve_as_cache(open_source, tmp_path, monkeypatch):
    from keras_semisis.data import beam

    source = open_source()
    expected = class_statistics(source, cache=tmp_path / "local.npz")
    counts = beam.class_statistics(open_source, tmp_path / "beam.npz", items_per_task=5)
    for name, values in expected.arrays().items():
        np.testing.assert_array_equal(counts.arrays()[name], values, strict=True)
    assert (tmp_path / "beam.npz").read_bytes() == (tmp_path / "local.npz").read_bytes()
    monkeypatch.setattr(Folder, "load_label_map", None)  # nothing is left to read
    np.testing.assert_array_equal(class_statistics(source, cache=tmp_path / "beam.npz"), expected)


@NEEDS_BEAM
def test_packs_are_bit_identical(open_source, tmp_path):
    pytest.importorskip("array_record", reason="packed records need the extra keras-semisis[records]")
    from keras_semisis.data import beam

    write_records(open_source(), tmp_path / "local", items_per_shard=5)
    beam.write_records(open_source, tmp_path / "beam", items_per_shard=5)
    assert len(Records(tmp_path / "beam")) == NUMBER
    names = sorted(path.name for path in (tmp_path / "local").iterdir())
    assert names == sorted(path.name for path in (tmp_path / "beam").iterdir()) and len(names) == 16
    for name in names:
        assert (tmp_path / "beam" / name).read_bytes() == (tmp_path / "local" / name).read_bytes(), name


@NEEDS_BEAM
def test_what_has_no_partner_is_packed(open_source, tmp_path):
    pytest.importorskip("array_record", reason="packed records need the extra keras-semisis[records]")
    from keras_semisis.data import beam

    root = tmp_path / "folder"
    for kind, numbers in (("images", range(6)), ("labels", range(4, 9))):
        (root / kind).mkdir(parents=True)
        for i in numbers:
            content = open_source().image_bytes(i) if kind == "images" else open_source().label_map_bytes(i)
            (root / kind / f"{i}.png").write_bytes(content)
    some = functools.partial(open_source.func, root, **open_source.keywords)
    with pytest.warns(UserWarning, match="4 photos have no label map, and 3 label maps no photo"):
        write_records(some(), tmp_path / "local", items_per_shard=2)
    beam.write_records(some, tmp_path / "beam", items_per_shard=2)
    packed = Records(tmp_path / "beam")
    assert [len(part) for part in (packed, packed.unpaired_images, packed.unpaired_labels)] == [2, 4, 3]
    files = [
        sorted(path.relative_to(place) for path in place.rglob("*") if path.is_file())
        for place in (tmp_path / "local", tmp_path / "beam")
    ]
    assert files[0] == files[1]
    assert all((tmp_path / "local" / name).read_bytes() == (tmp_path / "beam" / name).read_bytes() for name in files[0])
    beam.write_records(some, tmp_path / "beam", items_per_shard=2)  # is done


@NEEDS_BEAM
def test_a_bad_label_map_is_named(open_source, tmp_path):
    from keras_semisis.data import beam

    few = functools.partial(open_source, palette=[(i, 0, 0) for i in range(6)])
    with pytest.raises((DataError, RuntimeError), match=r"\d\.png: label id 6"):
        beam.class_statistics(few, tmp_path / "counts.npz")
    assert not (tmp_path / "counts.npz").exists()


def test_without_beam_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "apache_beam", None)
    monkeypatch.delitem(sys.modules, "keras_semisis.data.beam", raising=False)
    with pytest.raises(ImportError, match=r'pip install "keras-semisis\[beam\]"'):
        importlib.import_module("keras_semisis.data.beam")
