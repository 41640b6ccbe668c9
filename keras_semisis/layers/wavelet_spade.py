"""SPADE on wavelet coefficients."""

from typing import Any

import keras

from keras_semisis.layers.spade import SPADE
from keras_semisis.layers.wavelet import WaveletDown, WaveletUp


@keras.saving.register_keras_serializable(package="keras_semisis")
class WaveletSPADE(keras.layers.Layer):
    """`SPADE` between an inverse and a forward wavelet transform: modulation in image space, features in wavelet space.

    Args:
        num_classes: Number of label ids, the don't-care class included.
        hidden_channels: Width of SPADE's hidden map.
        norm: ``"batch"`` or ``"instance"``.
        wavelet: As in `WaveletDown`.

    Input shape: ``[x, label_map]`` or ``[x, label_map, noise]`` as in `SPADE`, x with channels ``[LL | LH | HL | HH]``.
    Output shape: that of x. The label map is read at twice x's resolution.

    Reference: Eskandar et al., "Wavelet-based unsupervised label-to-image translation", ICASSP 2022.

    Example:

    >>> import numpy as np
    >>> x, label_map = np.ones((2, 4, 4, 8), "float32"), np.zeros((2, 16, 16), "int32")
    >>> tuple(WaveletSPADE(num_classes=3)([x, label_map]).shape)
    (2, 4, 4, 8)
    """

    def __init__(self, num_classes: int, hidden_channels: int = 128, norm: str = "batch", wavelet: str = "haar", **kwargs):
        super().__init__(**kwargs)
        self.num_classes = num_classes
        self.hidden_channels = hidden_channels
        self.norm_name = norm
        self.wavelet = wavelet
        self.up = WaveletUp(wavelet, name="up", dtype=self.dtype_policy)
        self.spade = SPADE(num_classes, hidden_channels, norm, name="spade", dtype=self.dtype_policy)
        self.down = WaveletDown(wavelet, name="down", dtype=self.dtype_policy)

    def build(self, input_shape) -> None:
        x_shape, *semantics = input_shape
        self.up.build(x_shape)
        image_shape = self.up.compute_output_shape(x_shape)
        self.spade.build([image_shape, *semantics])
        self.down.build(image_shape)

    def call(self, inputs, training=False):
        x, *semantics = inputs
        return self.down(self.spade([self.up(x), *semantics], training=training))

    def compute_output_shape(self, input_shape):
        return input_shape[0]

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {
            "num_classes": self.num_classes,
            "hidden_channels": self.hidden_channels,
            "norm": self.norm_name,
            "wavelet": self.wavelet,
        }
