"""Memory of batches, used again when a batch is gone: fresh pages from the system cost as much time as decoding."""

import math
from collections import defaultdict, deque

import numpy as np

# TensorFlow takes over memory at such an address without copying
_ALIGNMENT = 64
# Of each size; what is beyond goes back to the system
_KEPT = 4
_free: defaultdict[int, deque[np.ndarray]] = defaultdict(lambda: deque(maxlen=_KEPT))


class _Memory:
    """The owner of an array's memory: lives as long as any array that looks at it, wherever that is."""

    def __init__(self, room: np.ndarray, free: deque[np.ndarray], shape: tuple[int, ...], dtype: np.dtype):
        begin = -room.ctypes.data % _ALIGNMENT
        whole = room[begin : begin + len(room) - _ALIGNMENT]
        self.__array_interface__ = whole.view(dtype).reshape(shape).__array_interface__
        self._room, self._free = room, free

    def __del__(self):
        self._free.append(self._room)


def empty(shape: tuple[int, ...], dtype) -> np.ndarray:
    """An aligned array like that of `np.empty`.

    It may be kept and shared like any other: its memory is used again only when the array and all views of it are gone.
    """
    dtype = np.dtype(dtype)
    size = math.prod(shape) * dtype.itemsize
    free = _free[size]
    try:
        room = free.pop()
    except IndexError:
        room = np.empty(size + _ALIGNMENT, np.uint8)
    return np.asarray(_Memory(room, free, shape, dtype))
