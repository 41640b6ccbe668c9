"""Convolution with zero padding that is the same on all sides, as the published networks have it."""

from collections.abc import Callable
from functools import cache
from typing import Any

import keras
import numpy as np
from keras import ops

# of an input that is smaller than a kernel XLA's CPU compiler makes the kernel, which takes it 50 times as long; up to here
# a product of matrices was as quick or quicker on every backend
_POSITIONS_OF_SMALL_MAP = 32


def convolve(x: Any, kernel, strides: int, padding: int):
    """``x`` (B, H, W, C) with ``padding`` zero rows and columns on each side, convolved with a square kernel."""
    # where PyTorch traces, lengths are tensors
    size = int(kernel.shape[0])
    height, width = (length and int(length) for length in x.shape[1:3])
    if size > 1 and height and width and height * width <= _POSITIONS_OF_SMALL_MAP:
        return _convolve_small_map(x, height, width, kernel, strides, padding)
    keras_padding = "valid"
    if strides == 1 and 2 * padding == size - 1:
        keras_padding = "same"
    elif padding:
        x = ops.pad(x, ((0, 0), (padding, padding), (padding, padding), (0, 0)))
    if keras.config.backend() == "torch":  # which would put a kernel that lies otherwise in this order itself, more slowly
        flat = ops.reshape(ops.transpose(kernel, (3, 0, 1, 2)), (-1,))
        kernel = ops.transpose(ops.reshape(flat, (kernel.shape[3], *kernel.shape[:3])), (1, 2, 3, 0))
    return in_layout_of_backend(lambda x, layout: ops.conv(x, kernel, strides, keras_padding, layout), x)


def in_layout_of_backend(fn: Callable, x: Any):
    """``fn(x, data_format)`` of a map ``(B, H, W, C)``, in the data format in which the backend does not copy it.

    To PyTorch channels-last maps are a way to lie in memory, which it keeps; Keras copies them to channels-first and back.
    """
    if keras.config.backend() != "torch":
        return fn(x, "channels_last")
    return ops.transpose(fn(ops.transpose(x, (0, 3, 1, 2)), "channels_first"), (0, 2, 3, 1))


def _convolve_small_map(x, height, width, kernel, strides, padding):
    """What each tap sees, a product with a constant matrix, times the kernel as a matrix: no gradient has many addends."""
    size, _, channels, filters = map(int, kernel.shape)
    seen = _seen_by_taps(height, width, size, strides, padding)
    rows, columns = (_convolved_length(length, size, strides, padding) for length in (height, width))
    x = ops.reshape(x, (-1, height * width, channels))
    # dtypes are one: under mixed_bfloat16 both are bfloat16
    x = ops.matmul(ops.convert_to_tensor(seen, kernel.dtype), ops.cast(x, kernel.dtype))
    x = ops.matmul(ops.reshape(x, (-1, size * size * channels)), ops.reshape(kernel, (-1, filters)))
    return ops.reshape(x, (-1, rows, columns, filters))


@cache
def _seen_by_taps(height, width, size, strides, padding):
    """Which pixel each tap of a kernel lies on at each output pixel: 0 and 1, (output pixels · taps) × input pixels."""
    along = [_seen_along(length, size, strides, padding) for length in (height, width)]
    return np.einsum("ihy,jwx->ijhwyx", *along).reshape(-1, height * width)


def _seen_along(length, size, strides, padding):
    output, tap = np.ogrid[: _convolved_length(length, size, strides, padding), :size]
    position = output * strides + tap - padding
    return (position[..., None] == np.arange(length)).astype("float32")


def convolved_shape(input_shape, filters: int, kernel_size: int, strides: int, padding: int):
    """The shape of `convolve`'s result; unknown sizes stay None."""
    batch, height, width, _ = input_shape
    height, width = (n and _convolved_length(n, kernel_size, strides, padding) for n in (height, width))
    return (batch, height, width, filters)


def _convolved_length(length, size, strides, padding):
    return (length + 2 * padding - size) // strides + 1


class ZeroPaddedConv2D(keras.layers.Conv2D):
    """A 3×3 or 1×1 convolution of Keras, zero padded so that the map keeps its size, by `convolve`."""

    def __init__(self, filters: int, kernel_size: int, **kwargs):
        super().__init__(filters, kernel_size, padding="same", data_format="channels_last", **kwargs)

    def convolution_op(self, inputs, kernel):
        return convolve(inputs, ops.convert_to_tensor(kernel), 1, self.kernel_size[0] // 2)
