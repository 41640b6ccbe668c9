"""Layers with an equalized learning rate (StyleGAN2)."""

import math
from typing import Any

import keras
from keras import ops

from keras_semisis.layers.convolve import convolve, convolved_shape
from keras_semisis.layers.padding import checked_padding


def _activation(name, x, bias):
    if bias is not None:
        x = x + ops.convert_to_tensor(bias)
    if name == "fused_leaky_relu":
        return ops.leaky_relu(x, 0.2) * math.sqrt(2.0)
    return x


class _Equalized(keras.layers.Layer):
    def __init__(self, activation: Any, use_bias: bool, **kwargs):
        super().__init__(**kwargs)
        if activation not in (None, "fused_leaky_relu"):
            raise ValueError(f'activation={activation!r}: expected None or "fused_leaky_relu".')
        self.activation = activation
        self.use_bias = use_bias

    def _add_weights(self, shape):
        self.scale = 1.0 / math.sqrt(math.prod(shape[:-1]))
        self.kernel = self.add_weight(name="kernel", shape=shape, initializer=keras.initializers.RandomNormal(stddev=1.0))
        self.bias = self.add_weight(name="bias", shape=shape[-1:], initializer="zeros") if self.use_bias else None

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"activation": self.activation, "use_bias": self.use_bias}


@keras.saving.register_keras_serializable(package="keras_semisis")
class EqualizedConv2D(_Equalized):
    """2D convolution with weights stored at unit variance and scaled by ``1 / sqrt(fan_in)`` when used.

    Args:
        filters: Output channels.
        kernel_size: Side of the square kernel.
        strides: Stride in both directions.
        padding: Zero rows and columns added on each side; None is ``kernel_size // 2``.
        activation: None, or ``"fused_leaky_relu"``: ``sqrt(2) * leaky_relu(x + bias, 0.2)``.
        use_bias: Whether a bias is added.

    Input shape: ``(B, H, W, C)``.
    Output shape: ``(B, (H + 2 * padding - kernel_size) // strides + 1, ..., filters)``.

    Raises:
        ValueError: If ``padding`` is no whole number, or negative.

    Reference: Karras et al., "Analyzing and Improving the Image Quality of StyleGAN", CVPR 2020.

    Example:

    >>> tuple(EqualizedConv2D(8, 3, activation="fused_leaky_relu")(keras.random.normal((1, 6, 6, 4))).shape)
    (1, 6, 6, 8)
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int,
        strides: int = 1,
        padding: int | None = None,
        activation: Any = None,
        use_bias: bool = True,
        **kwargs,
    ):
        super().__init__(activation, use_bias, **kwargs)
        self.filters = filters
        self.kernel_size = kernel_size
        self.strides = strides
        padding = kernel_size // 2 if padding is None else padding
        self.padding = checked_padding("EqualizedConv2D", padding, kernel_size, strides)

    def build(self, input_shape) -> None:
        self._add_weights((self.kernel_size, self.kernel_size, input_shape[-1], self.filters))

    def call(self, x):
        kernel = ops.convert_to_tensor(self.kernel) * self.scale
        return _activation(self.activation, convolve(x, kernel, self.strides, self.padding), self.bias)

    def compute_output_shape(self, input_shape):
        return convolved_shape(input_shape, self.filters, self.kernel_size, self.strides, self.padding)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
        }


@keras.saving.register_keras_serializable(package="keras_semisis")
class EqualizedDense(_Equalized):
    """Dense layer with weights stored at unit variance and scaled by ``1 / sqrt(inputs)`` when used.

    Args:
        units: Output features.
        activation: None, or ``"fused_leaky_relu"``: ``sqrt(2) * leaky_relu(x + bias, 0.2)``.
        use_bias: Whether a bias is added.

    Input shape: ``(B, inputs)``. Output shape: ``(B, units)``.

    Reference: Karras et al., "Analyzing and Improving the Image Quality of StyleGAN", CVPR 2020.

    Example:

    >>> tuple(EqualizedDense(3)(keras.random.normal((2, 5))).shape)
    (2, 3)
    """

    def __init__(self, units: int, activation: Any = None, use_bias: bool = True, **kwargs):
        super().__init__(activation, use_bias, **kwargs)
        self.units = units

    def build(self, input_shape) -> None:
        self._add_weights((input_shape[-1], self.units))

    def call(self, x):
        return _activation(self.activation, ops.matmul(x, ops.convert_to_tensor(self.kernel) * self.scale), self.bias)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"units": self.units}
