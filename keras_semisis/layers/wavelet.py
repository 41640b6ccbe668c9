"""Orthogonal two-dimensional wavelet transforms."""

from typing import Any

import keras
import numpy as np
import pywt
from keras import ops

from keras_semisis.layers.resize import interleave


def _orthogonal(name: str) -> pywt.Wavelet:
    try:
        wavelet = pywt.Wavelet(name)
    except ValueError as error:
        raise ValueError(f"wavelet={name!r} is not a PyWavelets filter: {error}") from None
    if not wavelet.orthogonal:
        raise ValueError(
            f"wavelet={name!r} is not orthogonal, so that its transpose is not its inverse. "
            'Take "haar", or one of the families db, sym, coif.'
        )
    return wavelet


def _analysis_matrix(wavelet: pywt.Wavelet, length: int) -> np.ndarray:
    """The orthogonal matrix whose first half of rows are the low-pass, second half the high-pass coefficients."""
    low, high = pywt.dwt(np.eye(length), wavelet, mode="periodization", axis=0)
    return np.concatenate([low, high]).astype("float32")


class _Wavelet(keras.layers.Layer):
    def __init__(self, wavelet: str = "haar", **kwargs):
        super().__init__(**kwargs)
        self.wavelet = wavelet
        self.haar = _orthogonal(wavelet).dec_len == 2

    def _matrices(self, height, width):
        wavelet = _orthogonal(self.wavelet)
        return [ops.convert_to_tensor(_analysis_matrix(wavelet, n), self.compute_dtype) for n in (height, width)]

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"wavelet": self.wavelet}


@keras.saving.register_keras_serializable(package="keras_semisis")
class WaveletDown(_Wavelet):
    """One level of the orthonormal wavelet transform: half the resolution, four times the channels.

    Output channels are ``[LL | LH | HL | HH]``, each group in the order of the input channels; LH is the difference along
    the height, HL along the width. For Haar and a 2×2 cell ``[[a, b], [c, d]]``: LL = (a+b+c+d)/2, LH = (a+b-c-d)/2,
    HL = (a-b+c-d)/2, HH = (a-b-c+d)/2. Longer filters are periodized; coefficients are those of
    ``pywt.dwt2(mode="periodization")``.

    Args:
        wavelet: ``"haar"``, or the name of any orthogonal PyWavelets filter, as ``"db2"``.

    Input shape: ``(B, H, W, C)``, H and W even. Output shape: ``(B, H/2, W/2, 4C)``.

    Reference: Gal et al., "SWAGAN", 2021, section 3; Eskandar et al., "Wavelet-based unsupervised label-to-image
    translation", ICASSP 2022.

    Example:

    >>> x = np.array([1.0, 2.0, 3.0, 4.0]).reshape(1, 2, 2, 1)
    >>> ops.convert_to_numpy(WaveletDown()(x)).tolist()
    [[[[5.0, -2.0, -1.0, 0.0]]]]
    """

    def build(self, input_shape) -> None:
        if any(n is not None and n % 2 for n in input_shape[1:3]):
            raise ValueError(f"WaveletDown needs an even height and width, got {tuple(input_shape[1:3])}.")

    def call(self, x):
        if self.haar:
            top, bottom = _pairs(x, axis=1)
            (a, b), (c, d) = _pairs(top + bottom, axis=2), _pairs(top - bottom, axis=2)
            return ops.concatenate([a + b, c + d, a - b, c - d], axis=-1) * 0.5
        rows, columns = self._matrices(*x.shape[1:3])
        x = ops.einsum("ih,bhwc->biwc", rows, x)
        x = ops.einsum("jw,biwc->bijc", columns, x)
        low, high = ops.split(x, 2, axis=1)
        return ops.concatenate(
            [band for half in (0, 1) for band in (ops.split(low, 2, axis=2)[half], ops.split(high, 2, axis=2)[half])], axis=-1
        )

    def compute_output_shape(self, input_shape):
        batch, height, width, channels = input_shape
        return (batch, height and height // 2, width and width // 2, 4 * channels)


@keras.saving.register_keras_serializable(package="keras_semisis")
class WaveletUp(_Wavelet):
    """The inverse of `WaveletDown`: twice the resolution, a quarter of the channels.

    Args:
        wavelet: As in `WaveletDown`.

    Input shape: ``(B, H, W, 4C)``, channels ``[LL | LH | HL | HH]``. Output shape: ``(B, 2H, 2W, C)``.

    Example:

    >>> x = keras.random.normal((1, 4, 4, 3))
    >>> bool(ops.max(ops.abs(WaveletUp()(WaveletDown()(x)) - x)) < 1e-5)
    True
    """

    def build(self, input_shape) -> None:
        if input_shape[-1] % 4:
            raise ValueError(f"WaveletUp needs four channel groups [LL|LH|HL|HH], got {input_shape[-1]} channels.")

    def call(self, x):
        ll, lh, hl, hh = ops.split(x, 4, axis=-1)
        if self.haar:
            low = interleave(ll + hl, ll - hl, axis=2)
            high = interleave(lh + hh, lh - hh, axis=2)
            return interleave(low + high, low - high, axis=1) * 0.5
        x = ops.concatenate([ops.concatenate([ll, hl], axis=2), ops.concatenate([lh, hh], axis=2)], axis=1)
        rows, columns = self._matrices(*x.shape[1:3])
        x = ops.einsum("hi,bhwc->biwc", rows, x)
        return ops.einsum("wj,biwc->bijc", columns, x)

    def compute_output_shape(self, input_shape):
        batch, height, width, channels = input_shape
        return (batch, height and height * 2, width and width * 2, channels // 4)


def _pairs(x, axis):
    """The even and the odd rows (axis 1) or columns (axis 2); strided slices are several times slower on CPU."""
    shape = list(ops.shape(x))
    shape[axis : axis + 1] = [shape[axis] // 2, 2]
    return ops.unstack(ops.reshape(x, shape), axis=axis + 1)
