"""Images at 8 bits, as they are in files, and in [-1, 1], as networks see them."""

import numpy as np

_HALF = np.float32(127.5)


def to_8_bit(images: np.ndarray) -> np.ndarray:
    """Images in [-1, 1], none of their values NaN, to uint8: the nearest value.

    >>> to_8_bit(np.array([-1.2, -1.0, 0.0, 1.0], "float32")).tolist()
    [0, 0, 128, 255]
    """
    return np.clip(np.rint(unrounded(images)), 0, 255).astype(np.uint8)


def unrounded(images: np.ndarray) -> np.ndarray:
    """Images in [-1, 1] in [0, 255], without rounding.

    >>> unrounded(np.array([-1.0, 0.0], "float32")).tolist()
    [0.0, 127.5]
    """
    return (images + 1.0) * _HALF


def from_8_bit(images: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """Images in [0, 255], whole or, behind a resize, between, to float32 in [-1, 1].

    Args:
        images: uint8, or floats.
        out: float32 of the same shape, where the result is to lie; it may be ``images`` itself. None makes room.

    >>> [round(float(value), 4) for value in from_8_bit(np.array([0, 51, 255], "uint8"))]
    [-1.0, -0.6, 1.0]
    """
    scaled = np.divide(images, _HALF, out=out, dtype=np.float32)
    return np.subtract(scaled, np.float32(1), out=scaled)
