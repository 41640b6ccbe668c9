"""The [1, 3, 3, 1] low-pass filter of StyleGAN2."""

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_semisis.layers.padding import checked_padding

_TAPS = np.array([1.0, 3.0, 3.0, 1.0], "float32") / 8.0


@keras.saving.register_keras_serializable(package="keras_semisis")
class Blur(keras.layers.Layer):
    """Depthwise filter ``outer([1,3,3,1], [1,3,3,1]) / 64`` on a zero-padded image, optionally keeping every s-th pixel.

    Args:
        padding: Zero rows and columns added on each side.
        strides: Keep pixels 0, strides, 2·strides, ... of the filtered image.

    Input shape: ``(B, H, W, C)``. Output shape: ``(B, ceil((H + 2 * padding - 3) / strides), ..., C)``.

    Raises:
        ValueError: If ``padding`` is no whole number, or negative.

    Reference: Karras et al., "Analyzing and Improving the Image Quality of StyleGAN", CVPR 2020.

    Example:

    >>> tuple(Blur(padding=1, strides=2)(keras.random.normal((1, 8, 8, 3))).shape)
    (1, 4, 4, 3)
    """

    def __init__(self, padding: int, strides: int = 1, **kwargs):
        super().__init__(**kwargs)
        self.padding = checked_padding("Blur", padding, len(_TAPS), strides)
        self.strides = strides

    def call(self, x):
        p = self.padding
        x = ops.pad(x, ((0, 0), (p, p), (p, p), (0, 0)))
        height, width = x.shape[1] - 3, x.shape[2] - 3
        s = self.strides
        x = sum(float(tap) * x[:, i : i + height : s] for i, tap in enumerate(_TAPS))
        return sum(float(tap) * x[:, :, i : i + width : s] for i, tap in enumerate(_TAPS))

    def compute_output_shape(self, input_shape):
        batch, height, width, channels = input_shape
        height, width = (n and -(-(n + 2 * self.padding - 3) // self.strides) for n in (height, width))
        return (batch, height, width, channels)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"padding": self.padding, "strides": self.strides}
