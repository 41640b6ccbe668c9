"""Convolution whose kernel is divided by its largest singular value."""

import math
from typing import Any

import keras
from keras import ops

from keras_semisis.layers.convolve import convolve, convolved_shape
from keras_semisis.layers.padding import checked_padding


class SpectralLayer(keras.layers.Layer):
    """The weights of a spectrally normalized convolution, and the normalization; a subclass says what the matrix W is."""

    def __init__(self, filters: int, use_bias: bool, **kwargs):
        super().__init__(**kwargs)
        self.filters = filters
        self.use_bias = use_bias

    def _transposed_matrix(self, kernel):
        """Wᵀ, inputs × outputs, as most kernels lie in memory."""
        raise NotImplementedError

    def _add_weights(self, shape):
        self.kernel = self.add_weight(name="kernel", shape=shape, initializer="glorot_uniform", autocast=False)
        if self.use_bias:
            self.bias = self.add_weight(name="bias", shape=(self.filters,), initializer="zeros")
        vector = {"initializer": _unit_vector, "trainable": False, "autocast": False}
        self.u = self.add_weight(name="u", shape=(self.filters,), **vector)
        self.v = self.add_weight(name="v", shape=(math.prod(shape) // self.filters,), **vector)

    def _normalized_kernel(self, training):
        kernel = ops.convert_to_tensor(self.kernel)
        w = self._transposed_matrix(kernel)
        u, v = ops.convert_to_tensor(self.u), ops.convert_to_tensor(self.v)
        if training:
            v = _normalize(ops.matmul(ops.stop_gradient(w), u))
        product = ops.matmul(v, w)
        if training:
            u = _normalize(ops.stop_gradient(product))
            self.u.assign(u)
            self.v.assign(v)
        sigma = ops.sum(u * product)
        # a quotient's gradient would pass over the kernel four times more
        return kernel * (1.0 / sigma)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"filters": self.filters, "use_bias": self.use_bias}


@keras.saving.register_keras_serializable(package="keras_semisis")
class SpectralConv2D(SpectralLayer):
    """2D convolution with a spectrally normalized kernel, reparametrized: the stored kernel is never overwritten.

    With the kernel as a matrix W (outputs × inputs), a training call does one power iteration, ``v ← Wᵀu/|Wᵀu|``,
    then ``u ← Wv/|Wv|``, and every call convolves with W/σ, σ = uᵀWv. u and v are constants to the gradient; W is
    differentiated in both places. (`keras.layers.SpectralNormalization` overwrites the kernel on TensorFlow, and does not
    normalize at inference on JAX.) σ is computed in the dtype of the kernel, float32 in
    mixed policies too.

    Args:
        filters: Output channels.
        kernel_size: Side of the square kernel.
        strides: Stride in both directions.
        padding: Zero rows and columns added on each side; None is ``kernel_size // 2``.
        use_bias: Whether a bias is added; it is not normalized.

    Input shape: ``(B, H, W, C)``.
    Output shape: ``(B, (H + 2 * padding - kernel_size) // strides + 1, ..., filters)``.

    Raises:
        ValueError: If ``padding`` is no whole number, or negative.

    Reference: Miyato et al., "Spectral Normalization for Generative Adversarial Networks", ICLR 2018, section 2.1.

    Example:

    >>> tuple(SpectralConv2D(8, 3)(keras.random.normal((1, 6, 6, 4)), training=True).shape)
    (1, 6, 6, 8)
    """

    def __init__(
        self, filters: int, kernel_size: int, strides: int = 1, padding: int | None = None, use_bias: bool = True, **kwargs
    ):
        super().__init__(filters, use_bias, **kwargs)
        self.kernel_size = kernel_size
        self.strides = strides
        padding = kernel_size // 2 if padding is None else padding
        self.padding = checked_padding("SpectralConv2D", padding, kernel_size, strides)

    def build(self, input_shape) -> None:
        self._add_weights((self.kernel_size, self.kernel_size, input_shape[-1], self.filters))

    def _transposed_matrix(self, kernel):
        return ops.reshape(kernel, (-1, self.filters))

    def call(self, x, training=False):
        kernel = ops.cast(self._normalized_kernel(training), self.compute_dtype)
        x = convolve(x, kernel, self.strides, self.padding)
        return x + ops.convert_to_tensor(self.bias) if self.use_bias else x

    def compute_output_shape(self, input_shape):
        return convolved_shape(input_shape, self.filters, self.kernel_size, self.strides, self.padding)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"kernel_size": self.kernel_size, "strides": self.strides, "padding": self.padding}


def _normalize(x):
    return x / ops.maximum(ops.norm(x), 1e-12)


def _unit_vector(shape, dtype=None):
    return _normalize(keras.random.normal(shape, dtype=dtype))
