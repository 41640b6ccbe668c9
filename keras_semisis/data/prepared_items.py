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
    """Nearest-neighbour resize of ``(H, W)``, any integer type: pixel i is pixel floor((i + 1/2) · in / out).

    That is Pillow's rule, which the published data loaders use.
    """
    if label_map.shape == size:
        return label_map
    rows, columns = (((2 * np.arange(out) + 1) * within) // (2 * out)
                     for out, within in zip(size, label_map.shape, strict=True))
    return label_map[rows[:, None], columns]


class PreparedItems:
    """Items of a source, decoded and resized. All stay in memory if they take no more than ``MEMORY_LIMIT``
    bytes.

    Args:
        source: Where they come from.
        size: (height, width) that they are resized to.
        image: Whether an item has its image.
        label_map: Whether an item has its label map.

    Attributes:
        size: (height, width) of every item.
    """

    def __init__(self, source: Source, size: tuple[int, int], *, image: bool = False,
                 label_map: bool = False):
        self._source = source
        self.size = size
        self._image, self._label_map = image, label_map
        many = label_map and source.label_space.num_classes > 256
        self._label_dtype = np.int32 if many else np.uint8
        pixel_bytes = 3 * image + np.dtype(self._label_dtype).itemsize * label_map
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
            image, label_map = self._source.load(index)
        elif self._image:
            return (resize_image(self._source.load_image(index), self.size),)
        else:
            return (self._small_label_map(self._source.load_label_map(index)),)
        return resize_image(image, self.size), self._small_label_map(label_map)

    def _small_label_map(self, label_map):
        return resize_label_map(label_map, self.size).astype(self._label_dtype)
