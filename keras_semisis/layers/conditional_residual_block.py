"""The residual block of the CC-FPSE generator."""

from typing import Any

import keras
from keras import ops

from keras_semisis.layers.batch_norm import BatchNorm
from keras_semisis.layers.class_map import class_map
from keras_semisis.layers.conditional_conv2d import ConditionalConv2D
from keras_semisis.layers.convolve import ZeroPaddedConv2D
from keras_semisis.layers.resize import resize_nearest
from keras_semisis.layers.spectral_conv2d import SpectralConv2D


@keras.saving.register_keras_serializable(package="keras_semisis")
class LayoutSPADE(keras.layers.Layer):
    """`SPADE` with batch normalization whose hidden map reads a float layout ``(B, H, W, L)`` in place of a label map."""

    norm_name = "batch"

    def __init__(self, hidden_channels: int = 128, **kwargs):
        super().__init__(**kwargs)
        self.hidden_channels = hidden_channels

    def build(self, input_shape) -> None:
        x_shape, layout_shape = input_shape
        dtype = self.dtype_policy
        self.norm = BatchNorm(name="norm", dtype=dtype)
        self.norm.build(x_shape)
        self.shared = ZeroPaddedConv2D(self.hidden_channels, 3, activation="relu", name="shared", dtype=dtype)
        self.shared.build(layout_shape)
        self.gamma_beta = ZeroPaddedConv2D(2 * x_shape[-1], 3, name="gamma_beta", dtype=dtype)
        self.gamma_beta.build((*layout_shape[:-1], self.hidden_channels))

    def call(self, inputs, training=False):
        x, layout = inputs
        gamma, beta = ops.split(self.gamma_beta(self.shared(layout)), 2, axis=-1)
        return self.norm(x, training=training) * (1 + gamma) + beta

    def compute_output_shape(self, input_shape):
        return input_shape[0]

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"hidden_channels": self.hidden_channels}


@keras.saving.register_keras_serializable(package="keras_semisis")
class ConditionalResidualBlock(keras.layers.Layer):
    """Two `ConditionalConv2D` beside a shortcut, with the layout ``concat(one_hot(label_map), features)``.

    ``shortcut(x) + conv_2(conv_1(x))``. Where the width changes, the shortcut is SPADE by the same layout and a 1×1
    convolution without bias. The activations stand inside the branch: the sum has none.

    Args:
        filters: Output channels; conv_1 has the smaller of these and the input's.
        num_classes: Number of label ids, the don't-care class included.
        hidden_channels: Width of the hidden maps of predicted kernels, gates and SPADE.

    Input shape: ``[x, label_map, features]``: float ``(B, H, W, C)``, integer ``(B, H', W')`` with ids in 0..num_classes-1
    (resized to H×W by nearest neighbor), float ``(B, H, W, F)``.
    Output shape: ``(B, H, W, filters)``.

    Reference: Liu et al., "Learning to Predict Layout-to-image Conditional Convolutions for Semantic Image Synthesis",
    NeurIPS 2019.

    Example:

    >>> import numpy as np
    >>> x, label_map = np.ones((2, 8, 8, 4), "float32"), np.zeros((2, 16, 16), "int32")
    >>> features = np.ones((2, 8, 8, 5), "float32")
    >>> tuple(ConditionalResidualBlock(6, num_classes=3)([x, label_map, features]).shape)
    (2, 8, 8, 6)
    """

    def __init__(self, filters: int, num_classes: int, hidden_channels: int = 128, **kwargs):
        super().__init__(**kwargs)
        self.filters = filters
        self.num_classes = num_classes
        self.hidden_channels = hidden_channels

    def build(self, input_shape) -> None:
        x_shape, _, features_shape = input_shape
        dtype = self.dtype_policy
        layout_shape = (*features_shape[:-1], self.num_classes + features_shape[-1])
        middle = min(x_shape[-1], self.filters)
        self.has_shortcut = x_shape[-1] != self.filters
        self.conv_1 = ConditionalConv2D(middle, self.hidden_channels, name="conv_1", dtype=dtype)
        self.conv_1.build([x_shape, layout_shape])
        self.conv_2 = ConditionalConv2D(self.filters, self.hidden_channels, name="conv_2", dtype=dtype)
        self.conv_2.build([(*x_shape[:-1], middle), layout_shape])
        if self.has_shortcut:
            self.norm_s = LayoutSPADE(self.hidden_channels, name="norm_s", dtype=dtype)
            self.norm_s.build([x_shape, layout_shape])
            self.conv_s = SpectralConv2D(self.filters, 1, use_bias=False, name="conv_s", dtype=dtype)
            self.conv_s.build(x_shape)

    def call(self, inputs, training=False):
        x, label_map, features = inputs
        label_map = resize_nearest(label_map, x.shape[1:3])
        layout = ops.concatenate([class_map(label_map, self.num_classes, self.compute_dtype), features], axis=-1)
        y = self.conv_1([x, layout], training=training)
        y = self.conv_2([y, layout], training=training)
        return self._shortcut(x, layout, training) + y

    def _shortcut(self, x, layout, training):
        if not self.has_shortcut:
            return x
        return self.conv_s(self.norm_s([x, layout], training=training), training=training)

    def compute_output_shape(self, input_shape):
        return (*input_shape[0][:-1], self.filters)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {
            "filters": self.filters,
            "num_classes": self.num_classes,
            "hidden_channels": self.hidden_channels,
        }
