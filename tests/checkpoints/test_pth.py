"""The safe reader against PyTorch itself, against hostile files, and against damage."""

import collections
import io
import os
import pickle
import struct
import zipfile

import numpy as np
import pytest

from keras_semisis.checkpoints import CheckpointError, read_pth

torch = pytest.importorskip("torch")

FORMATS = pytest.mark.parametrize("zip_format", [True, False], ids=["zip", "legacy"])


def save(content, path, zip_format=True):
    torch.save(content, path, _use_new_zipfile_serialization=zip_format)
    return path


def sample_state():
    generator = torch.Generator().manual_seed(0)
    base = torch.randn(6, 8, generator=generator)
    return collections.OrderedDict(
        float32=base,
        transposed=base.t(),
        slice_with_offset=base[2:5, 1:7:2],
        shares_storage=base[3],
        expanded=torch.arange(3.0).expand(4, 3),
        float16=base.half(),
        float64=base.double(),
        bfloat16=base.bfloat16(),
        int64=torch.arange(-3, 5),
        int32=torch.arange(5, dtype=torch.int32),
        int16=torch.arange(5, dtype=torch.int16),
        int8=torch.arange(-2, 3, dtype=torch.int8),
        uint8=torch.arange(250, 256, dtype=torch.uint8),
        bool=torch.tensor([True, False, True]),
        complex64=torch.tensor([1 + 2j, 3 - 1j]),
        scalar=torch.tensor(7, dtype=torch.int64),
        empty=torch.zeros(0, 3),
        parameter=torch.nn.Parameter(base * 2),
    )


def as_numpy(tensor):
    tensor = tensor.detach()
    return (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy()


@FORMATS
def test_equals_torch_bit_for_bit(tmp_path, zip_format):
    state = sample_state()
    arrays = read_pth(save(state, tmp_path / "x.pth", zip_format))
    assert list(arrays) == list(state)
    for name, tensor in state.items():
        expected = as_numpy(tensor)
        assert arrays[name].dtype == expected.dtype, name
        assert arrays[name].shape == expected.shape, name
        assert arrays[name].tobytes() == np.ascontiguousarray(expected).tobytes(), name


def test_new_integer_types(tmp_path):
    state = {"u16": torch.arange(5).to(torch.uint16), "u32": torch.arange(5).to(torch.uint32)[1:]}
    arrays = read_pth(save(state, tmp_path / "x.pth"))
    np.testing.assert_array_equal(arrays["u16"], np.arange(5, dtype=np.uint16))
    np.testing.assert_array_equal(arrays["u32"], np.arange(1, 5, dtype=np.uint32))


@FORMATS
@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_module_state_in_every_pickle_protocol(tmp_path, zip_format, protocol):
    module = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4))
    path = tmp_path / "x.pth"
    torch.save(module.state_dict(), path, pickle_protocol=protocol, _use_new_zipfile_serialization=zip_format)
    arrays = read_pth(path)
    assert list(arrays) == list(module.state_dict())
    for name, tensor in module.state_dict().items():
        np.testing.assert_array_equal(arrays[name], tensor.numpy())


@FORMATS
def test_nested_containers_are_flattened_and_other_values_left_out(tmp_path, zip_format):
    content = {
        "state_dict": {"conv.weight": torch.ones(2), "list": [torch.zeros(1), (torch.ones(1), 5)]},
        "optimizer": {"state": {0: {"exp_avg": torch.full((2,), 3.0)}}, "param_groups": [{"lr": 0.1}]},
        "epoch": 7,
        "name": "run",
        "none": None,
        "flag": True,
        "size": torch.Size([1, 2]),
    }
    arrays = read_pth(save(content, tmp_path / "x.pth", zip_format))
    assert {name: array.tolist() for name, array in arrays.items()} == {
        "state_dict.conv.weight": [1, 1],
        "state_dict.list.0": [0],
        "state_dict.list.1.0": [1],
        "optimizer.state.0.exp_avg": [3, 3],
    }


def test_storage_views_and_python_2_dictionaries_of_old_files(tmp_path):
    """Written by hand as PyTorch 0.3 on Python 2 wrote it."""
    path = tmp_path / "old.pth"
    storage = np.arange(10, dtype="<f4")
    content = (
        b"\x80\x02ccollections\nOrderedDict\n]]U\x01aa"  # [["a"
        b"ctorch._utils\n_rebuild_tensor\n"
        b"((U\x07storagectorch\nFloatStorage\nU\x01kU\x03cpuK\x0a(U\x01vK\x02K\x06ttQ"  # elements 2 to 7
        b"K\x01(K\x02K\x02t(K\x02K\x01ttRaa\x85R."
    )
    with path.open("wb") as file:
        for value in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}):
            pickle.dump(value, file, protocol=2)
        file.write(content)
        pickle.dump(["k"], file, protocol=2)
        file.write(struct.pack("<q", 10) + storage.tobytes())
    np.testing.assert_array_equal(read_pth(path)["a"], [[3, 4], [5, 6]])
    written = path.read_bytes()
    path.write_bytes(written.replace(b"K\x02K\x06tt", b"K\x02K\x08tt"))
    np.testing.assert_array_equal(read_pth(path)["a"], [[3, 4], [5, 6]])
    path.write_bytes(written.replace(b"K\x02K\x06tt", b"K\x02K\x09tt"))
    with pytest.raises(CheckpointError, match="a view of a storage ends at 11 of 10 elements"):
        read_pth(path)


