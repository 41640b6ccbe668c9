"""What a network that segments, and tells fakes, says of the classes that are an answer."""

from typing import Any

import numpy as np


def class_logits(logits: Any, ignore_class: int | None) -> Any:
    """Logits of the real classes, that of the don't-care class -∞: it is never the answer.

    Args:
        logits: Float ``(..., num_classes + 1)``, the fake class first.
        ignore_class: The don't-care class, or None.

    Returns:
        Tensor ``(..., num_classes)``.

    Example:

    >>> class_logits(np.array([[9.0, 1.0, 2.0]]), ignore_class=1).tolist()
    [[1.0, -inf]]
    """
    logits = logits[..., 1:]
    if ignore_class is None:
        return logits
    never = np.zeros(logits.shape[-1], "float32")
    never[ignore_class] = -np.inf
    return logits + never
