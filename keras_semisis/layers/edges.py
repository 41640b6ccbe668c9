"""The edges between the instances of a label map."""

from functools import reduce
from typing import Any

from keras import ops


def instance_edges(instances: Any) -> Any:
    """Where one instance ends and another begins.

    A pixel is on an edge if the pixel to its left, to its right, above or below it is of another instance: an edge is two
    pixels wide, one on each side. The border of the image is none.

    Args:
        instances: Integers ``(B, H, W)``, which mean nothing beyond whether they are equal.

    Returns:
        float32 ``(B, H, W, 1)``: 1 on edges, else 0.

    Reference: Wang et al. (pix2pixHD), CVPR 2018, section 3.3.

    Example:

    >>> import numpy as np
    >>> edges = instance_edges(np.array([[[7, 7, 7, 2, 2, 2]]]))
    >>> ops.convert_to_numpy(edges)[0, :, :, 0].tolist()
    [[0.0, 0.0, 1.0, 1.0, 0.0, 0.0]]
    """
    x = ops.convert_to_tensor(instances)
    neighbors = (
        ops.concatenate([x[:, :1], x[:, :-1]], axis=1),
        ops.concatenate([x[:, 1:], x[:, -1:]], axis=1),
        ops.concatenate([x[:, :, :1], x[:, :, :-1]], axis=2),
        ops.concatenate([x[:, :, 1:], x[:, :, -1:]], axis=2),
    )
    differs = reduce(ops.logical_or, (ops.not_equal(x, neighbor) for neighbor in neighbors))
    return ops.cast(differs, "float32")[..., None]
