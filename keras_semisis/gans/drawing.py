"""Images of label maps of any size, whole or in tiles."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from keras_semisis.gans.any_size import AnySize
from keras_semisis.gans.tiles import Tiles


def at_any_size(network: AnySize, inputs: Sequence[np.ndarray], draw: Callable[[list[np.ndarray]], np.ndarray]) -> np.ndarray:
    """What a network makes of label maps or photos of any size.

    Where the network's strides do not divide the sides, they are continued by reflection at the bottom and on the right, and
    what is drawn there is cut off.

    Args:
        network: The network.
        inputs: Arrays of as many items, one for each input. Those of the first one's height and width are continued too.
        draw: From inputs whose sides the strides divide to the network's output.
    """
    height, width = inputs[0].shape[1:3]
    if (height, width) == network.size:
        return draw(list(inputs))
    return draw([_continued(values, (height, width), network.multiple) for values in inputs])[:, :height, :width]


def _continued(values, size, multiple):
    below, beside = (-side % multiple for side in size)
    if values.ndim < 3 or not (below or beside):
        return values
    return np.pad(values, ((0, 0), (0, below), (0, beside)) + ((0, 0),) * (values.ndim - 3), mode="reflect")


def draw_tiles(
    network: AnySize,
    inputs: Sequence[np.ndarray],
    tiles: Tiles,
    batch_size: int,
    progress: Callable[[int, int], Any] | None = None,
) -> np.ndarray:
    """Images drawn tile by tile.

    Args:
        network: A generator.
        inputs: Label maps ``(B, H, W)``; and noise, ``(B, noise_channels)``, or ``(B, H, W, noise_channels)``, of which each
            tile is given its part.
        tiles: Where the tiles lie.
        batch_size: Tiles at once.
        progress: Called with (tiles done, tiles in all).

    Returns:
        float32 ``(B, H, W, 3)``.
    """
    label_maps = inputs[0]
    images = np.zeros((*label_maps.shape, 3), "float32")
    places = [(i, *tile) for i in range(len(label_maps)) for tile in tiles]
    for first in range(0, len(places), batch_size):
        part = places[first : first + batch_size]
        of_tiles = [
            np.stack([values[i] if values.ndim == 2 else values[i, rows, columns] for i, rows, columns, _ in part])
            for values in inputs
        ]
        for (i, rows, columns, weights), image in zip(part, network.predict(of_tiles, batch_size), strict=True):
            images[i, rows, columns] += weights * image
        if progress is not None:
            progress(first + len(part), len(places))
    return images
