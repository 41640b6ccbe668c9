"""Convolution with zero padding that is the same on all sides, as the published networks have it."""

from typing import Any

from keras import ops


def convolve(x: Any, kernel, strides: int, padding: int):
    """``x`` (B, H, W, C) with ``padding`` zero rows and columns on each side, convolved with a square kernel."""
    keras_padding = "valid"
    if strides == 1 and 2 * padding == kernel.shape[0] - 1:
        keras_padding = "same"
    elif padding:
        x = ops.pad(x, ((0, 0), (padding, padding), (padding, padding), (0, 0)))
    return ops.conv(x, kernel, strides=strides, padding=keras_padding, data_format="channels_last")


def convolved_shape(input_shape, filters: int, kernel_size: int, strides: int, padding: int):
    """The shape of `convolve`'s result; unknown sizes stay None."""
    batch, height, width, _ = input_shape
    height, width = (n and (n + 2 * padding - kernel_size) // strides + 1 for n in (height, width))
    return (batch, height, width, filters)
