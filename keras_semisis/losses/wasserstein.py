"""The Wasserstein loss."""

from typing import Any

import keras

from keras_semisis.losses.prediction_loss import PredictionLoss


@keras.saving.register_keras_serializable(package="keras_semisis")
class WassersteinLoss(PredictionLoss):
    """Wasserstein loss: ``-p`` for an image to be taken as real, ``p`` as generated.

    No system of this package trains with it; it is a part for phases of your own.

    Call arguments:
        y_true: 1 or 0, a Python number.
        y_pred: Predictions of any shape, or a list of them, one a scale, which are averaged.

    Reference: Arjovsky et al., "Wasserstein GAN", ICML 2017, algorithm 1.

    Example:

    >>> from keras import ops
    >>> float(WassersteinLoss()(1, ops.full((2, 4, 4, 1), 3.0)))
    -3.0
    """

    def __init__(self, name: str = "wasserstein_loss"):
        super().__init__(name)

    def of_scale(self, real: Any, prediction: Any) -> Any:
        return -prediction if real else prediction
