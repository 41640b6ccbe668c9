"""The non-saturating logistic loss and its R1 regularization."""

from typing import Any

import keras
from keras import ops

from keras_semisis.losses.whole_batch_loss import WholeBatchLoss


@keras.saving.register_keras_serializable(package="keras_semisis")
class NonSaturatingLoss(WholeBatchLoss):
    """Non-saturating logistic loss: ``softplus(-logit)`` for an image to be taken as real, ``softplus(logit)`` as fake.

    The second term of eq. 3 (``y_true = 1``, generated images) and both of eq. 4 (1 for real, 0 for generated images).

    Call arguments:
        y_true: 1 or 0, a Python number.
        y_pred: Logits ``(B, 1)``.

    Reference: Karras et al. (StyleGAN2), CVPR 2020; arXiv 2306.13585, eq. 3 and 4.

    Example:

    >>> round(float(NonSaturatingLoss()(1, ops.zeros((2, 1)))), 4)
    0.6931
    """

    def __init__(self, name: str = "non_saturating_loss"):
        super().__init__(name)

    def call(self, y_true, y_pred):
        logits = ops.cast(y_pred, "float32")
        return ops.mean(ops.softplus(-logits if y_true else logits))


def r1_penalty(gradient: Any) -> Any:
    """``E‖∇_x D_u(x)‖²``: the squared gradient summed over each image, averaged over the images.

    Eq. 4 adds ``γ/2`` times this, on real images.

    Args:
        gradient: Gradient of the sum of D_u's logits with respect to the images, ``(B, H, W, 3)``.

    Returns:
        Scalar, float32.

    Reference: Mescheder et al., "Which Training Methods for GANs do actually Converge?", ICML 2018, eq. 9.

    Example:

    >>> float(r1_penalty(ops.ones((2, 4, 4, 3))))
    48.0
    """
    return ops.mean(ops.sum(ops.square(ops.cast(gradient, "float32")), axis=(1, 2, 3)))
