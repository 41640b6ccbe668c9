"""The items of a source at one size, scaled and cropped instead of stretched."""

import numpy as np

from keras_semisis.data.pictures.resizing import fitted
from keras_semisis.data.sources.source import Source, Subset


class FittedItems(Subset):
    """The items of a source, of which the shorter side is scaled to a size and the longer one cropped to its middle.

    What resizes items to that size leaves these as they are.

    Args:
        source: Where they come from.
        size: (height, width).

    Example:

    >>> from keras_semisis.data import SyntheticScenes
    >>> image, label_map = FittedItems(SyntheticScenes(1, image_size=(64, 96)), (32, 32)).load(0)
    >>> image.shape, label_map.shape
    ((32, 32, 3), (32, 32))
    """

    def __init__(self, source: Source, size: tuple[int, int]):
        super().__init__(source, np.arange(len(source)))
        self._size = size

    def fingerprint(self, index: int) -> str | None:
        return self._of_size(super().fingerprint(index))

    def image_fingerprint(self, index: int) -> str | None:
        return self._of_size(super().image_fingerprint(index))

    def instance_fingerprint(self, index: int) -> str | None:
        return self._of_size(super().instance_fingerprint(index))

    def _of_size(self, fingerprint):
        return fingerprint and f"{fingerprint}/the middle, {self._size[0]}x{self._size[1]}"

    def class_counts(self, index: int) -> np.ndarray | None:
        return None

    def image_bytes(self, index: int) -> bytes | None:
        return None

    def label_map_bytes(self, index: int) -> bytes | None:
        return None

    def photo_size(self, index):
        return self._size

    def load_image(self, index: int) -> np.ndarray:
        return fitted(super().load_image(index), self._size, "crop")

    def load_label_map(self, index: int) -> np.ndarray:
        return fitted(super().load_label_map(index), self._size, "crop")

    def load_instance_map(self, index: int) -> np.ndarray:
        return fitted(super().load_instance_map(index), self._size, "crop")

    def load(self, index):
        return tuple(fitted(array, self._size, "crop") for array in super().load(index))
