"""The table n_i^c of pixels per label map and class, of which almost all entries are zero."""

from array import array
from collections.abc import Mapping

import numpy as np

_BLOCK = 2**18


class ClassStatistics:
    """Pixels of each class in each label map, n_i^c, as a sparse table that grows by rows.

    A label map shows a dozen of 183 classes: five bytes for each of these are kept, instead of eight for
    every class. ``np.asarray(statistics)`` is the whole table, int64 ``(label maps, classes)``.

    Args:
        num_classes: Number of classes, the don't-care class included.

    Attributes:
        num_classes: The same.

    Example:

    >>> statistics = ClassStatistics(num_classes=3)
    >>> statistics.append([90, 0, 10])
    >>> statistics.append([0, 0, 50])
    >>> statistics.shape, statistics.totals.tolist()
    ((2, 3), [90, 0, 60])
    >>> np.asarray(statistics).tolist()
    [[90, 0, 10], [0, 0, 50]]
    """

    def __init__(self, num_classes: int):
        self.num_classes = num_classes
        self._ends = array("q", [0])
        self._classes = array(np.min_scalar_type(max(0, num_classes - 1)).char)
        self._pixels = array("I")

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "ClassStatistics":
        """The table that `arrays` was made of.

        Raises:
            ValueError: If the arrays are no such table.
            KeyError: If one is missing.
        """
        statistics = cls(int(arrays["num_classes"]))
        ends, classes, pixels = (np.asarray(arrays[name]) for name in ("ends", "classes", "pixels"))
        if (
            ends[:1].tolist() != [0]
            or ends[-1] != len(classes)
            or len(classes) != len(pixels)
            or (np.diff(ends) < 0).any()
            or classes.max(initial=0) >= max(1, statistics.num_classes)
        ):
            raise ValueError("These arrays are no table of class counts.")
        statistics._extend(ends[1:], classes, pixels)
        return statistics

    def arrays(self) -> dict[str, np.ndarray]:
        """The table as arrays for `numpy.savez`: where each row ends, its class ids and their pixels."""
        return {
            "num_classes": np.array(self.num_classes, np.int64),
            "ends": np.array(self._ends),
            "classes": np.array(self._classes),
            "pixels": np.array(self._pixels),
        }

    def append(self, counts: np.ndarray) -> None:
        """Adds a label map: its pixels of each class, ``(num_classes,)``.

        Raises:
            ValueError: If these are not ``num_classes`` non-negative numbers below 2^32.
        """
        counts = np.asarray(counts)
        if counts.shape != (self.num_classes,) or counts.min(initial=0) < 0 or counts.max(initial=0) >= 2**32:
            raise ValueError(f"counts must be {self.num_classes} numbers of pixels, got {counts!r:.100}.")
        present = np.flatnonzero(counts)
        self._extend(np.array([len(present) + self._ends[-1]]), present, counts[present])

    def extend(self, other: "ClassStatistics") -> None:
        """Adds all label maps of another table of as many classes."""
        if other.num_classes != self.num_classes:
            raise ValueError(f"A table of {other.num_classes} classes does not continue one of {self.num_classes}.")
        arrays = other.arrays()
        self._extend(arrays["ends"][1:] + self._ends[-1], arrays["classes"], arrays["pixels"])

    def _extend(self, ends, classes, pixels):
        for column, values in ((self._classes, classes), (self._pixels, pixels), (self._ends, ends)):
            column.frombytes(np.ascontiguousarray(values, column.typecode).tobytes())

    def __len__(self) -> int:
        return len(self._ends) - 1

    @property
    def shape(self) -> tuple[int, int]:
        """(label maps, classes)."""
        return len(self), self.num_classes

    @property
    def totals(self) -> np.ndarray:
        """n^c, pixels of each class in all label maps: int64 ``(num_classes,)``."""
        totals = np.zeros(self.num_classes, np.int64)
        for first in range(0, len(self._classes), _BLOCK):
            np.add.at(
                totals,
                np.array(self._classes[first : first + _BLOCK], np.intp),
                np.array(self._pixels[first : first + _BLOCK], np.int64),
            )
        return totals

    def rows(self, first: int, stop: int) -> np.ndarray:
        """The label maps ``first..stop-1`` with all classes: int64 ``(stop - first, num_classes)``."""
        ends = np.array(self._ends[first : stop + 1], np.int64)
        dense = np.zeros((len(ends) - 1, self.num_classes), np.int64)
        row_of = np.repeat(np.arange(len(ends) - 1), np.diff(ends))
        part = slice(ends[0], ends[-1])
        dense[row_of, np.array(self._classes[part], np.intp)] = self._pixels[part]
        return dense

    def __array__(self, dtype=None, copy=None):
        return self.rows(0, len(self)).astype(dtype or np.int64, copy=False)
