"""Batch normalization with the running statistics of the published networks."""

from typing import Any

import keras
from keras import ops

from keras_semisis.layers.moments import moments


@keras.saving.register_keras_serializable(package="keras_semisis")
class BatchNorm(keras.layers.Layer):
    """Batch normalization as PyTorch defines it, without scale and offset unless asked for.

    It normalizes by the biased batch variance and stores the unbiased one; `keras.layers.BatchNormalization` stores the
    biased one, and falls back to the stored statistics when it is not trainable. Here ``training`` alone decides, so
    that a frozen generator still uses batch statistics. It computes in float32 in every dtype policy.

    Args:
        momentum: Weight of the old running statistics, 0.9 in all published networks (PyTorch's 0.1).
        epsilon: Added to the variance.
        affine: Whether a scale and an offset are learned.

    Input shape: ``(B, H, W, C)``. Output shape: the same.

    Example:

    >>> x = keras.random.normal((4, 8, 8, 3))
    >>> y = BatchNorm()(x, training=True)
    >>> bool(ops.max(ops.abs(ops.mean(y, axis=(0, 1, 2)))) < 1e-5)
    True
    """

    def __init__(self, momentum: float = 0.9, epsilon: float = 1e-5, affine: bool = False, **kwargs):
        super().__init__(**kwargs)
        self.momentum = momentum
        self.epsilon = epsilon
        self.affine = affine

    def build(self, input_shape) -> None:
        shape = (input_shape[-1],)
        if self.affine:
            self.gamma = self.add_weight(name="gamma", shape=shape, initializer="ones")
            self.beta = self.add_weight(name="beta", shape=shape, initializer="zeros")
        statistic = {"shape": shape, "dtype": "float32", "trainable": False, "autocast": False}
        self.moving_mean = self.add_weight(name="moving_mean", initializer="zeros", **statistic)
        self.moving_variance = self.add_weight(name="moving_variance", initializer="ones", **statistic)

    def call(self, x, training=False):
        # bfloat16 would round a large offset, and so shift the channel
        x = ops.cast(x, "float32")
        if training:
            mean, variance = (ops.squeeze(moment, (0, 1, 2)) for moment in moments(x, (0, 1, 2)))
            self._update(mean, variance, x)
        else:
            mean, variance = ops.convert_to_tensor(self.moving_mean), ops.convert_to_tensor(self.moving_variance)
        scale = ops.rsqrt(variance + self.epsilon)
        offset = -mean * scale
        if self.affine:
            gamma = ops.cast(self.gamma, "float32")
            scale, offset = scale * gamma, offset * gamma + ops.cast(self.beta, "float32")
        return ops.cast(x * scale + offset, self.compute_dtype)

    def _update(self, mean, variance, x):
        shape = ops.shape(x)
        count = ops.cast(shape[0] * shape[1] * shape[2], "float32")
        unbiased = variance * count / ops.maximum(count - 1.0, 1.0)
        for variable, value in ((self.moving_mean, mean), (self.moving_variance, unbiased)):
            variable.assign(self.momentum * variable + (1.0 - self.momentum) * ops.stop_gradient(value))

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"momentum": self.momentum, "epsilon": self.epsilon, "affine": self.affine}
