"""The loss of a segmenter: cross-entropy that weighs rare classes as much as common ones."""

from typing import Any

import keras
from keras import ops

from keras_semisis.losses.class_balancing import check_ignore_class, class_balance, label_map_of


@keras.saving.register_keras_serializable(package="keras_semisis")
class BalancedCrossEntropy(keras.losses.Loss):
    """Cross-entropy of every pixel, weighted by the inverse frequency of its class in the batch; don't-care weighs 0.

    Args:
        ignore_class: The don't-care id, or None.
        name: Name of the loss.

    Call arguments:
        y_true: Label map, integer ``(B, H, W)`` or ``(B, H, W, 1)``.
        y_pred: Logits ``(B, H, W, C)``.

    Raises:
        ValueError: If a label map is of another shape.
    """

    def __init__(self, ignore_class: int | None = None, name: str = "balanced_cross_entropy"):
        super().__init__(name=name, dtype="float32")
        self.ignore_class = ignore_class

    def call(self, y_true, y_pred):
        label_map = label_map_of(y_true, y_pred)
        check_ignore_class(self.ignore_class, y_pred.shape[-1])
        weights = class_balance(label_map, y_pred.shape[-1], self.ignore_class)
        loss = ops.sparse_categorical_crossentropy(label_map, y_pred, from_logits=True)
        return loss * ops.take(weights, label_map, axis=0)

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, "ignore_class": self.ignore_class}
