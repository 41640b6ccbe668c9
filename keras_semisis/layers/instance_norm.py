"""Instance normalization without parameters."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_semisis")
class InstanceNorm(keras.layers.Layer):
    """Normalizes each channel of each image by its own mean and biased variance; the same in training and inference.

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
        mean, variance = ops.moments(ops.cast(x, "float32"), axes=(1, 2), keepdims=True)
        scale = ops.rsqrt(variance + self.epsilon)
        return x * ops.cast(scale, x.dtype) + ops.cast(-mean * scale, x.dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"epsilon": self.epsilon}