class Hostile:
    def __init__(self, function, *arguments):
        self.function, self.arguments = function, arguments

    def __reduce__(self):
        return self.function, self.arguments


@FORMATS
@pytest.mark.parametrize(
    "function, name",
    [(os.system, "system"), (eval, "eval"), (open, "open"), (getattr, "getattr"), (pickle.loads, "loads")],
)
def test_code_is_refused_by_name_and_not_run(tmp_path, zip_format, function, name):
    witness = tmp_path / "witness"
    path = save({"a": torch.ones(2), "b": Hostile(function, f"touch {witness}")}, tmp_path / "x.pth", zip_format)
    with pytest.raises(CheckpointError, match=name) as error:
        read_pth(path)
    assert str(path) in str(error.value)
    assert not witness.exists()


@FORMATS
def test_whole_module_is_refused(tmp_path, zip_format):
    path = save(torch.nn.Linear(2, 2), tmp_path / "x.pth", zip_format)
    with pytest.raises(CheckpointError, match=r"Linear|module"):
        read_pth(path)


def zip_checkpoint(path, content, records=(), compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("x/data.pkl", content)
        for key, data in dict(records).items():
            archive.writestr(f"x/data/{key}", data)
    return path


def tensor_pickle(count, offset, shape, strides, kind="FloatStorage"):
    """{"a": tensor} with any lie in it."""
    numbers = pickle.dumps((offset, shape, strides), protocol=2)[2:-1]
    storage = b"(X\x07\0\0\0storagectorch\n" + kind.encode() + b"\nX\x01\0\0\0kX\x03\0\0\0cpu"
    storage += pickle.dumps(count, protocol=2)[2:-1] + b"tQ"
    parts = pickle.dumps(offset, 2)[2:-1] + pickle.dumps(shape, 2)[2:-1] + pickle.dumps(strides, 2)[2:-1]
    assert numbers
    # memo indices of the three dumps may collide: none is read back
    return b"\x80\x02}X\x01\0\0\0actorch._utils\n_rebuild_tensor\n(" + storage + parts + b"tRs."


FLOATS = np.arange(6, dtype="<f4").tobytes()


def test_hand_made_tensor_is_read(tmp_path):
    path = zip_checkpoint(tmp_path / "x.pth", tensor_pickle(6, 1, (2, 2), (3, 1)), {"k": FLOATS})
    np.testing.assert_array_equal(read_pth(path)["a"], [[1, 2], [4, 5]])


@pytest.mark.parametrize(
    "lie",
    [
        dict(count=6, offset=3, shape=(2, 2), strides=(2, 1)),
        dict(count=6, offset=-1, shape=(2, 2), strides=(2, 1)),
        dict(count=6, offset=5, shape=(2,), strides=(-1,)),
        dict(count=6, offset=0, shape=(2, 2), strides=(2,)),
        dict(count=7, offset=0, shape=(7,), strides=(1,)),
        dict(count=2**62, offset=0, shape=(2**62,), strides=(1,)),
        dict(count=6, offset=0, shape=(2**40,), strides=(0,)),
        dict(count=6, offset=0, shape=(2**31, 2**31, 2**31), strides=(0, 0, 0)),
        dict(count=6, offset=2**62, shape=(2,), strides=(1,)),
        dict(count=6, offset=0, shape=(1,) * 40, strides=(1,) * 40),
        dict(count=6, offset=0, shape=(6,), strides=(1,), kind="DoubleStorage"),
        dict(count=6, offset=0, shape=(6,), strides=(1,), kind="QInt8Storage"),
        dict(count=6, offset="x", shape=(6,), strides=(1,)),
    ],
)
def test_lies_about_sizes_are_refused(tmp_path, lie):
    path = zip_checkpoint(tmp_path / "x.pth", tensor_pickle(**lie), {"k": FLOATS})
    with pytest.raises(CheckpointError, match=r"x\.pth"):
        read_pth(path)


def nested_tuples(levels):
    return b"\x80\x02}X\x01\0\0\0a)" + b"2\x86" * levels + b"s."


@pytest.mark.parametrize(
    "content",
    [
        nested_tuples(60),  # 2^60 entries to walk
        b"\x80\x02}" + b")" + b"\x85" * 100_000 + b"K\x01s.",  # a deep key to hash
        b"\x80\x02}X\x01\0\0\0a" + b"]" * 100_000 + b"a" * 99_999 + b"s.",  # a deep value
        b"\x80\x02}q\x00X\x01\0\0\0ah\x00s.",  # a dictionary that holds itself
        b"\x80\x02}X\x01\0\0\0aK\x01r\xff\xff\xff\xffs.",  # a memo of 2^32 places
        b"\x80\x04\x96" + b"\xff" * 7 + b"\x7f.",  # a byte array of 2^63 bytes
        b"\x80\x04\x8d" + b"\xff" * 7 + b"\x7f.",  # a string of 2^63 bytes
        b"\x80\x02cos\nsystem\n.",
        b"\x80\x04\x8c\x02os\x8c\x06system\x93.",
        b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n}X\x0c\0\0\0__defaults__)sb.",  # sets an attribute
        b"\x80\x02c__builtin__\neval\n.",
        b"\x80\x02ctorch\nload\n.",
        b"(ios\nsystem\n.",
        b"\x80\x02\x82\x01.",
        b"\x80\x02K\x01Q.",
        b"\x80\x02s.",
        b"\x80\x02}h\x05s.",
        b"\x80\x02",
        b"",
    ],
)
def test_hostile_pickles_end_soon_and_cleanly(tmp_path, content):
    path = zip_checkpoint(tmp_path / "x.pth", content)
    try:
        assert read_pth(path) == {}
    except CheckpointError as error:
        assert "x.pth" in str(error)


