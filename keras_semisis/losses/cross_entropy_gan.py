"""The cross-entropy loss of the original GAN."""

from typing import Any

import keras
from keras import ops

from keras_semisis.losses.prediction_loss import PredictionLoss


@keras.saving.register_keras_serializable(package="keras_semisis")
class CrossEntropyGANLoss(PredictionLoss):
    """Binary cross-entropy of logits: ``softplus(-p)`` for an image to be taken as real, ``softplus(p)`` as generated.

    On one scale it is `NonSaturatingLoss`.

    No system of this package trains with it; it is a part for phases of your own.

    Call arguments:
        y_true: 1 or 0, a Python number.
        y_pred: Logits of any shape, or a list of them, one a scale, which are averaged.

    Reference: Goodfellow et al., "Generative Adversarial Nets", NIPS 2014, section 3 (the generator's loss in its
    non-saturating form).

    Example:

    >>> round(float(CrossEntropyGANLoss()(1, ops.zeros((2, 4, 4, 1)))), 4)
    0.6931
    """

    def __init__(self, name: str = "cross_entropy_gan_loss"):
        super().__init__(name)

    def of_scale(self, real: Any, prediction: Any) -> Any:
        return ops.softplus(-prediction if real else prediction)
