"""How much the photos of a film change where its label maps do not."""

from typing import Any

import numpy as np

from keras_semisis.metrics.regions import region_difference


def flicker(photos: Any, label_maps: Any) -> dict[str, float]:
    """Mean change between neighboring frames, in gray levels, where the label map stays the same and where it moves.

    Args:
        photos: uint8 ``(frames, H, W, 3)``.
        label_maps: Integers ``(frames, H, W)``.

    Returns:
        ``{"still": ..., "moving": ...}``; NaN where no pixel is.

    Raises:
        ValueError: If there are fewer than two frames, as many label maps are not given, or photos are not uint8.

    Example:

    >>> label_maps = np.array([[[0, 0]], [[0, 1]]])
    >>> photos = np.array([[[[5, 5, 5], [5, 5, 5]]], [[[7, 7, 7], [90, 90, 90]]]], "uint8")
    >>> flicker(photos, label_maps)
    {'still': 2.0, 'moving': 85.0}
    """
    photos, label_maps = np.asarray(photos), np.asarray(label_maps)
    if len(photos) < 2:
        raise ValueError(f"flicker: {len(photos)} frames; it is between two.")
    if len(label_maps) != len(photos):
        raise ValueError(f"flicker: {len(photos)} photos, but {len(label_maps)} label maps. Give one for each photo.")
    change = region_difference(photos[1:], photos[:-1], label_maps[1:] != label_maps[:-1])
    return {"still": change["outside"], "moving": change["inside"]}
