"""Weight files that were changed at random or on purpose: refused or read, never run, and without large allocations."""

import base64
import collections
import io
import itertools
import json
import os
import pickle
import pickletools
import re
import shlex
import struct
import tracemalloc
import warnings
import zipfile
import zlib

import numpy as np
import pytest
import safetensors.numpy

from keras_semisis.checkpoints import CheckpointError, restricted_pickle
from keras_semisis.checkpoints.files import read_weights

# torch.save({"a": 3×4 floats, "b": {"c": int64}, "d": bfloat16, "epoch": 7, "t": a transposed}), the older format
PTH = zlib.decompress(
    base64.b64decode(
        "eNptksuO0zAUhh0nmULoDOXOcC33wKJK2sAMqzIIzcYwQNlkg6JOYk2CorgncUYCqVI2rYBnYMGSx+BR2PIISCw4TjqDKtXKbyfO8f8dH7uiX63077fd"
        "P90PP95s9ir66reO/RSI7XcIIZNcSBGKNDjkeZGIDDQM8NfxT5pImfKAZ1EyzoB+9i2clB8nPCiST7wAfQqG7Zs4WcQil2Ay6uv4lWQS1pjhG8pDZAfQ"
        "YkZZIjNETMpDiZTCep1HPOfRiySUFpCHI9BsX8MVY6ChFHkY94JSJmlhBTnfL5M0CiTPCpEHh30LdNv2WwqMkeMDDkazxNpNxVi+ayYtMP0NjHnqua7r"
        "uVtev/+4vw1rdY7hpMS02nsSTrxlhOnMmMNJZjBtDtaXWKVzSkJ7BOt1TvuwMYXT9WsInRjp8RHxJW7wGHjmP3AwcAdbnrPtwNm4xUwEnVMgcwbnmTaD"
        "Cw3kooRLI7hc1NYRbC5ZP6934z45tr+ybD/wPMeBq2hP0f6asqczuK7sbzT2NyV0R3CrPiM+EWEMt1mrZkm407DilUW6GzfFuadMDabP4T7TVI0eNMa2"
        "BOwfqUN9ry7Siry0VbWgq2A671HStGpYDU2y3LTFeBSjL0ZjMbaXoqshds/wQVWo76ifqF8oskNIB9VFOTv/ALq2uSI="
    )
)
READ = {"a": 12, "b.c": 5, "d": 2, "t": 12}
# bytes that a reader may hold for a file of about a thousand
LITTLE = 2**22
MUTATIONS = 250


def end_of_pickles(data):
    """Positions behind the pickles at the beginning of a stream."""
    stream, ends = io.BytesIO(data), []
    for _ in range(5):
        for _ in pickletools.genops(stream):
            pass
        ends.append(stream.tell())
    return ends


_ENDS = end_of_pickles(PTH)
HEAD, CONTENT, TAIL = PTH[: _ENDS[2]], PTH[_ENDS[2] : _ENDS[3]], PTH[_ENDS[3] :]


def storages():
    """Bytes of each storage by its key."""
    keys, records, position = pickle.loads(PTH[_ENDS[3] : _ENDS[4]]), {}, _ENDS[4]
    sizes = {12: 4, 5: 8, 2: 2}
    for key in keys:
        (count,) = struct.unpack_from("<q", PTH, position)
        length = count * sizes[count]
        records[key] = PTH[position + 8 : position + 8 + length]
        position += 8 + length
    assert position == len(PTH)
    return records


def zipped(members, compression=zipfile.ZIP_STORED):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return buffer.getvalue()


def zip_pth(content=CONTENT):
    return zipped(
        [("x/data.pkl", content), ("x/byteorder", b"little"), *((f"x/data/{key}", data) for key, data in storages().items())]
    )


def legacy_pth(content=CONTENT):
    return HEAD + content + TAIL


def npy(header, data=b"", version=1):
    header = header.encode() if isinstance(header, str) else header
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H" if version == 1 else "<I", len(header)) + header + data


def npy_header(descr="'<f4'", shape="(3, 4)", order="False"):
    return f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}"


def small_npz(compression=zipfile.ZIP_STORED):
    return zipped(
        [
            ("a.npy", npy(npy_header(), np.arange(12, dtype="<f4").tobytes())),
            ("b.npy", npy(npy_header("'<i8'", "(5,)", "True"), np.arange(5).tobytes())),
        ],
        compression,
    )


def small_safetensors():
    return safetensors.numpy.save({"a": np.arange(12, dtype="float32").reshape(3, 4), "b": np.arange(5)})


