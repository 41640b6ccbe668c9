"""Pickles of arrays: what NumPy's own reader gives, and a refusal of everything else."""

import pickle

import numpy as np
import pytest

from keras_semisis.checkpoints import CheckpointError, read_pickled_arrays, read_pth


def written(tmp_path, content, protocol=3):
    path = tmp_path / "weights.ckpt"
    path.write_bytes(content if isinstance(content, bytes) else pickle.dumps(content, protocol=protocol))
    return path


@pytest.mark.parametrize("protocol", [3, 4])
def test_arrays_by_name(tmp_path, protocol):
    random = np.random.default_rng(0)
    kernel, bias = random.normal(size=(3, 2, 4)).astype("float32"), np.arange(5, dtype="int64")
    columns = np.asfortranarray(random.normal(size=(3, 4)))
    path = written(tmp_path, {"net": {"kernel": kernel, "bias": bias}, "list": [columns, np.float32(1) * bias[:0]]}, protocol)
    found = read_pickled_arrays(path)
    assert list(found) == ["net.kernel", "net.bias", "list.0", "list.1"]
    for array, expected in zip(found.values(), (kernel, bias, columns, bias[:0].astype("float64")), strict=True):
        assert array.dtype == expected.dtype
        np.testing.assert_array_equal(array, expected)


class Runs:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def test_nothing_is_run(tmp_path):
    path = written(tmp_path, {"a": np.zeros(2), "b": Runs(tmp_path / "written")})
    with pytest.raises(CheckpointError, match=r"weights\.ckpt: the file asks for '(_?io|builtins)\.open'"):
        read_pickled_arrays(path)
    assert not (tmp_path / "written").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"a": np.array([None, 1], object)}, "with other arguments than those of an array of numbers"),
        ({"a": np.array(["text"])}, "with other arguments"),
        ({"a": np.zeros(2, ">f4")}, "little-endian"),
        ([np.zeros(2)], "holds a list, where a dictionary"),
        (b"", "no end|cannot be read"),
        (b"no pickle", "cannot be read|operation|empty stack"),
    ],
)
def test_what_is_refused(tmp_path, content, message):
    with pytest.raises(CheckpointError, match=message):
        read_pickled_arrays(written(tmp_path, content))


def test_every_cut_and_every_wrong_length_is_refused(tmp_path):
    whole = pickle.dumps({"a": np.arange(6, dtype="float32").reshape(2, 3)}, protocol=3)
    for end in range(len(whole)):
        with pytest.raises(CheckpointError):
            read_pickled_arrays(written(tmp_path, whole[:end]))
    (place,) = [i for i in range(len(whole)) if whole[i : i + 4] == b"K\x02K\x03"]
    longer = whole[: place + 3] + b"\x04" + whole[place + 4 :]
    with pytest.raises(CheckpointError, match=r"shape \(2, 4\) has 24 bytes instead of 32"):
        read_pickled_arrays(written(tmp_path, longer))


def test_changed_bytes_give_arrays_or_a_refusal(tmp_path):
    whole = pickle.dumps({"a": np.arange(6, dtype="float32").reshape(2, 3), "b": [np.zeros(3, "int64")]}, protocol=3)
    random = np.random.default_rng(0)
    for _ in range(300):
        changed = bytearray(whole)
        for place in random.integers(0, len(whole), random.integers(1, 4)):
            changed[place] = random.integers(0, 256)
        try:
            found = read_pickled_arrays(written(tmp_path, bytes(changed)))
            assert all(isinstance(array, np.ndarray) for array in found.values())
        except CheckpointError as error:
            assert "weights.ckpt" in str(error)


def test_checkpoints_of_pytorch_stay_without_arrays(tmp_path):
    path = written(tmp_path, {"a": np.zeros(2)}, protocol=2)
    with pytest.raises(CheckpointError):
        read_pth(path)
