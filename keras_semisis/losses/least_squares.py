"""The least-squares loss."""

from typing import Any

import keras
from keras import ops

from keras_semisis.losses.prediction_loss import PredictionLoss


@keras.saving.register_keras_serializable(package="keras_semisis")
class LeastSquaresLoss(PredictionLoss):
    """Least-squares loss: ``(p - 1)²`` for an image to be taken as real, ``p²`` as generated.

    No system of this package trains with it; it is a part for phases of your own.

    Call arguments:
        y_true: 1 or 0, a Python number.
        y_pred: Predictions of any shape, or a list of them, one a scale, which are averaged.

    Reference: Mao et al., "Least Squares Generative Adversarial Networks", ICCV 2017, without its factor ½.

    Example:

    >>> float(LeastSquaresLoss()(1, ops.full((2, 4, 4, 1), 3.0)))
    4.0
    """

    def __init__(self, name: str = "least_squares_loss"):
        super().__init__(name)

    def of_scale(self, real: Any, prediction: Any) -> Any:
        return ops.square(prediction - 1 if real else prediction)
