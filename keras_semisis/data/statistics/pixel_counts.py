"""Pixels of each class in one label map."""

import numpy as np

from keras_semisis.data.data_error import DataError
from keras_semisis.data.sources.source import Source

_BLOCK = 2**18


def pixel_counts(label_map: np.ndarray, num_classes: int) -> np.ndarray:
    """Pixels of each class in one label map: int64 ``(num_classes,)``.

    Raises:
        DataError: If an id is no class id.
    """
    pixels = label_map.reshape(-1)
    counts = np.zeros(num_classes, np.int64)
    for first in range(0, len(pixels), _BLOCK):
        counts += _block_counts(pixels[first : first + _BLOCK], num_classes)
    return counts


def _block_counts(pixels, num_classes):
    # runs of equal ids instead of pixels: a label map has thirty times fewer
    lasts = np.append(np.flatnonzero(pixels[1:] != pixels[:-1]), len(pixels) - 1)
    lengths = lasts.copy()
    lengths[0] += 1
    lengths[1:] -= lasts[:-1]
    ids = pixels[lasts]
    if ids.max() >= num_classes:
        raise DataError(f"label id {ids.max()} found, but the classes are 0..{num_classes - 1}.")
    return np.bincount(ids, lengths, num_classes).astype(np.int64)


def counts_of(source: Source, index: int) -> np.ndarray:
    """Pixels of each class in one label map, which is read unless the source knows them.

    Raises:
        DataError: If the label map cannot be read or holds a stray id.
    """
    known = source.class_counts(index)
    if known is not None:
        return known
    label_map = source.load_label_map(index)
    try:
        return pixel_counts(label_map, source.label_space.num_classes)
    except DataError as error:
        raise error.about(source.location(index)) from None
