"""Pickles of NumPy arrays in dictionaries, as Flax's programs write their weights, read without executing anything."""

import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from keras_semisis.checkpoints.checkpoint_error import CheckpointError
from keras_semisis.checkpoints.pth import DAMAGE, PickleStream, named_leaves
from keras_semisis.checkpoints.restricted_pickle import Global, Machine

_RECONSTRUCT = ("numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct")
_ALLOWED = {*_RECONSTRUCT, "numpy.ndarray", "numpy.dtype"}
_DTYPES = {"f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"}


def read_pickled_arrays(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """The arrays of a pickle that holds nothing but NumPy arrays in dictionaries, lists and tuples.

    Nothing in the file is called or imported: one that asks for anything else is refused with the name of what it asked for.

    Args:
        path: The file.

    Returns:
        Read-only array by name, in the file's order; keys of nested dictionaries are joined by dots.

    Raises:
        CheckpointError: If the file is damaged, refused, or holds no dictionary.
        OSError: If it cannot be opened.

    Example:

    >>> import pathlib, pickle, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "weights.ckpt"
    >>> _ = path.write_bytes(pickle.dumps({"dense": {"bias": np.zeros(2, "float32")}}))
    >>> read_pickled_arrays(path)
    {'dense.bias': array([0., 0.], dtype=float32)}
    """
    path = Path(path)
    with path.open("rb") as file:
        try:
            content = _ArrayMachine(str(path)).run(PickleStream(file, path.stat().st_size))
            if not isinstance(content, dict):
                raise CheckpointError(
                    f"{path}: the file holds a {type(content).__name__.lower()}, where a dictionary of arrays was expected."
                )
            return {name: array.value(f"{path}: {name!r}") for name, array in named_leaves(content, _Array, str(path))}
        except CheckpointError:
            raise
        except DAMAGE as error:
            raise CheckpointError(
                f"{path}: the file cannot be read as a pickle ({type(error).__name__}: {error}). It may be "
                "damaged or cut off: install or copy it again."
            ) from error


@dataclass
class _DType:
    code: str
    order: str = "|"


class _Array:
    def __init__(self):
        self.state = None

    def value(self, what: str) -> np.ndarray:
        if self.state is None:
            raise CheckpointError(f"{what}: an array without content. The file is damaged: install or copy it again.")
        shape, dtype, columns_first, data = self.state
        return np.ndarray(shape, np.dtype(dtype.order + dtype.code), data, order="F" if columns_first else "C")


class _ArrayMachine(Machine):
    """The pickle machine, with NumPy's three names in place of PyTorch's."""

    kind = "arrays"

    def allows(self, name: str) -> bool:
        return name in _ALLOWED

    def call(self, name: str, arguments: tuple) -> Any:
        if name in _RECONSTRUCT and arguments == (Global("numpy.ndarray"), (0,), b"b"):
            return _Array()
        code = arguments[0] if arguments else None
        if name == "numpy.dtype" and isinstance(code, str) and code in _DTYPES and arguments[1:] == (False, True):
            return _DType(code)
        raise self.refuse(f"a call of {name!r} with other arguments than those of an array of numbers")

    def op_build(self) -> None:
        state = self.expect(self.pop(), tuple, "the state of an array")
        target = self.expect(self.top(), (_Array, _DType), "an array")
        if isinstance(target, _DType):
            if len(state) != 8 or state[1] not in ("<", "|") or state[2:5] != (None,) * 3:
                raise self.refuse("an array type that is none of numbers on a little-endian machine")
            target.order = state[1]
        else:
            target.state = self.array_state(state)

    def array_state(self, state: tuple) -> tuple:
        if len(state) != 5:
            raise self.damaged(f"an array is described by {len(state)} values instead of 5")
        _, shape, dtype, columns_first, data = state
        shape, dtype = self.sizes(shape, "an array's shape"), self.expect(dtype, _DType, "an array's type")
        length = len(self.expect(data, bytes, "an array's bytes"))
        expected = math.prod(shape) * np.dtype(dtype.code).itemsize
        if length != expected:
            raise self.damaged(f"an array of the shape {shape} has {length} bytes instead of {expected}")
        return shape, dtype, bool(columns_first), data
