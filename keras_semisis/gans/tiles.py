"""Tiles that overlap, and how their images become one."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from keras_semisis.data.argument_error import ArgumentError


@dataclass(frozen=True)
class Tiles:
    """Where tiles of one size lie in an image, and the weight of each of their pixels.

    Args:
        starts: For rows and columns, where tiles begin.
        size: (height, width) of a tile.
        weights: For rows and columns, the weights of each tile's pixels. Of all tiles at a pixel they sum to 1.
    """

    starts: tuple[tuple[int, ...], tuple[int, ...]]
    size: tuple[int, int]
    weights: tuple[tuple[np.ndarray, ...], tuple[np.ndarray, ...]]

    @classmethod
    def over(
        cls, image_size: tuple[int, int], tile_size: tuple[int, int], overlap: int | None, reach: int | None, multiple: int
    ) -> "Tiles":
        """Tiles over an image.

        Where the overlap is at least twice the reach, each pixel is taken of tiles alone in which it is farther than that from
        an edge, so that they are the whole image; else neighbors are blended over the whole overlap.

        Args:
            image_size: (height, width), multiples of ``multiple``.
            tile_size: (height, width) of a tile; not more than the image's is taken.
            overlap: Pixels that neighbors share at least; None is twice the reach where a tile holds it, else half a tile.
            reach: How far from its edge a tile is not as the whole image; None is everywhere.
            multiple: Tiles begin at multiples of it.

        Raises:
            ValueError: If the tile size is no multiple, or the overlap leaves nothing of a tile.

        Example:

        >>> tiles = Tiles.over((32, 64), (32, 32), None, 6, 4)
        >>> tiles.starts
        ((0,), (0, 16, 32))
        """
        if any(side < multiple or side % multiple for side in tile_size):
            raise ArgumentError(
                f"{{}}: height and width of a tile have to be multiples of {multiple}.", {"tile_size": tuple(tile_size)}
            )
        axes = [
            _along(length, min(length, tile), overlap, reach, multiple)
            for length, tile in zip(image_size, tile_size, strict=True)
        ]
        height, width = (min(length, tile) for length, tile in zip(image_size, tile_size, strict=True))
        (rows, of_rows), (columns, of_columns) = axes
        return cls((rows, columns), (height, width), (of_rows, of_columns))

    def __len__(self) -> int:
        return len(self.starts[0]) * len(self.starts[1])

    def __iter__(self) -> Iterator[tuple[slice, slice, np.ndarray]]:
        """Rows, columns and weights ``(height, width, 1)`` of each tile."""
        height, width = self.size
        for top, of_rows in zip(self.starts[0], self.weights[0], strict=True):
            for left, of_columns in zip(self.starts[1], self.weights[1], strict=True):
                weights = of_rows[:, None, None] * of_columns[None, :, None]
                yield slice(top, top + height), slice(left, left + width), weights


def _along(length, tile, overlap, reach, multiple):
    """Starts and weights along an axis."""
    if tile == length:
        return (0,), (np.ones(length, "float32"),)
    exact = None if reach is None else -(-2 * reach // multiple) * multiple
    if overlap is None:
        overlap = tile // multiple // 2 * multiple if exact is None or exact > tile - multiple else exact
    overlap = -(-overlap // multiple) * multiple
    if not 0 <= overlap <= tile - multiple:
        raise ArgumentError(
            f"{{}}: of a tile of {tile} pixels, {tile - multiple} can be shared with a neighbor at most.", {"overlap": overlap}
        )
    count = -(-(length - overlap) // (tile - overlap))
    cells = (length - tile) // multiple
    starts = tuple(multiple * (i * cells // (count - 1)) for i in range(count))
    margin = reach if reach is not None and overlap >= 2 * reach else 0
    ramp = overlap - 2 * margin + 1
    rise = np.clip((np.arange(tile, dtype="float32") - margin + 1) / ramp, 0, 1)
    total, weights = np.zeros(length, "float32"), []
    for start in starts:
        weight = np.ones(tile, "float32")
        if start > 0:
            weight = np.minimum(weight, rise)
        if start + tile < length:
            weight = np.minimum(weight, rise[::-1])
        total[start : start + tile] += weight
        weights.append(weight)
    return starts, tuple(weight / total[start : start + tile] for start, weight in zip(starts, weights, strict=True))