class Reader:
    """Reads hostile bytes and counts what became of them."""

    def __init__(self, folder):
        self.folder = folder
        self.canary = folder / "canary"
        self.outcomes = collections.Counter()

    def read(self, data, suffix):
        """The arrays; None where the file was refused."""
        path = self.folder / f"hostile{suffix}"
        path.write_bytes(data)
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        try:
            with warnings.catch_warnings():
                # numpy's, about headers that Python 2 wrote
                warnings.simplefilter("ignore")
                arrays = read_weights(path)
        except CheckpointError as error:
            assert path.name in str(error)
            arrays = None
        assert tracemalloc.get_traced_memory()[1] - before < LITTLE
        assert not self.canary.exists(), "the file was executed"
        self.outcomes["refused" if arrays is None else "read"] += 1
        for array in (arrays or {}).values():
            assert array.dtype.kind in "biufc" and array.nbytes < LITTLE
            array.tobytes()
        return arrays

    @property
    def payloads(self):
        """Pickles that make the canary when they are run, without their STOP."""
        command, path = f"touch {shlex.quote(str(self.canary))}".encode(), str(self.canary).encode()

        def text(value):
            return b"X" + struct.pack("<I", len(value)) + value

        opened = text(path) + text(b"w") + b"\x86R"
        return [
            b"cos\nsystem\n" + text(command) + b"\x85R",
            b"cposix\nsystem\n(" + text(command) + b"tR",
            text(b"os") + text(b"system") + b"\x93" + text(command) + b"\x85R",
            b"(" + text(command) + b"ios\nsystem\n",
            b"(cos\nsystem\n" + text(command) + b"o",
            b"cbuiltins\nopen\n" + opened,
            b"cio\nopen\n" + opened,
            b"cpathlib\nPath\n" + text(path) + b"\x85\x81" + b"0cbuiltins\nopen\n" + opened,
            b"cbuiltins\neval\n" + text(f"open({str(self.canary)!r}, 'w')".encode()) + b"\x85R",
        ]


@pytest.fixture
def reader(tmp_path):
    tracemalloc.start()
    try:
        yield Reader(tmp_path)
    finally:
        tracemalloc.stop()


def mutated(data, random):
    """A few changes of any bytes."""
    data = bytearray(data)
    for _ in range(random.geometric(0.6)):
        position, other = (int(i) for i in random.integers(0, max(len(data), 1), 2))
        length = int(random.integers(1, 65))
        match random.integers(9):
            case 0:
                data[position : position + 1] = random.bytes(1)
            case 1:
                data[position : position + 1] = bytes([data[position] ^ 1 << random.integers(8)] if data else b"")
            case 2:
                del data[position:]
            case 3:
                del data[position : position + length]
            case 4:
                data[position:position] = random.bytes(length)
            case 5:
                low, high = sorted((position, other))
                data[low:] = (
                    data[high : high + length] + data[low + length : high] + data[low : low + length] + data[high + length :]
                )
            case 6:
                data[position:position] = data[other : other + length]
            case 7:
                extreme = [b"\xff" * 4, b"\xff" * 8, b"\xff\xff\xff\x7f", b"\xff" * 7 + b"\x7f", bytes(8)]
                value = extreme[random.integers(len(extreme))]
                data[position : position + len(value)] = value
            case 8:
                data[position:position] = bytes([data[position]] if data else b"") * int(random.integers(1, 2000))
    return bytes(data)


def mutated_pickle(content, random, payloads):
    """A few changes at the boundaries of its operations."""
    operations = [position for _, _, position in pickletools.genops(content)]
    bounds = [*operations, len(content)]
    parts = [content[a:b] for a, b in itertools.pairwise(bounds)]
    opcodes = [opcode.code.encode("latin-1") for opcode in pickletools.opcodes]
    for _ in range(random.geometric(0.6)):
        i, j = (int(k) for k in random.integers(0, len(parts), 2))
        match random.integers(7):
            case 0:
                parts[i] = opcodes[random.integers(len(opcodes))] + parts[i][1:]
            case 1:
                parts.insert(i, opcodes[random.integers(len(opcodes))] + random.bytes(random.integers(9)))
            case 2:
                parts[i], parts[j] = parts[j], parts[i]
            case 3:
                del parts[i]
            case 4:
                parts.insert(i, payloads[random.integers(len(payloads))])
            case 5:
                parts[i] = parts[i][:1] + b"\xff" * (len(parts[i]) - 1)
            case 6:
                parts.insert(i, parts[j])
    return b"".join(parts)


def test_the_small_files_are_read(reader):
    for data in (zip_pth(), legacy_pth()):
        assert {name: array.size for name, array in reader.read(data, ".pth").items()} == READ
    for data, suffix in (
        (small_npz(), ".npz"),
        (small_npz(zipfile.ZIP_DEFLATED), ".npz"),
        (small_safetensors(), ".safetensors"),
    ):
        arrays = reader.read(data, suffix)
        np.testing.assert_array_equal(arrays["a"], np.arange(12).reshape(3, 4))
        np.testing.assert_array_equal(arrays["b"], np.arange(5))


