"""Decoding and resizing, once for each item where all of them fit into memory."""

import numpy as np
from PIL import Image

from keras_semisis.data.sources.source import Source

MEMORY_LIMIT = 512 * 2**20


def resize_image(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Bicubic resize of uint8 ``(H, W, 3)`` to ``size`` (height, width), antialiased as Pillow does it."""
    if image.shape[:2] == size:
        return image
    return np.asarray(Image.fromarray(image).resize(size[::-1], Image.Resampling.BICUBIC))


def resize_label_map(label_map: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Nearest-neighbor resize of ``(H, W)``, any integer type: pixel i is pixel floor((i + 1/2) · in / out).

    That is Pillow's rule, which the published data loaders use.
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


class PreparedItems:
    """Items of a source, decoded and resized. All stay in memory if they take no more than about ``MEMORY_LIMIT``
    bytes.

    Args:
        source: Where they come from.
        size: (height, width) that they are resized to.
        fit: "stretch" resizes to that very size, "crop" keeps the proportions: items cover the size.
        image: Whether an item has its image.
        label_map: Whether an item has its label map.
    """

    def __init__(
        self, source: Source, size: tuple[int, int], *, image: bool = False, label_map: bool = False, fit: str = "stretch"
    ):
        self._source = source
        self._size, self._fit = size, fit
        self._image, self._label_map = image, label_map
        many = label_map and source.label_space.num_classes > 256
        self._label_dtype = np.int32 if many else np.uint8
        # what is more than covered is seldom as much again
        pixel_bytes = (3 * image + np.dtype(self._label_dtype).itemsize * label_map) * (2 if fit == "crop" else 1)
        self._keep = len(source) * size[0] * size[1] * pixel_bytes <= MEMORY_LIMIT
        self._kept: dict[int, tuple[np.ndarray, ...]] = {}

    def __len__(self) -> int:
        return len(self._source)

    def get(self, index: int) -> tuple[np.ndarray, ...]:
        """The item's image (uint8 ``(H, W, 3)``) and/or label map (uint8 or int32 ``(H, W)``)."""
        item = self._kept.get(index)
        if item is None:
            item = self._prepare(index)
            if self._keep:
                self._kept[index] = item
        return item

    def _prepare(self, index):
        if self._image and self._label_map:
            arrays = self._source.load(index)
        elif self._image:
            arrays = (self._source.load_image(index),)
        else:
            arrays = (self._source.load_label_map(index),)
        return tuple(map(self._resized, arrays))

    def _resized(self, array):
        resized = covering(array, self._size, self._fit)
        return resized if array.ndim == 3 else resized.astype(self._label_dtype)
