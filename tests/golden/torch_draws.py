"""PyTorch's random numbers on a CPU, in NumPy: what the published networks' weights in these files were drawn with.

Weights and inputs need no room in a golden file, since they can be drawn again. They are computed in float64, so that every
machine gives the same; PyTorch computes in float32, hence the few `corrections` that a file holds.
"""

import math

import numpy as np


class TorchDraws:
    """`torch.Generator().manual_seed(seed)`, and what `torch.rand`, `randn` and `randint` take from it."""

    def __init__(self, seed: int):
        self._twister, self._kept = np.random.RandomState(seed), None

    def state(self):
        return self._twister.get_state(), self._kept

    def restore(self, state):
        self._twister.set_state(state[0])
        self._kept = state[1]

    def _words(self, count):
        return np.frombuffer(self._twister.bytes(4 * count), "<u4").astype("uint64")

    def uniform(self, shape):
        return ((self._words(math.prod(shape)) & (2**24 - 1)) * 2.0**-24).reshape(shape)

    def integers(self, below, shape):
        return (self._words(math.prod(shape)) % below).astype("int32").reshape(shape)

    def normal(self, shape):
        count = math.prod(shape)
        if count < 16:
            return np.array([self._one() for _ in range(count)]).reshape(shape)
        values = self.uniform((count,))
        whole = count // 16 * 16
        values[:whole] = _box_muller(values[:whole])
        if count > whole:  # drawn anew, in part over values that are there
            values[-16:] = _box_muller(self.uniform((16,)))
        return values.reshape(shape)

    def _one(self):
        if self._kept is not None:
            value, self._kept = self._kept, None
            return value
        high, low = self._words(4).reshape(2, 2).T
        turn, distance = ((high << np.uint64(32) | low) & np.uint64(2**53 - 1)) * 2.0**-53
        radius = math.sqrt(-2 * math.log1p(-distance))
        self._kept = radius * math.sin(2 * math.pi * turn)
        return radius * math.cos(2 * math.pi * turn)


def _box_muller(uniform):
    distance, turn = uniform.reshape(-1, 2, 8).transpose(1, 0, 2)
    radius, angle = np.sqrt(-2 * np.log(1 - distance)), 2 * np.pi * turn
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1).reshape(-1)


def bfloat16(values):
    """Rounded to what bfloat16 can hold, as float32."""
    bits = np.ascontiguousarray(values, "float32").view("uint32").astype("uint64")
    rounded = (bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF0000
    return rounded.astype("uint32").view("float32")
