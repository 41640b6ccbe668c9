"""Label maps of photos that have none."""

from typing import Any

from keras import ops

from keras_semisis.data.argument_error import ArgumentError
from keras_semisis.models.class_logits import class_logits


def pseudo_labels(logits: Any, confidence: float, ignore_class: int) -> Any:
    """The class of every pixel that a segmentation network is sure of, and don't-care elsewhere.

    Args:
        logits: ``(B, H, W, C + 1)``, the fake class first; it and the don't-care class are no answers.
        confidence: Probability among the other classes from which on a pixel has its class, in [0, 1).
        ignore_class: The don't-care class.

    Returns:
        int32 ``(B, H, W)``, without a gradient.

    Reference: Sohn et al. (FixMatch), NeurIPS 2020, eq. 4; the moving average as the teacher: Tarvainen and Valpola (Mean
    Teacher), NeurIPS 2017.

    Example:

    >>> logits = ops.convert_to_tensor([[[[9.0, 3.0, 0.0, 9.0], [0.0, 0.1, 0.0, 0.0]]]])
    >>> ops.convert_to_numpy(pseudo_labels(logits, 0.9, ignore_class=2)).tolist()
    [[[0, 2]]]
    """
    probabilities = ops.softmax(class_logits(ops.stop_gradient(ops.cast(logits, "float32")), ignore_class))
    sure = ops.max(probabilities, axis=-1) >= confidence
    return ops.where(sure, ops.cast(ops.argmax(probabilities, axis=-1), "int32"), ignore_class)


def check_confidence(confidence: float, ignore_class: int | None) -> None:
    """Raises `ArgumentError` for what is no probability, or where there is no don't-care class to give to the others."""
    if not 0 <= confidence < 1:
        raise ArgumentError("{} is not a probability in [0, 1).", {"pseudo_label_confidence": confidence})
    if ignore_class is None:
        raise ArgumentError(
            "{}: these data have no don't-care class for the pixels that are unsure.", {"pseudo_label_confidence": confidence}
        )
