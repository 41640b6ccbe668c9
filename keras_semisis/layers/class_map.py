"""A label map as one channel for each class."""

from typing import Any

from keras import ops


def class_map(label_map: Any, num_classes: int, dtype: str) -> Any:
    """The channels of the classes at each pixel: one-hot, or what a `ClassAffinity` in front has made of the ids.

    Args:
        label_map: Integer ``(B, H, W)``, or float ``(B, H, W, num_classes)``, which is returned as it is.
        num_classes: Number of label ids.
        dtype: Of the result.

    Returns:
        ``(B, H, W, num_classes)``.
    """
    if len(label_map.shape) == 4:
        return ops.cast(label_map, dtype)
    return ops.one_hot(label_map, num_classes, dtype=dtype)
