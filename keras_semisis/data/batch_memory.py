"""Memory of batches, used again when a batch is gone: fresh pages from the system cost as much time as decoding."""

import math
from collections import defaultdict, deque

import numpy as np

# TensorFlow takes over memory at such an address without copying
_ALIGNMENT = 64
_KEPT = 8
_free: defaultdict[int, deque[np.ndarray]] = defaultdict(lambda: deque(maxlen=_KEPT))


class _Memory:
    """The owner of an array's memory: lives as long as any array that looks at it, wherever that is."""

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype):
        size = math.prod(shape) * dtype.itemsize
        free = self._free = _free[size]
        try:
            self._room = free.pop()
        except IndexError:
            self._room = np.empty(size + _ALIGNMENT, np.uint8)
        begin = -self._room.ctypes.data % _ALIGNMENT
        array = self._room[begin:begin + size].view(dtype).reshape(shape)
        self.__array_interface__ = array.__array_interface__

    def __del__(self):
        self._free.append(self._room)


def empty(shape: tuple[int, ...], dtype) -> np.ndarray:
    """An aligned array like that of `np.empty`. It may be kept and shared like any other: its memory is used again only when
    the array and all views of it are gone."""
    return np.asarray(_Memory(shape, np.dtype(dtype)))
