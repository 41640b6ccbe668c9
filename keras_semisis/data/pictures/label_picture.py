"""The pixels of a label map as its file has them."""

from typing import NamedTuple

import numpy as np

# What a PNG of class ids says of itself
CLASS_IDS = ("keras_semisis", "class ids")


class LabelPicture(NamedTuple):
    """A decoded label picture.

    Attributes:
        pixels: Integers ``(H, W)``, ids or indices, or colors ``(H, W, 3)``.
        palette: Colors ``(N, 3)`` and alpha ``(N,)`` of the indices, where the file has a palette.
        says_classes: Whether the file says that its indices, or its numbers of 16 bits, are classes.
        is_black_and_white: Whether it has one bit for each pixel, which is shown as black or white.
    """

    pixels: np.ndarray
    palette: tuple[np.ndarray, np.ndarray] | None = None
    says_classes: bool = False
    is_black_and_white: bool = False

    @property
    def has_colors(self) -> bool:
        """Whether it is in true color, and not all gray, which then are ids."""
        return self.pixels.ndim == 3 and not is_gray(self.pixels)


def colors_of(pixels: np.ndarray) -> np.ndarray:
    """The colors in uint8 ``(..., 3)``, in ascending order: ``(N, 3)``."""
    packed = np.unique(packed_colors(pixels))
    return np.stack([packed >> 16, packed >> 8 & 255, packed & 255], axis=-1)


def is_gray(rgb: np.ndarray) -> bool:
    """Whether uint8 ``(..., 3)`` is gray all over."""
    return bool((rgb[..., 0] == rgb[..., 1]).all() and (rgb[..., 0] == rgb[..., 2]).all())


def packed_colors(rgb: np.ndarray) -> np.ndarray:
    """Each color of ``(..., 3)`` as one number."""
    return np.asarray(rgb).astype(np.int32) @ np.array([65536, 256, 1], np.int32)
