"""Colors that are of no class, taken for those of the nearest: label maps that were drawn with smooth edges."""

import numpy as np

# Pixels to each side that say which classes an edge lies between
_REACH = 2
# Distances that are held at once
_BLOCK = 1 << 20


def nearest_classes(
    rgb: np.ndarray, found: np.ndarray, unknown: np.ndarray, colors: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The class of each pixel whose color is of none.

    It is the one of the nearest color among the classes that lie within two pixels, since a blend of two colors may be near to
    a third that has nothing to do with it; among all where none does.

    Args:
        rgb: uint8 ``(H, W, 3)``.
        found: The classes of the other pixels, ``(H, W)``.
        unknown: Which pixels these are, boolean ``(H, W)``.
        colors: ``(classes, 3)``.

    Returns:
        For each unknown pixel, in the order of rows, its class, and how far its color is from that of the class.

    Example:

    >>> rgb = np.array([[[0, 0, 0], [140, 140, 140], [255, 255, 255]]], "uint8")
    >>> found, unknown = np.array([[0, 0, 1]]), np.array([[False, True, False]])
    >>> nearest_classes(rgb, found, unknown, np.array([[0, 0, 0], [255, 255, 255], [140, 140, 150]]))[0].tolist()
    [1]
    """
    rows, columns = np.nonzero(unknown)
    around = np.pad(np.where(unknown, -1, found), _REACH, constant_values=-1)
    colors = np.asarray(colors, np.float64)
    size = max(1, _BLOCK // len(colors))  # of pixels at once, as each has a distance from every color
    blocks = [slice(first, first + size) for first in range(0, len(rows), size)]
    parts = [_nearest(rgb, around, rows[block], columns[block], colors) for block in blocks]
    return np.concatenate([chosen for chosen, _ in parts]), np.concatenate([distance for _, distance in parts])


def _nearest(rgb, around, rows, columns, colors):
    differences = rgb[rows, columns].astype(np.float64)[:, None] - colors
    distances = np.sqrt((differences**2).sum(-1))
    near = np.zeros(distances.shape, bool)
    for down in range(2 * _REACH + 1):
        for right in range(2 * _REACH + 1):
            classes = around[rows + down, columns + right]
            known = np.flatnonzero(classes >= 0)
            near[known, classes[known]] = True
    near[~near.any(axis=1)] = True
    chosen = np.where(near, distances, np.inf).argmin(axis=1)
    return chosen, distances[np.arange(len(chosen)), chosen]
