"""The perceptual (VGG) loss."""

from collections.abc import Sequence

import keras
from keras import ops

from keras_semisis.losses.whole_batch_loss import refuse_sample_weight


class PerceptualLoss(keras.losses.Loss):
    """Weighted L1 distance between a fixed network's features of the real and of the generated image.

    VGG of eq. 2. The real side gets no gradient. The feature model owns its preprocessing, computes in the dtype policy
    that it was built under, and is no part of a saved model.

    Args:
        feature_model: Model from images ``(B, H, W, 3)`` in [-1, 1] to a list of features, as
            `keras_semisis.models.vgg19_features`.
        weights: One weight per feature; None doubles towards the last, which weighs 1: 1/32, 1/16, 1/8, 1/4, 1 for five,
            as published (the last step is a factor of 4), equal weights of 1 for any other number.
        name: Name of the loss.

    Call arguments:
        y_true: Real images ``(B, H, W, 3)`` in [-1, 1].
        y_pred: Generated images, likewise.

    Raises:
        ValueError: If the number of weights is not that of the features.

    Reference: Wang et al., "pix2pixHD", CVPR 2018; arXiv 2306.13585, eq. 2.

    Example:

    >>> image = keras.Input((8, 8, 3))
    >>> identity = keras.Model(image, [keras.layers.Identity()(image)])
    >>> float(PerceptualLoss(identity)(ops.zeros((1, 8, 8, 3)), ops.ones((1, 8, 8, 3))))
    1.0
    """

    PUBLISHED_WEIGHTS = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1.0)

    def __init__(self, feature_model: keras.Model, weights: Sequence[float] | None = None, name: str = "perceptual_loss"):
        super().__init__(name=name, dtype="float32")
        count = len(feature_model.outputs)
        if weights is None:
            weights = self.PUBLISHED_WEIGHTS if count == len(self.PUBLISHED_WEIGHTS) else (1.0,) * count
        if len(weights) != count:
            raise ValueError(
                f"PerceptualLoss: {len(weights)} weights for {count} features of "
                f"{feature_model.name!r}; give one weight per feature."
            )
        self.weights = tuple(weights)
        # A closure, which Keras's saving does not walk into: the feature model stays out of .keras files
        self._features = lambda x: feature_model(x, training=False)

    def __call__(self, y_true, y_pred, sample_weight=None):
        refuse_sample_weight(self, sample_weight)
        return super().__call__(y_true, y_pred)

    def call(self, y_true, y_pred):
        real, fake = self._features(ops.stop_gradient(y_true)), self._features(y_pred)
        if len(self.weights) == 1 and not isinstance(real, list):
            real, fake = [real], [fake]
        return sum(
            weight * ops.mean(ops.abs(ops.cast(ops.stop_gradient(a), "float32") - ops.cast(b, "float32")))
            for weight, a, b in zip(self.weights, real, fake, strict=True)
        )
