"""Nearest-neighbour resizing by the rule of the published networks."""

import numpy as np
from keras import ops


def resize_nearest(x, size: tuple[int, int]):
    """Resizes ``(B, H, W)`` or ``(B, H, W, C)`` to ``size``: output pixel i is input pixel ``floor(i * in / out)``.

    This is PyTorch's ``interpolate(mode="nearest")``. `keras.ops.image.resize` takes half-pixel centres instead, which
    picks other labels.

    Args:
        x: Tensor of any dtype, channels-last.
        size: Output ``(height, width)``.

    Returns:
        Tensor of the same dtype, ``(B, height, width[, C])``.

    Example:

    >>> ops.convert_to_numpy(resize_nearest(np.arange(6).reshape(1, 1, 6), (1, 4)))[0, 0].tolist()
    [0, 1, 3, 4]
    """
    for axis, length in zip((1, 2), size, strict=True):
        current = x.shape[axis]
        if current == length:
            continue
        if current % length == 0:
            step = current // length
            x = x[:, ::step] if axis == 1 else x[:, :, ::step]
        else:
            x = ops.take(x, np.arange(length) * current // length, axis=axis)
    return x
