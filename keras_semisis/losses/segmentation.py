"""The (C+1)-class segmentation losses of D and G."""

from typing import Any

import keras
from keras import ops

from keras_semisis.data.argument_error import ArgumentError
from keras_semisis.losses.class_balancing import check_ignore_class, class_balance, label_map_of


class _ClassWeighted(keras.losses.Loss):
    def __init__(self, ignore_class: int | None = None, class_balancing: bool = True, name: str | None = None):
        super().__init__(name=name, reduction="sum_over_batch_size", dtype="float32")
        if ignore_class is not None and ignore_class < 0:
            raise ValueError(
                f"ignore_class={ignore_class} must be one of the class ids, which begin with 0: channel 0 of the "
                "logits is the fake class, and that is where a label of -1 would lead."
            )
        self.ignore_class = ignore_class
        self.class_balancing = class_balancing

    def _weighted_cross_entropy(self, label_map, target, logits, num_classes):
        check_ignore_class(self.ignore_class, num_classes)
        loss = self._of_pixel(ops.sparse_categorical_crossentropy(target, logits, from_logits=True))
        if self.class_balancing:
            weights = class_balance(label_map, num_classes, self.ignore_class)
        elif self.ignore_class is not None:
            weights = ops.cast(ops.arange(num_classes) != self.ignore_class, "float32")
        else:
            return loss
        return loss * ops.take(weights, label_map, axis=0)

    def _of_pixel(self, cross_entropy):
        return cross_entropy

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, "ignore_class": self.ignore_class, "class_balancing": self.class_balancing}


@keras.saving.register_keras_serializable(package="keras_semisis")
class SegmentationLoss(_ClassWeighted):
    """Class-balanced cross-entropy of every pixel with its own class among C real classes and the fake one.

    The first term of D's loss (``y_pred = D(x)``) and of G's (``y_pred = D(G(z, m))``), eq. 1 and 2:
    ``-E[Σ_c α_c Σ_hw m_hwc log D_hwc]``, averaged over all pixels, don't-care pixels (weight 0) included in the count.

    Args:
        ignore_class: The don't-care id, or None where every pixel counts.
        class_balancing: Whether pixels weigh by `class_balance`; otherwise 1 (0 if don't-care).
        focal_gamma: γ of the focal loss: a pixel whose class has the probability p weighs ``(1 - p)^γ`` of that, so that pixels
            which are told well leave the others the say. 0, as published, or at least 1.
        name: Name of the loss.

    Call arguments:
        y_true: Label map, integer ``(B, H, W)`` or ``(B, H, W, 1)``.
        y_pred: Logits ``(B, H, W, C + 1)``: channel 0 fake, channel c + 1 class c.

    Raises:
        ValueError: If ``focal_gamma`` is neither 0 nor at least 1, or a label map is of another shape.

    Reference: arXiv 2306.13585, eq. 1 and 2; Schönfeld et al. (OASIS), ICLR 2021, eq. 1. Focal weights: Lin et al., "Focal
    Loss for Dense Object Detection", ICCV 2017, eq. 4.

    Example:

    >>> import numpy as np
    >>> label_map, logits = np.zeros((1, 2, 2), "int32"), np.zeros((1, 2, 2, 4), "float32")
    >>> round(float(SegmentationLoss()(label_map, logits)), 4)  # log 4
    1.3863
    >>> round(float(SegmentationLoss(focal_gamma=2.0)(label_map, logits)), 4)  # (3/4)² log 4
    0.7798
    """

    def __init__(
        self,
        ignore_class: int | None = None,
        class_balancing: bool = True,
        focal_gamma: float = 0.0,
        name: str = "segmentation_loss",
    ):
        super().__init__(ignore_class, class_balancing, name)
        if not (focal_gamma == 0 or focal_gamma >= 1):
            raise ArgumentError("{} is neither 0 nor at least 1.", {"focal_gamma": focal_gamma})
        self.focal_gamma = focal_gamma

    def call(self, y_true, y_pred):
        label_map = label_map_of(y_true, y_pred)
        return self._weighted_cross_entropy(label_map, label_map + 1, y_pred, y_pred.shape[-1] - 1)

    def _of_pixel(self, cross_entropy):
        if not self.focal_gamma:
            return cross_entropy
        return cross_entropy * ops.power(1.0 - ops.exp(-cross_entropy), self.focal_gamma)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"focal_gamma": self.focal_gamma}


@keras.saving.register_keras_serializable(package="keras_semisis")
class CycleLoss(_ClassWeighted):
    """Segmentation cycle loss: the class-balanced cross-entropy over the C real classes alone.

    The first term of eq. 3: D, frozen, is the way back from the generated image to its label map. Its fake class is left
    out of the softmax.

    Args and call arguments: as in `SegmentationLoss`.

    Reference: arXiv 2306.13585, eq. 3.

    Example:

    >>> import numpy as np
    >>> label_map, logits = np.zeros((1, 2, 2), "int32"), np.zeros((1, 2, 2, 4), "float32")
    >>> round(float(CycleLoss()(label_map, logits)), 4)  # log 3
    1.0986
    """

    def __init__(self, ignore_class: int | None = None, class_balancing: bool = True, name: str = "cycle_loss"):
        super().__init__(ignore_class, class_balancing, name)

    def call(self, y_true, y_pred):
        label_map = label_map_of(y_true, y_pred)
        return self._weighted_cross_entropy(label_map, label_map, y_pred[..., 1:], y_pred.shape[-1] - 1)


@keras.saving.register_keras_serializable(package="keras_semisis")
class FakeLoss(keras.losses.Loss):
    """Cross-entropy of every pixel of a generated image with the fake class: the second term of D's loss, eq. 1.

    Call arguments:
        y_true: Label map, integer ``(B, H, W)`` or ``(B, H, W, 1)``; not used, every pixel counts alike.
        y_pred: Logits ``(B, H, W, C + 1)``, channel 0 fake.

    Reference: arXiv 2306.13585, eq. 1.

    Example:

    >>> import numpy as np
    >>> round(float(FakeLoss()(np.zeros((1, 2, 2), "int32"), np.zeros((1, 2, 2, 4), "float32"))), 4)
    1.3863
    """

    def __init__(self, name: str = "fake_loss"):
        super().__init__(name=name, dtype="float32")

    def call(self, y_true, y_pred):
        return ops.sparse_categorical_crossentropy(ops.zeros_like(label_map_of(y_true, y_pred)), y_pred, from_logits=True)

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name}
