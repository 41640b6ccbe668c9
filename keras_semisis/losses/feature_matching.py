"""Feature matching."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_semisis")
class FeatureMatchingLoss(keras.losses.Loss):
    """Mean squared difference of D's features of the real and of the generated image, summed over D's layers.

    FM of eq. 2. The features are those of `keras_semisis.models.features`: every block of D, its last layer left out.
    The real side gets no gradient.

    Call arguments:
        y_true: List of features of the real image.
        y_pred: List of features of the generated image, of the same shapes.

    Reference: arXiv 2306.13585, eq. 2.

    Example:

    >>> import numpy as np
    >>> float(FeatureMatchingLoss()([np.zeros((1, 2, 2, 3))], [np.full((1, 2, 2, 3), 2.0)]))
    4.0
    """

    def __init__(self, name="feature_matching_loss"):
        super().__init__(name=name, dtype="float32")

    def __call__(self, y_true, y_pred, sample_weight=None):
        return self.call(y_true, y_pred)

    def call(self, y_true, y_pred):
        return sum(ops.mean(ops.square(ops.stop_gradient(_float32(real)) - _float32(fake)))
                   for real, fake in zip(y_true, y_pred, strict=True))

    def get_config(self):
        return {"name": self.name}


def _float32(x):
    return ops.cast(x, "float32")
