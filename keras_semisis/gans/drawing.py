"""Images of label maps of any size, whole or in tiles."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from keras_semisis.gans.any_size import AnySize
from keras_semisis.gans.noise import NoiseField
from keras_semisis.gans.tiles import Tiles


def at_any_size(network: AnySize, inputs: Sequence[Any], draw: Callable[[list[Any]], np.ndarray]) -> np.ndarray:
    """What a network makes of label maps or photos of any size.

    Where the network's strides do not divide the sides, they are continued by reflection at the bottom and on the right, and
    what is drawn there is cut off.

    Args:
        network: The network.
        inputs: Arrays of as many items, or a `NoiseField`, one for each input. Maps are continued all.
        draw: From inputs whose sides the strides divide to the network's output.
    """
    height, width = inputs[0].shape[1:3]
    if (height, width) == network.size:
        return draw(list(inputs))
    return draw([_continued(values, (height, width), network.multiple) for values in inputs])[:, :height, :width]


def _continued(values, size, multiple):
    if isinstance(values, NoiseField):
        return replace(values, places=_continued(values.places, size, multiple))
    below, beside = (-side % multiple for side in size)
    if values.ndim < 3 or not (below or beside):
        return values
    return np.pad(values, ((0, 0), (0, below), (0, beside)) + ((0, 0),) * (values.ndim - 3), mode="reflect")


def draw_whole(network: AnySize, inputs: Sequence[Any], batch_size: int) -> np.ndarray:
    """Images drawn each at once; a `NoiseField` becomes a map for a batch at a time.

    Args:
        network: A generator.
        inputs: As in `draw_tiles`.
        batch_size: Images at once.
    """
    if not any(isinstance(values, NoiseField) for values in inputs):
        return network.predict(inputs, batch_size)
    images = []
    for first in range(0, len(inputs[0]), batch_size):
        part = slice(first, first + batch_size)
        images.append(network.predict([_items(values, part) for values in inputs], batch_size))
    return np.concatenate(images)


def _items(values, part):
    return NoiseField(values.vectors[part], values.places[part]).maps() if isinstance(values, NoiseField) else values[part]


def draw_tiles(
    network: AnySize,
    inputs: Sequence[Any],
    tiles: Tiles,
    batch_size: int,
    progress: Callable[[int, int], Any] | None = None,
) -> np.ndarray:
    """Images drawn tile by tile.

    Args:
        network: A generator.
        inputs: Label maps ``(B, H, W)``; noise, ``(B, noise_channels)``, or ``(B, H, W, noise_channels)`` or a `NoiseField`;
            and edges ``(B, H, W, 1)``. Of maps each tile is given its part.
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
        of_tiles = [np.stack([_part(values, i, rows, columns) for i, rows, columns, _ in part]) for values in inputs]
        for (i, rows, columns, weights), image in zip(part, network.predict(of_tiles, batch_size), strict=True):
            images[i, rows, columns] += weights * image
        if progress is not None:
            progress(first + len(part), len(places))
    return images


def _part(values, image, rows, columns):
    if isinstance(values, NoiseField):
        return values.part(image, rows, columns)
    return values[image] if values.ndim == 2 else values[image, rows, columns]