@pytest.mark.skipif(os.name != "posix", reason="the payloads are for POSIX")
def test_payloads_run_in_an_ordinary_unpickler_and_not_here(reader):
    for payload in reader.payloads:
        opened = pickle.loads(b"\x80\x04" + payload + b".")
        if hasattr(opened, "close"):
            opened.close()
        assert reader.canary.exists(), payload
        reader.canary.unlink()
        content = CONTENT[:2] + payload + b"0" + CONTENT[2:]
        for data in (zip_pth(content), legacy_pth(content)):
            assert reader.read(data, ".pth") is None


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("form", [zip_pth, legacy_pth], ids=["zip", "legacy"])
def test_mutated_pth(reader, form, seed):
    random = np.random.default_rng(seed)
    for _ in range(MUTATIONS):
        if seed:
            data = form(mutated_pickle(CONTENT, random, reader.payloads))
        else:
            # a zip archive of correct checksums, so that the changes get as far as the pickle
            data = form(mutated(CONTENT, random)) if random.integers(2) else mutated(form(), random)
        reader.read(data, ".pth")
    assert reader.outcomes["refused"] > MUTATIONS // 2 and reader.outcomes["read"] > 0


@pytest.mark.parametrize("part", ["archive", "directory", "members", "headers"])
def test_mutated_npz(reader, part):
    random = np.random.default_rng(2)
    numbers = [
        "-1",
        "0",
        "1",
        "3",
        "4",
        "12",
        "12",
        "2**60",
        "99999999999",
        "18446744073709551616",
        "True",
        "1.5",
        "None",
        "'4'",
        "4L",
        "(4,)",
    ]
    types = [
        "'<i4'",
        "'|O'",
        "'<U0'",
        "'|V0'",
        "'<f8'",
        "'>f4'",
        "'<f2'",
        "'|S4'",
        "'<c16'",
        "'<M8[s]'",
        "[('x', '<f4')]",
        "('<f4', (2**9,))",
        "('<f4', (99999999,))",
        "'<U2147483647'",
        "object",
        "'f4' * 9",
        "'<q4'",
    ]
    for i in range(MUTATIONS):
        compression = zipfile.ZIP_DEFLATED if i % 2 else zipfile.ZIP_STORED
        data = small_npz(compression)
        values = np.arange(12, dtype="<f4").tobytes()
        if part == "archive":
            data = mutated(data, random)
        elif part == "directory":
            start = data.index(b"PK\x01\x02")
            data = data[:start] + mutated(data[start:], random)
        elif part == "members":
            data = zipped([("a.npy", mutated(npy(npy_header(), values), random))], compression)
        else:
            shape = ", ".join(numbers[k] for k in random.integers(0, len(numbers), random.geometric(0.5)))
            descr = types[random.integers(len(types))] if random.integers(2) else "'<f4'"
            header = npy_header(descr, f"({shape},)", ["False", "True", "2"][random.choice(3, p=[0.6, 0.3, 0.1])])
            data = zipped([("a.npy", npy(header, values, 1 + random.binomial(2, 0.1)))], compression)
        reader.read(data, ".npz")
    assert reader.outcomes["refused"] > MUTATIONS // 2 and reader.outcomes["read"] > 0


@pytest.mark.parametrize("part", ["file", "header"])
def test_mutated_safetensors(reader, part):
    random = np.random.default_rng(3)
    data = small_safetensors()
    (length,) = struct.unpack_from("<Q", data)
    header, values = data[8 : 8 + length].decode(), data[8 + length :]
    replacements = ["-1", "0", "1", "4", "48", "1152921504606846976", "18446744073709551616", "1e3", "null", "[]", '"x"', "[[["]
    types = ["I32", "U32", "F64", "BF16", "F8_E4M3", "F4", "BOOL", "C64", "U64", "I8", "X"]
    for _ in range(2 * MUTATIONS):
        changed = header
        if part == "header":
            for _ in range(random.geometric(0.7) - 1):
                numbers = list(re.finditer(r"\d+", changed))
                at = numbers[random.integers(len(numbers))]
                changed = changed[: at.start()] + replacements[random.integers(len(replacements))] + changed[at.end() :]
            if random.integers(2):
                changed = changed.replace("F32", types[random.integers(len(types))])
            hostile = struct.pack("<Q", len(changed)) + changed.encode() + values
        else:
            hostile = mutated(data, random)
        reader.read(hostile, ".safetensors")
    assert reader.outcomes["refused"] > MUTATIONS and reader.outcomes["read"] > 0


