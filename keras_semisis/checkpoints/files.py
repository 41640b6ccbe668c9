"""Files of named arrays: NumPy's, safetensors, PyTorch's."""

import math
import os
import tokenize
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import safetensors
import safetensors.numpy

from keras_semisis.checkpoints.checkpoint_error import CheckpointError
from keras_semisis.checkpoints.pth import DAMAGE, read_pth

PYTORCH = (".pth", ".pt", ".bin", ".tar")
_NPY_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
# Characters; that of an array of numbers has some hundred
_MAX_HEADER = 4096
# Bytes of all arrays for a byte of the file, and bytes that are free: zeros compress by a thousand, weights hardly at all
_MAX_EXPANSION = 64
_EXPANSION_FREE = 2**28


def read_weights(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """The arrays of a ``.npz``, ``.safetensors`` or PyTorch file, by name.

    Nothing in a file is executed, and none makes the reader allocate far more than the file has. Text is left out; bfloat16
    becomes float32 without loss; arrays can be read-only.

    Raises:
        CheckpointError: If the file is damaged, asks for more than arrays, or is of another kind.
        OSError: If the file cannot be opened.
    """
    path = Path(path)
    if path.suffix in PYTORCH:
        return read_pth(path)
    if path.suffix == ".npz":
        return _read_npz(path)
    if path.suffix == ".safetensors":
        return _read_safetensors(path)
    raise CheckpointError(f"{path}: expected a file that ends in .npz, .safetensors or {', '.join(PYTORCH)}.")


def _read_npz(path):
    with path.open("rb") as file:
        try:
            with zipfile.ZipFile(file) as archive:
                return dict(_npz_arrays(archive, path))
        except CheckpointError:
            raise
        # numpy parses an array's header by Python's own parser
        except (*DAMAGE, SyntaxError, TypeError, AttributeError, tokenize.TokenError) as error:
            raise CheckpointError(f"{path}: not a readable .npz archive ({type(error).__name__}: {error}).") from error


def _npz_arrays(archive: zipfile.ZipFile, path: Path) -> Iterator[tuple[str, np.ndarray]]:
    """`numpy.load` believes the size that an array claims and allocates it; here it is compared with the bytes there are."""
    size = path.stat().st_size
    left = _MAX_EXPANSION * size + _EXPANSION_FREE
    names = set()
    for entry in archive.infolist():
        name = entry.filename.removesuffix(".npy")
        if name in names:
            raise CheckpointError(f"{path}: two arrays have the name {name!r}.")
        names.add(name)
        left -= entry.file_size
        if left < 0:
            raise CheckpointError(f"{path}: {name!r} and what is before it claim many times the {size} bytes of the file.")
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise CheckpointError(f"{path}: {name!r} is compressed in a way that numpy.savez never uses.")
        with archive.open(entry) as member:
            array = _npz_array(member, entry.file_size, f"{path}: {name!r}")
        if array is not None:
            yield name, array


def _npz_array(member, size, what):
    """One array; None where it is text, which is no weight."""
    version = np.lib.format.read_magic(member)
    if version not in _NPY_HEADERS:
        raise CheckpointError(f"{what} is of version {version} of NumPy's format; expected one of {list(_NPY_HEADERS)}.")
    shape, columns_first, dtype = _NPY_HEADERS[version](member, max_header_size=_MAX_HEADER)
    if dtype.kind not in "biufcSU":
        raise CheckpointError(f"{what} is of type {dtype}; expected numbers.")
    left = size - member.tell()
    if min(shape, default=0) < 0 or math.prod(shape) * dtype.itemsize != left:
        raise CheckpointError(
            f"{what} claims the shape {shape} of {dtype} and has {left} bytes. The file is damaged: copy or download it again."
        )
    data = member.read(left)
    if dtype.kind in "SU":
        return None
    return np.ndarray(shape, dtype, data, order="F" if columns_first else "C")


def _read_safetensors(path):
    with path.open("rb"):  # an OSError for a file that cannot be opened
        pass
    try:
        arrays = safetensors.numpy.load_file(path)
    # an AttributeError for a type that NumPy has not
    except (safetensors.SafetensorError, *DAMAGE, TypeError, AttributeError) as error:
        raise CheckpointError(f"{path}: not a readable .safetensors file ({type(error).__name__}: {error}).") from error
    return {name: array.astype("float32") if array.dtype.name == "bfloat16" else array for name, array in arrays.items()}


def write_weights(path: str | os.PathLike, arrays: Mapping[str, np.ndarray]) -> None:
    """Writes arrays by name, in the form that the name's end asks for.

    Raises:
        ValueError: If the end is neither ``.npz`` nor ``.safetensors``.
    """
    path = Path(path)
    if path.suffix == ".npz":
        np.savez(path, **arrays)  # type: ignore[arg-type]  # NumPy's own keyword is a bool
    elif path.suffix == ".safetensors":
        safetensors.numpy.save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, path)
    else:
        raise ValueError(
            f"{path}: expected a name that ends in .npz or .safetensors, which PyTorch reads with safetensors.torch.load_file."
        )
