"""The hinge loss."""

from typing import Any

import keras
from keras import ops

from keras_semisis.losses.prediction_loss import PredictionLoss


@keras.saving.register_keras_serializable(package="keras_semisis")
class HingeLoss(PredictionLoss):
    """Hinge loss: ``max(0, 1 - p)`` for a real image, ``max(0, 1 + p)`` for a generated one; the generator's is ``-p``.

    Args:
        generator: Whether it is the generator's loss, which does not saturate.
        name: Name of the loss.

    Call arguments:
        y_true: 1 for an image to be taken as real, 0 as generated, a Python number; always 1 for the generator.
        y_pred: Predictions of any shape, or a list of them, one a scale, which are averaged.

    Reference: Lim and Ye, "Geometric GAN", 2017; Park et al. (SPADE), CVPR 2019, section 4.

    Example:

    >>> float(HingeLoss()(0, [ops.ones((2, 4, 4, 1)), ops.zeros((2, 2, 2, 1))]))
    1.5
    >>> float(HingeLoss(generator=True)(1, ops.ones((2, 4, 4, 1))))
    -1.0
    """

    def __init__(self, generator: bool = False, name: str = "hinge_loss"):
        super().__init__(name)
        self.generator = generator

    def call(self, y_true, y_pred):
        if self.generator and not y_true:
            raise ValueError(
                "HingeLoss: y_true=0 with generator=True; the generator wants its images taken as real. Give y_true=1."
            )
        return super().call(y_true, y_pred)

    def of_scale(self, real: Any, prediction: Any) -> Any:
        if self.generator:
            return -prediction
        return ops.relu(1 - prediction if real else 1 + prediction)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"generator": self.generator}
