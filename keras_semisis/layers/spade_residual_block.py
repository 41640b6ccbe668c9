"""The residual block of the SPADE and OASIS generators."""

from typing import Any

import keras
from keras import ops

from keras_semisis.layers.spade import SPADE
from keras_semisis.layers.spectral_conv2d import SpectralConv2D


@keras.saving.register_keras_serializable(package="keras_semisis")
class SPADEResidualBlock(keras.layers.Layer):
    """Two spectrally normalized convolutions, each behind SPADE and a leaky ReLU, beside a shortcut.

    ``shortcut(x) + conv_1(lrelu(spade_1(conv_0(lrelu(spade_0(x))))))``. Where the width changes, the shortcut is SPADE and
    a 1×1 convolution without bias.

    Args:
        filters: Output channels.
        num_classes: Number of label ids, the don't-care class included.
        hidden_channels: Width of SPADE's hidden map.
        norm: ``"batch"`` or ``"instance"``.

    Input shape: ``[x, label_map]`` or ``[x, label_map, noise]`` as in `SPADE`. Output shape: ``(B, H, W, filters)``.

    Reference: Park et al., CVPR 2019, figure 4; Schönfeld et al. (OASIS), ICLR 2021, appendix.

    Example:

    >>> import numpy as np
    >>> x, label_map = np.ones((2, 8, 8, 4), "float32"), np.zeros((2, 16, 16), "int32")
    >>> tuple(SPADEResidualBlock(6, num_classes=3)([x, label_map]).shape)
    (2, 8, 8, 6)
    """

    def __init__(self, filters: int, num_classes: int, hidden_channels: int = 128, norm: str = "batch", **kwargs):
        super().__init__(**kwargs)
        self.filters = filters
        self.num_classes = num_classes
        self.hidden_channels = hidden_channels
        self.norm_name = norm

    def _modulation(self, name):
        return SPADE(self.num_classes, self.hidden_channels, self.norm_name, name=name, dtype=self.dtype_policy)

    def build(self, input_shape) -> None:
        x_shape, *semantics = input_shape
        middle = min(x_shape[-1], self.filters)
        self.has_shortcut = x_shape[-1] != self.filters
        self.norm_0, self.norm_1 = self._modulation("norm_0"), self._modulation("norm_1")
        self.conv_0 = SpectralConv2D(middle, 3, name="conv_0", dtype=self.dtype_policy)
        self.conv_1 = SpectralConv2D(self.filters, 3, name="conv_1", dtype=self.dtype_policy)
        middle_shape = (*x_shape[:-1], middle)
        self.norm_0.build([x_shape, *semantics])
        self.conv_0.build(x_shape)
        self.norm_1.build([middle_shape, *semantics])
        self.conv_1.build(middle_shape)
        if self.has_shortcut:
            self._build_shortcut(x_shape, semantics)

    def _build_shortcut(self, x_shape, semantics):
        self.norm_s = self._modulation("norm_s")
        self.norm_s.build([x_shape, *semantics])
        self.conv_s = SpectralConv2D(self.filters, 1, use_bias=False, name="conv_s", dtype=self.dtype_policy)
        self.conv_s.build(x_shape)

    def call(self, inputs, training=False):
        x, *semantics = inputs
        return self._shortcut(x, semantics, training) + self._residual(x, semantics, training)

    def _residual(self, x, semantics, training):
        y = ops.leaky_relu(self.norm_0([x, *semantics], training=training), 0.2)
        y = self.conv_0(y, training=training)
        y = ops.leaky_relu(self.norm_1([y, *semantics], training=training), 0.2)
        return self.conv_1(y, training=training)

    def _shortcut(self, x, semantics, training):
        if not self.has_shortcut:
            return x
        return self.conv_s(self.norm_s([x, *semantics], training=training), training=training)

    def compute_output_shape(self, input_shape):
        return (*input_shape[0][:-1], self.filters)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {
            "filters": self.filters,
            "num_classes": self.num_classes,
            "hidden_channels": self.hidden_channels,
            "norm": self.norm_name,
        }
