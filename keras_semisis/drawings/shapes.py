"""Shapes that stand for classes, and the photo that they were drawn on."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from keras_semisis.data.data_error import DataError


@dataclass
class Shape:
    """The pixels of one object or region.

    Args:
        label: The name of its class.
        paint: From (height, width) to a boolean mask of that size.
        level: Shapes of a higher level lie above those of a lower one.
    """

    label: str
    paint: Callable[[tuple[int, int]], np.ndarray]
    level: int = 0


@dataclass
class Drawing:
    """What was drawn on one photo.

    Args:
        where: The file, and the place in it, for messages.
        photo: Path of the photo as the file has it.
        size: Its (height, width); None if the file does not say it of a photo on which nothing is drawn.
        shapes: In the order in which they were drawn.
        elsewhere: Another path under which the photo may lie.
    """

    where: str
    photo: str
    size: tuple[int, int] | None
    shapes: list[Shape]
    elsewhere: str | None = None


@dataclass
class Drawings:
    """All that a file, or a folder of files, holds.

    Args:
        kind: What wrote it.
        items: One for each photo.
        classes: Names of classes in their order, as far as the file lists them.
        colors: Colors of classes by name, as far as it has some.
        by_area: Whether, for want of an order, smaller shapes lie above larger ones.
        left_out: What has no area or no class, by what it is.
    """

    kind: str
    items: list[Drawing]
    classes: Sequence[str] = ()
    colors: dict[str, tuple[int, int, int]] = field(default_factory=dict)
    by_area: bool = False
    left_out: Counter[str] = field(default_factory=Counter)


@contextmanager
def understood(where: str, kind: str) -> Iterator[None]:
    """Within ``with``: what is not there, or is something else, is told of the file."""
    try:
        yield
    except DataError:
        raise
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        what = f"{error} is missing" if isinstance(error, KeyError) else error
        raise DataError(f"{where}: not understood as a file of {kind} ({what}). Export it again.") from error


def polygons(parts: Sequence[Sequence[float]], where: str) -> Callable[[tuple[int, int]], np.ndarray]:
    """What paints polygons together.

    Args:
        parts: Each ``[x, y, x, y, ...]`` in pixels, from the upper left corner of the photo.
        where: The file, for messages.

    Raises:
        DataError: If one has less than three corners, or a coordinate is no number.
    """
    flat = [np.asarray(part, np.float64).ravel() for part in parts]
    for part in flat:
        if len(part) < 6 or len(part) % 2 or not np.isfinite(part).all():
            raise DataError(f"{where}: a polygon of the coordinates {part.tolist()[:8]} needs three corners and more.")

    def paint(size):
        from pycocotools import mask

        runs = mask.frPyObjects([part.tolist() for part in flat], *size)
        return mask.decode(mask.merge(runs)).astype(bool)

    return paint


def rectangle(
    left: float, top: float, width: float, height: float, degrees: float, around: tuple[float, float], where: str
) -> Callable[[tuple[int, int]], np.ndarray]:
    """What paints a rectangle that is turned clockwise around a point."""
    corners = np.array([(left, top), (left + width, top), (left + width, top + height), (left, top + height)], np.float64)
    turn = np.deg2rad(degrees)
    across, down = (corners - around).T
    turned = np.stack([across * np.cos(turn) - down * np.sin(turn), across * np.sin(turn) + down * np.cos(turn)], axis=-1)
    return polygons([(turned + around).ravel().tolist()], where)


def ellipse(
    center: tuple[float, float], radii: tuple[float, float], degrees: float = 0.0
) -> Callable[[tuple[int, int]], np.ndarray]:
    """What paints an ellipse, turned clockwise: the pixels whose middle lies in it."""

    def paint(size):
        down, across = np.mgrid[: size[0], : size[1]] + 0.5
        across, down, turn = across - center[0], down - center[1], np.deg2rad(degrees)
        along, beside = across * np.cos(turn) + down * np.sin(turn), down * np.cos(turn) - across * np.sin(turn)
        return (along / max(radii[0], 1e-9)) ** 2 + (beside / max(radii[1], 1e-9)) ** 2 <= 1

    return paint


def part_of_mask(mask: np.ndarray, left: int, top: int, where: str) -> Callable[[tuple[int, int]], np.ndarray]:
    """What paints a mask that covers a part of the photo.

    Raises:
        DataError: As it paints, if it lies beyond the photo.
    """

    def paint(size):
        whole = np.zeros(size, bool)
        part = whole[max(0, top) : top + mask.shape[0], max(0, left) : left + mask.shape[1]]
        if part.shape != mask.shape:
            raise DataError(
                f"{where}: a mask of {_size(mask.shape)} at ({left}, {top}) reaches beyond the photo of {_size(size)} "
                "(height×width). Export it again."
            )
        part[...] = mask
        return whole

    return paint


def whole_mask(mask: np.ndarray, where: str) -> Callable[[tuple[int, int]], np.ndarray]:
    """What paints a mask of the photo's size."""

    def paint(size):
        if mask.shape != size:
            raise DataError(f"{where}: a mask is {_size(mask.shape)}, its photo {_size(size)} (height×width). Export it again.")
        return mask

    return paint


def runs_of_rows(counts: Any, shape: tuple[int, int], where: str) -> np.ndarray:
    """The mask of lengths of runs along its rows, the first of them outside.

    Raises:
        DataError: If they are of another number of pixels.

    Example:

    >>> runs_of_rows([1, 2, 3], (2, 3), "example").astype(int).tolist()
    [[0, 1, 1], [0, 0, 0]]
    """
    counts = np.asarray(counts, np.int64)
    if counts.sum() != shape[0] * shape[1] or (counts < 0).any():
        raise DataError(f"{where}: runs of {counts.sum()} pixels for a mask of {_size(shape)}. Export it again.")
    return np.repeat(np.arange(len(counts)) % 2 == 1, counts).reshape(shape)


def _size(shape):
    return "×".join(map(str, shape))
