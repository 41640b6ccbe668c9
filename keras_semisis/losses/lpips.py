"""LPIPS as a loss."""

import keras
from keras import ops

from keras_semisis.models.lpips import check_lpips_size


class LPIPSLoss(keras.losses.Loss):
    """LPIPS of the real and of the generated image: a learned perceptual distance in place of VGG of eq. 2.

    The real side gets no gradient. The feature model is no part of a saved model.

    Args:
        feature_model: `models.lpips_features`.
        name: Name of the loss.

    Call arguments:
        y_true: Real images ``(B, H, W, 3)`` in [-1, 1].
        y_pred: Generated images, likewise.

    Raises:
        ValueError: When it is called, if images are smaller than the feature model takes.

    Reference: Zhang et al., "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric", CVPR 2018, eq. 1.

    Example:

    >>> from keras_semisis import models
    >>> loss = LPIPSLoss(models.lpips_features("alexnet", weights=None))
    >>> image = ops.ones((1, 32, 32, 3))
    >>> float(loss(image, image)), float(loss(image, -image)) > 0
    (0.0, True)
    """

    def __init__(self, feature_model: keras.Model, name: str = "lpips_loss"):
        super().__init__(name=name, dtype="float32")

        def features(image):
            check_lpips_size(feature_model, image)
            return feature_model(image, training=False)

        # A closure, which Keras's saving does not walk into: the feature model stays out of .keras files
        self._features = features

    def call(self, y_true, y_pred):
        real, fake = self._features(ops.stop_gradient(y_true)), self._features(y_pred)
        differences = (
            ops.cast(ops.stop_gradient(a), "float32") - ops.cast(b, "float32") for a, b in zip(real, fake, strict=True)
        )
        return sum(ops.mean(ops.sum(ops.square(x), axis=-1), axis=(1, 2)) for x in differences)
