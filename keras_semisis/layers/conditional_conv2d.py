"""Convolution whose kernels and gate are predicted from the layout."""

from typing import Any

import keras
from keras import ops

from keras_semisis.layers.batch_norm import BatchNorm
from keras_semisis.layers.convolve import ZeroPaddedConv2D
from keras_semisis.layers.predicted_depthwise_conv2d import PredictedDepthwiseConv2D


@keras.saving.register_keras_serializable(package="keras_semisis")
class ConditionalConv2D(keras.layers.Layer):
    """Batch normalization, a separable convolution that the layout decides pixel by pixel, and a leaky ReLU.

    ``lrelu(pointwise(depthwise(norm(x), kernels(layout))) * gate(layout))``: the 3×3 depthwise kernels and the gate, in
    (0, 1), are each two 3×3 convolutions of the layout with a ReLU between them; the 1×1 convolution's kernel is the same
    everywhere.

    Args:
        filters: Output channels.
        hidden_channels: Width of the hidden maps of kernels and gate.

    Input shape: ``[x, layout]``: ``(B, H, W, C)`` and float ``(B, H, W, L)``.
    Output shape: ``(B, H, W, filters)``.

    Reference: Liu et al., "Learning to Predict Layout-to-image Conditional Convolutions for Semantic Image Synthesis",
    NeurIPS 2019.

    Example:

    >>> import numpy as np
    >>> x, layout = np.ones((2, 8, 8, 4), "float32"), np.ones((2, 8, 8, 3), "float32")
    >>> tuple(ConditionalConv2D(6)([x, layout]).shape)
    (2, 8, 8, 6)
    """

    def __init__(self, filters: int, hidden_channels: int = 128, **kwargs):
        super().__init__(**kwargs)
        self.filters = filters
        self.hidden_channels = hidden_channels

    def build(self, input_shape) -> None:
        x_shape, layout_shape = input_shape
        dtype = self.dtype_policy
        hidden_shape = (*layout_shape[:-1], self.hidden_channels)

        def convolution(name, filters, kernel_size, shape, activation=None):
            layer = ZeroPaddedConv2D(filters, kernel_size, activation=activation, name=name, dtype=dtype)
            layer.build(shape)
            return layer

        self.norm = BatchNorm(affine=True, name="norm", dtype=dtype)
        self.norm.build(x_shape)
        self.kernels_hidden = convolution("kernels_hidden", self.hidden_channels, 3, layout_shape, "relu")
        self.kernels = convolution("kernels", 9 * x_shape[-1], 3, hidden_shape)
        self.gate_hidden = convolution("gate_hidden", self.hidden_channels, 3, layout_shape, "relu")
        self.gate = convolution("gate", self.filters, 3, hidden_shape, "sigmoid")
        self.depthwise = PredictedDepthwiseConv2D(name="depthwise", dtype=dtype)
        self.depthwise.build([x_shape, (*layout_shape[:-1], 9 * x_shape[-1])])
        self.pointwise = convolution("pointwise", self.filters, 1, x_shape)

    def call(self, inputs, training=False):
        x, layout = inputs
        kernels = self.kernels(self.kernels_hidden(layout))
        y = self.depthwise([self.norm(x, training=training), kernels])
        return ops.leaky_relu(self.pointwise(y) * self.gate(self.gate_hidden(layout)), 0.2)

    def compute_output_shape(self, input_shape):
        return (*input_shape[0][:-1], self.filters)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"filters": self.filters, "hidden_channels": self.hidden_channels}
