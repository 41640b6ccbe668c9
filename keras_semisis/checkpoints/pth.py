"""PyTorch's `.pth` files, read without PyTorch and without executing anything from the file."""

import io
import math
import os
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from keras_semisis.checkpoints import restricted_pickle
from keras_semisis.checkpoints.checkpoint_error import CheckpointError
from keras_semisis.checkpoints.restricted_pickle import UNTYPED, Tensor

_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
_LEGACY_PROTOCOL = 1001
_ZIP_MAGIC = b"PK\x03\x04"
_MAX_DEPTH = 32
# Characters of all names, and 32 for each entry
_MAX_NAME_COST = 2**26

# What a reader of damaged bytes raises on its way; each becomes a CheckpointError.
DAMAGE = (
    *(
        zipfile.BadZipFile,
        zlib.error,
        struct.error,
        EOFError,
        NotImplementedError,
        RuntimeError,
        UnicodeError,
    ),
    *(ValueError, KeyError, IndexError, OverflowError, MemoryError, OSError),
)


def read_pth(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """Reads the tensors of a PyTorch checkpoint.

    Both formats of `torch.save` are read: the zip archive (PyTorch 1.6 and later) and the older stream of
    pickles. PyTorch is not needed. Nothing in the file is called or imported: a file that asks for anything
    but tensors in dictionaries, lists and tuples is refused with the name of what it asked for.

    Args:
        path: A `.pth`, `.pt` or `.bin` file that holds a dictionary.

    Returns:
        Array of each tensor, by name, in the file's order. Nested dictionaries and lists are flattened, their
        keys joined by dots: `{"state_dict": {"conv.weight": t}}` gives `"state_dict.conv.weight"`. What is no
        tensor (step counters, option values) is left out. Types are the file's, but for bfloat16, which
        becomes float32 without loss. Arrays can be read-only and can share memory where the file's tensors
        do.

    Raises:
        CheckpointError: the file is damaged, refused, or no such checkpoint.
        OSError: the file cannot be opened.

    Example:

    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "broken.pth"
    >>> _ = path.write_bytes(b"PK not a checkpoint")
    >>> read_pth(path)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    keras_semisis.checkpoints.checkpoint_error.CheckpointError: ...broken.pth: ...
    """
    path = Path(path)
    with path.open("rb") as file:
        try:
            magic = file.read(len(_ZIP_MAGIC))
            file.seek(0)
            reader = _ZipFile if magic == _ZIP_MAGIC else _LegacyFile
            return _read_tensors(reader(file, path))
        except CheckpointError:
            raise
        except DAMAGE as error:
            raise CheckpointError(
                f"{path}: the file cannot be read as a PyTorch checkpoint ({type(error).__name__}: {error}). "
                "It may be damaged or cut off: copy or download it again and compare its size."
            ) from error


class _ZipFile:
    """The zip format: `<name>/data.pkl` describes, each `<name>/data/<key>` is one storage, uncompressed."""

    def __init__(self, file: io.BufferedReader, path: Path):
        self.path = path
        self.size = path.stat().st_size
        self.archive = zipfile.ZipFile(file)
        roots = [name[: -len("data.pkl")] for name in self.archive.namelist() if name.endswith("/data.pkl")]
        if len(roots) != 1:
            raise CheckpointError(
                f"{path}: a zip file with {len(roots)} entries named <name>/data.pkl, where a PyTorch checkpoint has one"
            )
        self.root = roots[0]
        self.bytes_read = 0
        self.check_byte_order()
        self.content = restricted_pickle.load(io.BytesIO(self.record("data.pkl")), str(path))

    def check_byte_order(self) -> None:
        if self.root + "byteorder" in self.archive.namelist():
            order = self.record("byteorder")
            if order != b"little":
                raise CheckpointError(f"{self.path}: byte order {order[:16]!r}; only little-endian files are read")

    def record(self, name: str) -> bytes:
        try:
            entry = self.archive.getinfo(self.root + name)
        except KeyError:
            raise CheckpointError(f"{self.path}: the entry {self.root + name} is missing from the archive") from None
        # A compressed entry can claim a thousand times the file's bytes; PyTorch writes none.
        if entry.compress_type != zipfile.ZIP_STORED or entry.file_size != entry.compress_size:
            raise CheckpointError(f"{self.path}: the entry {entry.filename} is compressed; PyTorch stores it as it is")
        self.bytes_read += entry.file_size
        if self.bytes_read > self.size:
            raise CheckpointError(f"{self.path}: the archive's entries claim more than the {self.size} bytes of the file")
        return self.archive.read(entry)

    def storage(self, key: str) -> bytes:
        return self.record(f"data/{key}")


class PickleStream:
    """A file for pickles: it never asks for more bytes than are left, because they would be allocated at once."""

    def __init__(self, file: io.BufferedReader, size: int):
        self.file = file
        self.size = size
        self.readline = file.readline

    def read(self, count: int) -> bytes:
        return self.file.read(count if count < 2**16 else min(count, self.size - self.file.tell()))


class _LegacyFile:
    """The older format: pickles of magic number, version, system, content and storage keys, then storages."""

    def __init__(self, file: io.BufferedReader, path: Path):
        self.file = file
        self.path = path
        self.size = path.stat().st_size
        self.stream = PickleStream(file, self.size)
        self.check_head()
        self.content = restricted_pickle.load(self.stream, str(path))
        self.keys = restricted_pickle.load(self.stream, str(path))
        if not isinstance(self.keys, list) or not all(isinstance(key, (str, int)) for key in self.keys):
            raise CheckpointError(f"{path}: the file is damaged: its list of storages is {type(self.keys).__name__}")
        self.position = file.tell()
        self.records: dict[str, bytes] | None = None

    def check_head(self) -> None:
        not_pytorch = CheckpointError(
            f"{self.path}: neither a zip archive nor a PyTorch stream. Checkpoints written before PyTorch "
            "0.1.10 (tar archives) are not read; .safetensors and .npz files have their own readers."
        )
        if self.file.read(1) != b"\x80":
            raise not_pytorch
        self.file.seek(0)
        if restricted_pickle.load(self.stream, str(self.path)) != _LEGACY_MAGIC:
            raise not_pytorch
        version = restricted_pickle.load(self.stream, str(self.path))
        if version != _LEGACY_PROTOCOL:
            raise CheckpointError(f"{self.path}: an unknown format version; known is {_LEGACY_PROTOCOL}")
        system = restricted_pickle.load(self.stream, str(self.path))
        if not isinstance(system, dict) or not system.get("little_endian", False):
            raise CheckpointError(f"{self.path}: not written on a little-endian machine; only such files are read")

    def storage(self, key: str) -> bytes:
        if self.records is None:
            self.records = self.read_records()
        if key not in self.records:
            raise CheckpointError(f"{self.path}: the storage {key!r} is missing from the file")
        return self.records[key]

    def read_records(self) -> dict[str, bytes]:
        tensors = named_leaves(self.content, Tensor, str(self.path))
        itemsizes = {tensor.storage.key: _itemsize(tensor.storage.dtype) for _, tensor in tensors}
        self.file.seek(self.position)
        records = {}
        for key in map(str, self.keys):
            if key not in itemsizes:
                raise CheckpointError(f"{self.path}: no tensor uses the storage {key!r}, so that its length is unknown")
            (count,) = struct.unpack("<q", self.file.read(8))
            length = count * itemsizes[key]
            if not 0 <= length <= self.size - self.file.tell():
                raise CheckpointError(
                    f"{self.path}: the storage {key!r} claims {length} bytes, the file has "
                    f"{self.size - self.file.tell()} left. It is damaged or cut off: copy or download it "
                    "again."
                )
            records[key] = self.file.read(length)
        return records


def _read_tensors(file: _ZipFile | _LegacyFile) -> dict[str, np.ndarray]:
    if not isinstance(file.content, dict):
        raise CheckpointError(
            f"{file.path}: the file holds a {type(file.content).__name__.lower()}, where a dictionary of "
            "tensors was expected. Save the module's state_dict()."
        )
    # A strided view can claim more elements than its storage has. Real ones (a broadcast tensor) are small.
    budget = 4 * file.size + 2**20
    storages: dict[str, bytes] = {}
    arrays: dict[str, np.ndarray] = {}
    for name, tensor in named_leaves(file.content, Tensor, str(file.path)):
        if name in arrays:
            raise CheckpointError(f"{file.path}: two tensors have the name {name!r} once dictionaries are flattened")
        key = tensor.storage.key
        if key not in storages:
            storages[key] = file.storage(key)
        view = _view(storages[key], tensor, name, str(file.path))
        if not view.flags.c_contiguous or tensor.dtype in ("bfloat16", "bool"):
            budget -= 4 * view.size + view.nbytes
            if budget < 0:
                raise CheckpointError(
                    f"{file.path}: the tensors claim many times the {file.size} bytes of the file (at {name!r})"
                )
        arrays[name] = _convert(view, tensor.dtype)
    return arrays


def named_leaves(content: Any, kind: type, source: str) -> Iterator[tuple[str, Any]]:
    """The tensors, or others of one kind, in nested containers, in order, with their dotted names."""
    # Containers that hold one another twice, level after level, would take for ever to walk, and long keys
    # repeated for every entry would fill the memory; real files stay far below.
    left = _MAX_NAME_COST
    todo: list[tuple[str, Any, int]] = [("", content, 0)]
    while todo:
        name, value, depth = todo.pop()
        if isinstance(value, kind):
            yield name, value
        if not isinstance(value, (dict, list, tuple)):
            continue
        if depth > _MAX_DEPTH:
            raise CheckpointError(f"{source}: containers nest deeper than {_MAX_DEPTH} levels at {name[:80]!r}")
        children = []
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            child = f"{name}.{key}" if name else str(key)
            left -= 32 + len(child)
            if left < 0:
                raise CheckpointError(f"{source}: the file nests too many entries, or names that are too long")
            children.append((child, item, depth + 1))
        todo.extend(reversed(children))


def _itemsize(dtype: str) -> int:
    if dtype == UNTYPED:
        return 1
    return 2 if dtype == "bfloat16" else np.dtype(dtype).itemsize


def _view(data: bytes, tensor: Tensor, name: str, source: str) -> np.ndarray:
    """The tensor as a read-only view of its storage's bytes, bounds checked."""
    storage = tensor.storage
    available = _available_elements(data, tensor, name, source)
    last = tensor.offset + sum((size - 1) * stride for size, stride in zip(tensor.shape, tensor.strides, strict=True))
    count = math.prod(tensor.shape)
    if count and last >= available:
        raise CheckpointError(
            f"{source}: the tensor {name!r} of shape {tensor.shape} reaches element {last} of a storage of "
            f"{available}. The file is damaged: copy or download it again."
        )
    stored = "uint16" if tensor.dtype == "bfloat16" else "uint8" if tensor.dtype == "bool" else tensor.dtype
    dtype = np.dtype(stored).newbyteorder("<")
    if not count:
        return np.zeros(tensor.shape, dtype)
    flat = np.frombuffer(data, dtype, count=available, offset=storage.start * _itemsize(storage.dtype))
    strides = [stride * dtype.itemsize for stride in tensor.strides]
    return np.lib.stride_tricks.as_strided(flat[tensor.offset :], tensor.shape, strides, writeable=False)


def _available_elements(data: bytes, tensor: Tensor, name: str, source: str) -> int:
    storage = tensor.storage
    end = (storage.start + storage.count) * _itemsize(storage.dtype)
    if end > len(data):
        raise CheckpointError(
            f"{source}: the storage of {name!r} should have {end} bytes and has {len(data)}. "
            "The file is damaged or cut off: copy or download it again."
        )
    return storage.count * _itemsize(storage.dtype) // _itemsize(tensor.dtype)


def _convert(view: np.ndarray, dtype: str) -> np.ndarray:
    if dtype == "bfloat16":
        return (view.astype(np.uint32) << 16).view(np.float32)
    if dtype == "bool":
        return view != 0
    return np.ascontiguousarray(view).reshape(view.shape)
