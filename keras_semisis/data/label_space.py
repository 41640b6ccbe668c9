"""What a label id means: names, colours, the don't-care class, and the check that an id is one of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np


class DataError(ValueError):
    """Something in the user's data is wrong. The message names the file, what was found, and the remedy."""

    def __init__(self, message: str):
        # A file name that is no UTF-8 could not be printed
        super().__init__(message.encode("utf-8", "backslashreplace").decode())


@dataclass(frozen=True)
class LabelSpace:
    """Names, colours and the don't-care class of a set of labels; ids run from 0 to ``num_classes - 1``.

    Args:
        class_names: One name per class id, the don't-care class included.
        palette: ``(num_classes, 3)`` RGB values in 0..255, one row per class id.
        ignore_class: The don't-care id, or None where every pixel counts.

    Raises:
        ValueError: If the palette and the names differ in length, a colour is not three numbers in 0..255, or
            ``ignore_class`` is no class id.

    Example:

    >>> space = LabelSpace(("sky", "road", "void"), ((0, 128, 255), (90, 90, 90), (0, 0, 0)), ignore_class=2)
    >>> space.num_classes
    3
    >>> space.colorize(np.array([[0, 1]])).tolist()
    [[[0, 128, 255], [90, 90, 90]]]
    """

    class_names: Sequence[str]
    palette: Sequence[Sequence[int]] = field(repr=False)
    ignore_class: int | None = None

    def __post_init__(self):
        object.__setattr__(self, "class_names", tuple(str(name) for name in self.class_names))
        object.__setattr__(self, "palette", tuple(tuple(int(v) for v in colour) for colour in self.palette))
        if len(self.palette) != self.num_classes:
            raise ValueError(f"{self.num_classes} class names, but {len(self.palette)} palette colours: "
                             "give one colour per class.")
        for i, colour in enumerate(self.palette):
            if len(colour) != 3 or min(colour) < 0 or max(colour) > 255:
                raise ValueError(f"the colour of class {i} is {colour}, but must be red, green and blue, each in "
                                 "0..255. Correct it.")
        if self.ignore_class is not None and not 0 <= self.ignore_class < self.num_classes:
            raise ValueError(f"ignore_class={self.ignore_class} is not one of the class ids "
                             f"0..{self.num_classes - 1}. Use None where every pixel counts.")

    @property
    def num_classes(self) -> int:
        """Number of classes, the don't-care class included."""
        return len(self.class_names)

    def colorize(self, label_map) -> np.ndarray:
        """Integer label map ``(..., H, W)`` to RGB uint8 ``(..., H, W, 3)``."""
        return np.asarray(self.palette, np.uint8)[np.asarray(label_map)]

    def check(self, label_map: np.ndarray, where: str) -> np.ndarray:
        """Returns ``label_map`` if every id is a class id.

        Raises:
            DataError: If an id lies outside 0..num_classes-1, naming ``where``, the ids and their pixel
                counts.
        """
        if label_map.min(initial=0) >= 0 and label_map.max(initial=0) < self.num_classes:
            return label_map
        ids = np.unique(label_map)
        stray = [int(i) for i in ids if not 0 <= i < self.num_classes]
        listed = named_ids(label_map[(label_map < 0) | (label_map >= self.num_classes)])
        remedy = ("255 usually marks unlabelled pixels" if 255 in stray else
                  "the ids may be scaled or belong to another label set")
        target = self.ignore_class if self.ignore_class is not None else 0
        if self.num_classes == 2 and {*ids.tolist()} <= {0, 255}:
            remedy, target = "this looks like a mask of 0 and 255", 1
        raise DataError(
            f"{where}: label id {listed} found, but the {self.num_classes} classes are "
            f"0..{self.num_classes - 1}; {remedy}. Remap it (for example "
            f"id_map={{{stray[0]}: {target}}}) or name more classes.")


def named_ids(stray: np.ndarray) -> str:
    """The ids of stray pixels, and how many there are of each, for messages.

    Example:

    >>> named_ids(np.array([77, 255, 77]))
    '77 (2 pixels), 255 (1 pixels)'
    """
    ids, counts = np.unique(stray, return_counts=True)
    listed = [f"{i} ({n} pixels)" for i, n in zip(ids.tolist(), counts.tolist(), strict=True)]
    return ", ".join(listed[:5]) + (", ..." if len(listed) > 5 else "")


def distinct_colours(number: int) -> list[tuple[int, int, int]]:
    """RGB colours that differ from each other: those of PASCAL VOC, whose id bits are spread over the
    channels.

    Example:

    >>> distinct_colours(3)
    [(0, 0, 0), (128, 0, 0), (0, 128, 0)]
    """
    def channel(i, first):
        return sum(((i >> (3 * bit + first)) & 1) << (7 - bit) for bit in range(8))

    return [tuple(channel(i, first) for first in range(3)) for i in range(number)]