def test_a_name_that_is_an_endless_container_is_refused(reader):
    """Sixty levels that hold one another twice: its text would have 2^60 characters."""
    content = b"\x80\x04)" + b"2\x86" * 60 + b"\x8c\x01x\x93."
    for data in (zip_pth(content), legacy_pth(content)):
        assert reader.read(data, ".pth") is None


def test_keys_are_kept_as_text():
    """Multiples of 2^61 - 1 share their hash: a file of nothing else would take comparisons by the square of its length."""
    number = 3 * (2**61 - 1)
    machine = restricted_pickle.Machine("x")
    assert machine.run(io.BytesIO(b"\x80\x02}(\x8a\x08" + number.to_bytes(8, "little") + b"K\x00up%d\n." % number)) == {
        str(number): 0
    }
    assert set(machine.memo) == {str(number)}


def test_two_values_of_one_name_are_refused(reader):
    content = b"\x80\x02}(K\x00K\x01X\x01\0\0\x000K\x02u."
    assert reader.read(zip_pth(content), ".pth") is None


@pytest.mark.parametrize(
    "opcode, length",
    [
        (b"B", struct.pack("<I", 2**31)),
        (b"X", struct.pack("<I", 2**31)),
        (b"\x8e", struct.pack("<Q", 2**31)),
        (b"\x8d", struct.pack("<Q", 2**31)),
        (b"\x8b", struct.pack("<i", 2**31 - 1)),
        (b"T", struct.pack("<i", 2**31 - 1)),
    ],
)
def test_lengths_beyond_the_file_are_not_allocated(reader, opcode, length):
    content = b"\x80\x04}X\x01\0\0\0a" + opcode + length + b"x" * 9 + b"s."
    for data in (zip_pth(content), legacy_pth(content)):
        assert reader.read(data, ".pth") is None


@pytest.mark.parametrize(
    "shape",
    [
        "(1073741824,)",
        "(1152921504606846976,)",
        "(4294967296, 4294967296)",
        "(0, 4611686018427387904)",
        "(1073741824, 0, 1073741824)",
    ],
)
@pytest.mark.parametrize("descr", ["'<f4'", "'|V0'", "'<U0'", "('<f4', (1000000000,))"])
def test_npz_bombs_are_refused_or_nothing(reader, shape, descr):
    """A header that claims much more than there is, and arrays of elements without bytes."""
    arrays = reader.read(zipped([("a.npy", npy(npy_header(descr, shape), bytes(16)))]), ".npz")
    assert arrays is None or arrays == {}
    assert arrays is None or descr == "'<U0'"


def test_archives_that_claim_many_times_the_file_are_refused(reader, monkeypatch):
    zeros = npy(npy_header(shape="(65536,)"), bytes(4 * 65536))
    data = zipped([("a.npy", zeros), ("b.npy", zeros)], zipfile.ZIP_DEFLATED)
    assert set(reader.read(data, ".npz")) == {"a", "b"}
    monkeypatch.setattr("keras_semisis.checkpoints.files._EXPANSION_FREE", 2**17)
    assert reader.read(data, ".npz") is None
    assert reader.read(zipped([("a.npy", zeros)], zipfile.ZIP_LZMA), ".npz") is None


def test_members_that_are_no_arrays_of_numbers(reader):
    objects = npy(npy_header("'|O'", "(1,)"), b"\x80\x04" + reader.payloads[0] + b".")
    for member in (
        objects,
        b"hi",
        b"",
        npy("(" * 4000),
        npy("-" * 4000 + "1"),
        npy("{" * 9000),
        npy(npy_header(), version=3),
        npy(npy_header("'<V2'", "(2,)"), bytes(4)),
    ):
        assert reader.read(zipped([("a.npy", member)]), ".npz") is None
    one = npy(npy_header(shape="()"), bytes(4))
    assert reader.read(zipped([("a.npy", one), ("a", one)]), ".npz") is None
    # text beside the weights is left out, as it is from PyTorch's files
    text = npy(npy_header("'<U2'", "()"), "hi".encode("utf-32-le"))
    assert list(reader.read(zipped([("meta.npy", text), ("a.npy", one)]), ".npz")) == ["a"]


def test_safetensors_of_other_types(reader):
    def one(dtype, data):
        header = json.dumps({"a": {"dtype": dtype, "shape": [2], "data_offsets": [0, len(data)]}}).encode()
        return struct.pack("<Q", len(header)) + header + data

    arrays = reader.read(one("BF16", b"\x80\x3f\x00\xc0"), ".safetensors")
    assert arrays["a"].dtype == "float32" and arrays["a"].tolist() == [1.0, -2.0]
    for dtype, data in (("F8_E4M3", bytes(2)), ("F4", bytes(1)), ("X", bytes(2))):
        assert reader.read(one(dtype, data), ".safetensors") is None
