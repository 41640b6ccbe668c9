"""The residual block of the waveletSPADE generator."""

from typing import Any

import keras
from keras import ops

from keras_semisis.layers.detail_gain import DetailGain
from keras_semisis.layers.resize import enlarge_bilinear
from keras_semisis.layers.spade_residual_block import SPADEResidualBlock
from keras_semisis.layers.spectral_conv2d import SpectralConv2D
from keras_semisis.layers.wavelet import WaveletDown, WaveletUp
from keras_semisis.layers.wavelet_spade import WaveletSPADE


@keras.saving.register_keras_serializable(package="keras_semisis")
class WaveletResidualBlock(SPADEResidualBlock):
    """`SPADEResidualBlock` on wavelet coefficients, with the upsampling inside.

    The modulation is `WaveletSPADE`; the shortcut is a 1×1 convolution without normalization. With ``upsample`` the
    residual is doubled in wavelet space by nearest neighbor, the shortcut in image space bilinearly.

    Args:
        filters: Output channels, a multiple of 4.
        num_classes: Number of label ids, the don't-care class included.
        hidden_channels: Width of SPADE's hidden map.
        norm: ``"batch"`` or ``"instance"``.
        wavelet: As in `WaveletDown`.
        upsample: Whether the resolution doubles.
        detail_gain: Gain of the details that its convolutions give, as in `DetailGain`.

    Input shape: ``[x, label_map]`` or ``[x, label_map, noise]``, x with channels ``[LL | LH | HL | HH]``.
    Output shape: ``(B, H, W, filters)``, or ``(B, 2H, 2W, filters)`` with ``upsample``.

    Reference: Eskandar et al., "Wavelet-based unsupervised label-to-image translation", ICASSP 2022.

    Example:

    >>> import numpy as np
    >>> x, label_map = np.ones((2, 4, 4, 16), "float32"), np.zeros((2, 16, 16), "int32")
    >>> tuple(WaveletResidualBlock(8, num_classes=3, upsample=True)([x, label_map]).shape)
    (2, 8, 8, 8)
    """

    def __init__(
        self,
        filters: int,
        num_classes: int,
        hidden_channels: int = 128,
        norm: str = "batch",
        wavelet: str = "haar",
        upsample: bool = True,
        detail_gain: float = 1.0,
        **kwargs,
    ):
        super().__init__(filters, num_classes, hidden_channels, norm, **kwargs)
        self.wavelet = wavelet
        self.upsample = upsample
        self.detail_gain = DetailGain(detail_gain, name="detail_gain", dtype=self.dtype_policy)
        self.to_image = WaveletUp(wavelet, name="to_image", dtype=self.dtype_policy)
        self.to_wavelet = WaveletDown(wavelet, name="to_wavelet", dtype=self.dtype_policy)

    def _modulation(self, name):
        return WaveletSPADE(
            self.num_classes, self.hidden_channels, self.norm_name, self.wavelet, name=name, dtype=self.dtype_policy
        )

    def _build_shortcut(self, x_shape, semantics):
        self.conv_s = SpectralConv2D(self.filters, 1, use_bias=False, name="conv_s", dtype=self.dtype_policy)
        self.conv_s.build(x_shape)

    def build(self, input_shape) -> None:
        super().build(input_shape)
        shape = (*input_shape[0][:-1], self.filters)
        self.detail_gain.build(shape)
        self.to_image.build(shape)
        self.to_wavelet.build(self.to_image.compute_output_shape(shape))

    def call(self, inputs, training=False):
        x, *semantics = inputs
        shortcut = self._shortcut(x, semantics, training)
        residual = self.detail_gain(self._residual(x, semantics, training))
        if not self.upsample:
            return shortcut + residual
        image = self.to_image(shortcut)
        height, width = ops.shape(image)[1:3]  # tensors where TensorFlow does not know them
        image = enlarge_bilinear(image, (2 * height, 2 * width))
        residual = ops.repeat(ops.repeat(residual, 2, axis=1), 2, axis=2)
        return self.to_wavelet(image) + residual

    def _shortcut(self, x, semantics, training):
        return self.detail_gain(self.conv_s(x, training=training)) if self.has_shortcut else x

    def compute_output_shape(self, input_shape):
        batch, height, width, _ = input_shape[0]
        if self.upsample:
            height, width = (side and 2 * side for side in (height, width))
        return (batch, height, width, self.filters)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {
            "wavelet": self.wavelet,
            "upsample": self.upsample,
            "detail_gain": self.detail_gain.gain,
        }
