"""How loud the details of wavelet coefficients are."""

from typing import Any

import keras
from keras import ops

from keras_semisis.data.argument_error import ArgumentError


@keras.saving.register_keras_serializable(package="keras_semisis")
class DetailGain(keras.layers.Layer):
    """Multiplies the coefficients LH, HL and HH by a constant.

    A network that gives wavelet coefficients begins with all four groups alike, and learns all at one rate: four fifths of a
    new `models.wavelet_spade_generator`'s power lie at a period of two pixels, in photos a thousandth does, and every detail
    that is the same at all positions, such as a bias, is a pattern of dots. Behind a gain below 1 the details begin as much
    smaller and, under Adam, whose steps do not depend on the gradient's size, learn as much more slowly.

    Args:
        gain: The constant, in (0, 1].

    Input shape: ``(B, H, W, 4C)``, channels ``[LL | LH | HL | HH]``. Output shape: that of the input.

    Raises:
        ValueError: If the gain is outside.

    Example:

    >>> ops.convert_to_numpy(DetailGain(0.5)(ops.ones((1, 1, 1, 4)))).tolist()
    [[[[1.0, 0.5, 0.5, 0.5]]]]
    """

    def __init__(self, gain: float, **kwargs):
        super().__init__(**kwargs)
        if not 0 < gain <= 1:
            raise ArgumentError("{} is not in (0, 1].", {"detail_gain": gain})
        self.gain = gain

    def call(self, x):
        if self.gain == 1:
            return x
        group = x.shape[-1] // 4
        gains = [1.0] * group + [self.gain] * (x.shape[-1] - group)
        return x * ops.convert_to_tensor(gains, x.dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"gain": self.gain}
