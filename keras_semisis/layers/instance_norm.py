"""Instance normalization without parameters."""

from typing import Any

import keras
from keras import ops

from keras_semisis.layers.moments import moments


@keras.saving.register_keras_serializable(package="keras_semisis")
class InstanceNorm(keras.layers.Layer):
    """Normalizes each channel of each image by its own mean and biased variance; the same in training and inference.

    It computes in float32 in every dtype policy.

    Args:
        epsilon: Added to the variance.

    Input shape: ``(B, H, W, C)``. Output shape: the same.

    Example:

    >>> y = InstanceNorm()(keras.random.normal((2, 8, 8, 3)))
    >>> bool(ops.max(ops.abs(ops.mean(y, axis=(1, 2)))) < 1e-5)
    True
    """

    def __init__(self, epsilon: float = 1e-5, **kwargs):
        super().__init__(**kwargs)
        self.epsilon = epsilon

    def call(self, x):
        x = ops.cast(x, "float32")
        mean, variance = moments(x, (1, 2))
        scale = ops.rsqrt(variance + self.epsilon)
        return ops.cast(x * scale + -mean * scale, self.compute_dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"epsilon": self.epsilon}
