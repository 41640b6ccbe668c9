"""Photos and label maps at another size."""

import numpy as np
from PIL import Image


def resize_image(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Bicubic resize of uint8 ``(H, W, 3)`` to ``size`` (height, width), antialiased as Pillow does it."""
    if image.shape[:2] == size:
        return image
    return np.asarray(Image.fromarray(image).resize(size[::-1], Image.Resampling.BICUBIC))


def resize_label_map(label_map: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Nearest-neighbor resize of ``(H, W)``, any integer type: pixel i is pixel floor((i + 1/2) · in / out).

    That is Pillow's rule, which the published data loaders use, but for exact ties, which rounding decides there.
    """
    if label_map.shape == size:
        return label_map
    rows, columns = (
        ((2 * np.arange(out) + 1) * within) // (2 * out) for out, within in zip(size, label_map.shape, strict=True)
    )
    return label_map[rows[:, None], columns]


def covering_size(shape: tuple[int, int], size: tuple[int, int]) -> tuple[int, int]:
    """The least (height, width) of the proportions of ``shape`` that is nowhere below ``size``.

    Example:

    >>> covering_size((600, 400), (64, 96)), covering_size((400, 600), (64, 96)), covering_size((10, 100), (64, 96))
    ((144, 96), (64, 96), (64, 640))
    """
    scale = max(wanted / side for wanted, side in zip(size, shape, strict=True))
    height, width = (max(wanted, round(side * scale)) for wanted, side in zip(size, shape, strict=True))
    return height, width


def fitted(array: np.ndarray, size: tuple[int, int], fit: str) -> np.ndarray:
    """A photo or a label map at ``size``: stretched to it, or, with "crop", its middle of the same proportions.

    Example:

    >>> fitted(np.arange(6)[None] * [[1], [1]], (2, 2), "crop").tolist()
    [[2, 3], [2, 3]]
    """
    array = covering(array, size, fit)
    top, left = ((whole - part) // 2 for whole, part in zip(array.shape, size, strict=False))
    return array[top : top + size[0], left : left + size[1]]


def covering(array: np.ndarray, size: tuple[int, int], fit: str) -> np.ndarray:
    """A photo or a label map resized to ``size``, or, with "crop", to the least that covers it in the same proportions."""
    size = covering_size(array.shape[:2], size) if fit == "crop" else size
    return resize_image(array, size) if array.ndim == 3 else resize_label_map(array, size)
