"""Colors and textures, in arithmetic that is the same everywhere."""

import numpy as np

# Values a side of the lattice that noise is taken from
LATTICE = 32


def color_of(red, green, blue):
    """A color, shaped to broadcast against the channels-first canvas."""
    return np.array([red, green, blue]).reshape(3, 1, 1)


def mix(a, b, weight):
    """a + (b - a) · weight."""
    mixed = (b - a) * weight
    mixed += a
    return mixed


def clip01(x):
    """x, within 0..1."""
    return np.minimum(np.maximum(x, 0.0), 1.0)


def cells(lattice, x, y):
    """The lattice's values at the integer parts of x and y, repeated periodically."""
    column = np.floor(x).astype(np.int64) & (LATTICE - 1)
    row = np.floor(y).astype(np.int64) & (LATTICE - 1)
    return lattice.take(row * LATTICE + column)


def value_noise(lattice, x, y):
    """Smooth noise in 0..1 with one independent value per unit square."""
    x0, y0 = np.floor(x), np.floor(y)
    fx, fy = x - x0, y - y0
    fx, fy = fx * fx * (3.0 - 2.0 * fx), fy * fy * (3.0 - 2.0 * fy)
    x0, y0 = x0.astype(np.int64), y0.astype(np.int64)
    left, right = x0 & (LATTICE - 1), (x0 + 1) & (LATTICE - 1)
    top, bottom = (y0 & (LATTICE - 1)) * LATTICE, ((y0 + 1) & (LATTICE - 1)) * LATTICE
    upper = mix(lattice.take(top + left), lattice.take(top + right), fx)
    lower = mix(lattice.take(bottom + left), lattice.take(bottom + right), fx)
    return mix(upper, lower, fy)
