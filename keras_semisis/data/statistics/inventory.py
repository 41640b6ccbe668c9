"""Reading every item of a source once, to know what is in it before anything depends on it."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from keras_semisis.ahead import in_order
from keras_semisis.data.bad_files import BadFiles
from keras_semisis.data.data_error import DataError
from keras_semisis.data.sources.source import Source
from keras_semisis.data.statistics.pixel_counts import pixel_counts


@dataclass
class Inventory:
    """What `read_all` found in a source.

    Attributes:
        items: Number of items.
        good: Number of those that can be used.
        sizes: How many of them have which (height, width).
        pixels: Pixels of each class, int64 ``(num_classes,)``; None of photos alone.
        label_maps: In how many label maps each class is, likewise.
    """

    items: int
    good: int = 0
    sizes: Counter[tuple[int, int]] = field(default_factory=Counter)
    pixels: np.ndarray | None = None
    label_maps: np.ndarray | None = None


def read_all(
    source: Source, bad: BadFiles, images: bool = True, progress: Callable[[int, int], None] | None = None
) -> Inventory:
    """Reads every photo and every label map of a source, decodes and checks them.

    Args:
        source: Photos, label maps or both.
        bad: Takes note of the files that cannot be used.
        images: False reads the label maps alone. (Of a source without ``label_space`` the photos are read alone.)
        progress: Called with (items read, items in all).

    Raises:
        DataError: If more are bad than ``bad`` tolerates.

    Example:

    >>> from keras_semisis.data import SyntheticScenes
    >>> found = read_all(SyntheticScenes(num_scenes=3), BadFiles())
    >>> found.good, dict(found.sizes), int(found.pixels.sum())
    (3, {(64, 96): 3}, 18432)
    """
    space = source.label_space
    found = Inventory(len(source))
    if space is not None:
        found.pixels, found.label_maps = np.zeros(space.num_classes, np.int64), np.zeros(space.num_classes, np.int64)

    def read(index):
        try:
            if space is None:
                return source.load_image(index).shape[:2], None
            label_map = source.load(index)[1] if images else source.load_label_map(index)
            return label_map.shape, pixel_counts(label_map, space.num_classes)
        except DataError as error:
            bad.add(error)
            return None

    for done, item in enumerate(in_order(read, 0, len(source)), start=1):
        if item is not None:
            size, counts = item
            found.good += 1
            found.sizes[size] += 1
            if counts is not None:
                found.pixels += counts
                found.label_maps += counts > 0
        if progress is not None:
            progress(done, len(source))
    return found
