"""The weights α_c of the segmentation losses."""

from typing import Any

from keras import ops


def class_balance(label_map: Any, num_classes: int, ignore_class: int | None = None) -> Any:
    """Inverse frequency of each class over the batch, normalized so that the mean weight over all pixels is 1.

    ``α_c = P / (K · n_c)``: P pixels in the batch (don't-care pixels included), n_c of them of class c, K classes present.
    The don't-care class does not count into K and weighs 0, as does a class that is absent.

    Args:
        label_map: Integer ``(B, H, W)``.
        num_classes: Number of label ids, the don't-care class included.
        ignore_class: The don't-care id, or None.

    Returns:
        float32 ``(num_classes,)``.

    Reference: arXiv 2306.13585, eq. 1; Schönfeld et al. (OASIS), ICLR 2021, eq. 2; normalized as its code does it.

    Example:

    >>> import numpy as np
    >>> [round(float(weight), 2) for weight in class_balance(np.array([[[0, 1], [1, 1]]]), num_classes=3)]
    [2.0, 0.67, 0.0]
    """
    pixels = ops.reshape(ops.cast(label_map, "int32"), (-1,))
    counts = ops.segment_sum(ops.ones_like(pixels), pixels, num_segments=num_classes)
    counts = ops.cast(counts, "float32")
    if ignore_class is not None:
        counts = counts * ops.cast(ops.arange(num_classes) != ignore_class, "float32")
    present = ops.cast(counts > 0, "float32")
    total = ops.cast(ops.size(pixels), "float32")
    return present * total / (ops.maximum(ops.sum(present), 1.0) * ops.maximum(counts, 1.0))


def check_ignore_class(ignore_class: int | None, num_classes: int) -> None:
    """Raises a `ValueError` if a don't-care id is none of the classes of logits, where it would lead out of them."""
    if ignore_class is not None and not 0 <= ignore_class < num_classes:
        raise ValueError(
            f"ignore_class={ignore_class} is none of the {num_classes} classes of the logits, the don't-care class among them. "
            "Give its pixels an id of these, as LabelSpace.with_void().with_ids({255: ...}) does."
        )


def label_map_of(y_true: Any, logits: Any) -> Any:
    """A loss's label map as int32 ``(B, H, W)``, from that or ``(B, H, W, 1)``, which would be broadcast to other numbers.

    Raises:
        ValueError: If it is of another shape than the logits' without their channels.
    """
    label_map = ops.cast(y_true, "int32")
    if label_map.ndim == logits.ndim and label_map.shape[-1] == 1:
        label_map = ops.squeeze(label_map, -1)
    if label_map.ndim != logits.ndim - 1:
        raise ValueError(
            f"A label map of the shape {tuple(label_map.shape)} for logits of {tuple(logits.shape)}: expected an id for each "
            "pixel, (B, H, W) or (B, H, W, 1). One-hot maps become ids by argmax(-1)."
        )
    return label_map
