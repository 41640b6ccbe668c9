"""Decoding and resizing, once for each item where all of them fit into memory."""

import numpy as np

from keras_semisis.data.pictures.resizing import covering
from keras_semisis.data.sources.source import Source, check_photo, instance_map_of

MEMORY_LIMIT = 512 * 2**20


class PreparedItems:
    """Items of a source, decoded and resized.

    All stay in memory if they take no more than about ``MEMORY_LIMIT`` bytes.

    Args:
        source: Where they come from.
        size: (height, width) that they are resized to.
        fit: "stretch" resizes to that very size, "crop" keeps the proportions: items cover the size.
        image: Whether an item has its image.
        label_map: Whether an item has its label map.
        instances: Whether it has its instance map, too.
    """

    def __init__(
        self,
        source: Source,
        size: tuple[int, int],
        *,
        image: bool = False,
        label_map: bool = False,
        instances: bool = False,
        fit: str = "stretch",
    ):
        self._source = source
        self._size, self._fit = size, fit
        self._image, self._label_map, self._instances = image, label_map, instances
        many = label_map and source.label_space.num_classes > 256
        self._label_dtype = np.int32 if many else np.uint8
        # what is more than covered is seldom as much again
        pixel_bytes = 3 * image + np.dtype(self._label_dtype).itemsize * label_map + 4 * instances
        pixel_bytes *= 2 if fit == "crop" else 1
        self._keep = len(source) * size[0] * size[1] * pixel_bytes <= MEMORY_LIMIT
        self._kept: dict[int, tuple[np.ndarray, ...]] = {}

    def __len__(self) -> int:
        return len(self._source)

    def get(self, index: int) -> tuple[np.ndarray, ...]:
        """The item's image (uint8 ``(H, W, 3)``), label map (uint8 or int32 ``(H, W)``), instance map (int32), where wanted."""
        item = self._kept.get(index)
        if item is None:
            item = self._prepare(index)
            if self._keep:
                self._kept[index] = item
        return item

    def _prepare(self, index):
        arrays: tuple[np.ndarray, ...]
        if self._image and self._label_map:
            arrays = self._source.load(index)
        elif self._image:
            arrays = (self._source.load_image(index),)
        else:
            arrays = (self._source.load_label_map(index),)
        where = self._source.location(index)
        if self._image:
            check_photo(arrays[0], where)
        if self._label_map:  # ids beyond its dtype would become others
            self._source.label_space.check(arrays[-1], where)
        resized = [self._resized(array, self._label_dtype) for array in arrays]
        if self._instances:
            resized.append(self._resized(instance_map_of(self._source, index, arrays[-1]), np.int32))
        return tuple(resized)

    def _resized(self, array, label_dtype):
        resized = covering(array, self._size, self._fit)
        return resized if array.ndim == 3 else resized.astype(label_dtype)