def test_list_of_pairs_copied_many_times_is_refused(tmp_path):
    pairs = b"]q\x00(" + b"K\x01K\x02\x86" * 2000 + b"e0"
    copies = b"ccollections\nOrderedDict\nq\x01h\x00\x85R0" + b"h\x01h\x00\x85R0" * 5000
    with pytest.raises(CheckpointError, match="many times"):
        read_pth(zip_checkpoint(tmp_path / "x.pth", b"\x80\x02" + pairs + copies + b"}."))


def test_compressed_records_are_refused(tmp_path):
    content = tensor_pickle(2**22, 0, (2**22,), (1,))
    path = zip_checkpoint(tmp_path / "x.pth", content, {"k": bytes(2**24)}, zipfile.ZIP_DEFLATED)
    with pytest.raises(CheckpointError, match="compressed"):
        read_pth(path)


def test_names_that_collide_are_refused(tmp_path):
    path = save({"a.b": torch.ones(1), "a": {"b": torch.zeros(1)}}, tmp_path / "x.pth")
    with pytest.raises(CheckpointError, match=r"two tensors have the name 'a\.b'"):
        read_pth(path)


def test_files_of_other_kinds_are_refused(tmp_path):
    contents = {
        "text": b"hello, world",
        "empty": b"",
        "jpeg": b"\xff\xd8\xff\xe0" + bytes(50),
        "pickle": b"\x80\x02K\x01.",
    }
    buffer = io.BytesIO()
    np.savez(buffer, a=np.ones(3))
    contents["npz"] = buffer.getvalue()
    for name, content in contents.items():
        path = tmp_path / f"{name}.pth"
        path.write_bytes(content)
        with pytest.raises(CheckpointError, match=name):
            read_pth(path)
    with pytest.raises(CheckpointError, match="dictionary"):
        read_pth(save(torch.ones(2), tmp_path / "tensor.pth"))
    with pytest.raises(FileNotFoundError):
        read_pth(tmp_path / "missing.pth")


@FORMATS
def test_every_truncation_is_refused(tmp_path, zip_format):
    data = save(sample_state(), tmp_path / "x.pth", zip_format).read_bytes()
    path = tmp_path / "cut.pth"
    for length in np.linspace(0, len(data) - 1, 60).astype(int):
        path.write_bytes(data[:length])
        with pytest.raises(CheckpointError, match=r"cut\.pth"):
            read_pth(path)


@FORMATS
def test_mutations_are_read_or_refused(tmp_path, zip_format):
    state = {
        "a": torch.arange(12.0).reshape(3, 4),
        "b": {"c": torch.arange(5)},
        "d": torch.ones(2).bfloat16(),
    }
    data = save(state, tmp_path / "x.pth", zip_format).read_bytes()
    path = tmp_path / "mutated.pth"
    random = np.random.default_rng(0)
    outcomes = collections.Counter()
    for _ in range(500):
        mutated = bytearray(data)
        for position in random.integers(0, len(data), random.integers(1, 5)):
            action = random.integers(3)
            if action == 0:
                mutated[position] = random.integers(256)
            elif action == 1:
                del mutated[position : position + random.integers(1, 9)]
            else:
                mutated[position:position] = random.bytes(random.integers(1, 9))
        path.write_bytes(bytes(mutated))
        try:
            arrays = read_pth(path)
            assert all(isinstance(array, np.ndarray) and array.nbytes < 1000 for array in arrays.values())
            outcomes["read"] += 1
        except CheckpointError as error:
            assert "mutated.pth" in str(error)
            outcomes["refused"] += 1
    assert outcomes["refused"] > 100
