"""Resizing and pooling to a given size, by the rules of the published networks."""

from typing import Any

import keras
import numpy as np
from keras import ops


def resize_nearest(x: Any, size: tuple[int, int]) -> Any:
    """Resizes ``(B, H, W)`` or ``(B, H, W, C)`` to ``size``: output pixel i is input pixel ``floor(i * in / out)``.

    This is PyTorch's ``interpolate(mode="nearest")``. `keras.ops.image.resize` takes half-pixel centers instead, which
    picks other labels.

    Args:
        x: Tensor of any dtype, channels-last.
        size: Output ``(height, width)``.

    Returns:
        Tensor of the same dtype, ``(B, height, width[, C])``.

    Example:

    >>> ops.convert_to_numpy(resize_nearest(np.arange(6).reshape(1, 1, 6), (1, 4)))[0, 0].tolist()
    [0, 1, 3, 4]
    """
    for axis, length in zip((1, 2), size, strict=True):
        current = x.shape[axis]
        if current == length:
            continue
        if current % length == 0:
            step = current // length
            x = x[:, ::step] if axis == 1 else x[:, :, ::step]
        else:
            x = ops.take(x, np.arange(length) * current // length, axis=axis)
    return x


def resize_bilinear(x: Any, size: tuple, ratio: float | None = None, zeros_outside: bool = False) -> Any:
    """Resizes ``(B, H, W, C)`` to ``size``: output pixel i is interpolated at ``(i + 0.5) * ratio - 0.5``, not smoothed.

    This is PyTorch's ``interpolate(mode="bilinear", align_corners=False)``. `keras.ops.image.resize` has neither of the last
    two arguments, and its size cannot be a tensor.

    Args:
        x: Float tensor, channels-last.
        size: Output ``(height, width)``: numbers, or scalar tensors where they are known only when the network runs.
        ratio: Distance of two output pixels in the input. None: input size / output size of each axis. PyTorch 1.6 and later
            take 1 / ``scale_factor`` where one is given, which differs from it if the output size was rounded.
        zeros_outside: Outside of the map are zeros, as for a transposed convolution by the bilinear kernel, instead of the
            value at the border.

    Returns:
        Tensor of the same dtype, ``(B, height, width, C)``.

    Example:

    >>> x = ops.reshape(ops.convert_to_tensor([0.0, 8.0]), (1, 1, 2, 1))
    >>> ops.convert_to_numpy(resize_bilinear(x, (1, 4)))[0, 0, :, 0].tolist()
    [0.0, 2.0, 6.0, 8.0]
    >>> ops.convert_to_numpy(resize_bilinear(x, (1, 4), zeros_outside=True))[0, 0, :, 0].tolist()
    [0.0, 2.0, 6.0, 6.0]
    """
    for axis, length in zip((1, 2), size, strict=True):
        x = _interpolate(x, axis, length, ratio, zeros_outside)
    return x


def _interpolate(x, axis, length, ratio, zeros_outside):
    current = ops.shape(x)[axis]
    if ratio is None:
        ratio = ops.cast(current, "float32") / ops.cast(length, "float32")
    position = (ops.arange(length, dtype="float32") + 0.5) * ratio - 0.5
    if zeros_outside:
        x = ops.pad(x, [(1, 1) if i == axis else (0, 0) for i in range(4)])
        position, current = position + 1.0, current + 2
    last = ops.cast(current - 1, "float32")
    position = ops.clip(position, 0.0, last)
    low = ops.floor(position)
    share = ops.cast(ops.reshape(position - low, (-1, 1, 1) if axis == 1 else (-1, 1)), x.dtype)
    high = ops.minimum(low + 1.0, last)
    low, high = (ops.take(x, ops.cast(index, "int32"), axis=axis) for index in (low, high))
    return low * (1.0 - share) + high * share


def enlarge_bilinear(x: Any, size: tuple[int, int]) -> Any:
    """As `resize_bilinear`, where no side becomes shorter and all are known, by what is quickest on the backend.

    Args:
        x: Float tensor ``(B, H, W, C)``, H and W known.
        size: Output ``(height, width)``.

    Returns:
        Tensor of the same dtype, ``(B, height, width, C)``.

    Example:

    >>> x = ops.reshape(ops.convert_to_tensor([0.0, 8.0]), (1, 1, 2, 1))
    >>> ops.convert_to_numpy(enlarge_bilinear(x, (1, 4)))[0, 0, :, 0].tolist()
    [0.0, 2.0, 6.0, 8.0]
    """
    if keras.backend.backend() != "jax":
        return ops.image.resize(x, size, "bilinear", data_format="channels_last")
    # JAX's own resize multiplies by matrices, too, and cannot be exported for any batch size
    for axis, length in zip((1, 2), size, strict=True):
        current = x.shape[axis]
        if length == 2 * current:
            x = _double(x, axis)
        elif length != current:
            x = _resize_axis(x, axis, length)
    return x


def _double(x, axis):
    """A third of the time of a matrix."""
    length = x.shape[axis]
    before = ops.concatenate([_cut(x, axis, 0, 1), _cut(x, axis, 0, length - 1)], axis=axis)
    after = ops.concatenate([_cut(x, axis, 1, length), _cut(x, axis, length - 1, length)], axis=axis)
    near = 0.75 * x
    return interleave(near + 0.25 * before, near + 0.25 * after, axis)


def interleave(even: Any, odd: Any, axis: int) -> Any:
    """Rows (axis 1) or columns (axis 2) of two tensors in turn."""
    shape = list(ops.shape(even))
    shape[axis] = 2 * shape[axis]  # not in place: where PyTorch traces, it is a tensor
    return ops.reshape(ops.stack([even, odd], axis=axis + 1), shape)


def _cut(x, axis, begin, end):
    return x[:, begin:end] if axis == 1 else x[:, :, begin:end]


def resize_antialiased(x: Any, size: tuple[int, int]) -> Any:
    """Resizes ``(B, H, W, C)`` to ``size`` by a triangle as wide as two pixels of the coarser grid: smoothed where it shrinks.

    This is ``keras.ops.image.resize(..., "bilinear", antialias=True)``, by a matrix along each axis: the backends' own
    operations are none that ONNX has.

    Args:
        x: Float tensor, channels-last, its height and width known or not.
        size: Output ``(height, width)``.

    Returns:
        Tensor of the same dtype, ``(B, height, width, C)``.

    Example:

    >>> x = ops.reshape(ops.convert_to_tensor([0.0, 0.0, 7.0, 7.0]), (1, 1, 4, 1))
    >>> ops.convert_to_numpy(resize_antialiased(x, (1, 2)))[0, 0, :, 0].round(5).tolist()
    [1.0, 6.0]
    """
    for axis, length in zip((1, 2), size, strict=True):
        if x.shape[axis] != length:
            x = _resize_axis(x, axis, length)
    return x


def _resize_axis(x, axis, length):
    matrix = ops.cast(_triangles(ops.shape(x)[axis], length), x.dtype)
    return ops.einsum("jh,bhwc->bjwc" if axis == 1 else "jw,bhwc->bhjc", matrix, x)


def _triangles(current, length):
    # in NumPy where it can be, so that an exported file has the numbers
    array: Any = np if isinstance(current, int) else ops
    pixel = array.arange(current, dtype="float32")
    ratio = (current if array is np else ops.cast(current, "float32")) / length
    center = (array.arange(length, dtype="float32") + 0.5) * ratio - 0.5
    weight = array.maximum(1.0 - array.abs(center[:, None] - pixel) / array.maximum(ratio, 1.0), 0.0)
    return weight / array.sum(weight, axis=1, keepdims=True)


def adaptive_average_pool(x: Any, size: int) -> Any:
    """Means of ``size`` × ``size`` overlapping cells: cell i has rows ``floor(i H / size)`` to ``ceil((i + 1) H / size)``.

    This is PyTorch's ``adaptive_avg_pool2d``, also where the map is smaller than ``size`` and its pixels are repeated.
    `keras.ops.adaptive_average_pool` refuses maps whose size is known only when the network runs (Keras 3.15, TensorFlow).

    Args:
        x: Float tensor ``(B, H, W, C)``.
        size: Number of cells along each side.

    Returns:
        Tensor of the same dtype, ``(B, size, size, C)``.

    Example:

    >>> x = ops.reshape(ops.arange(3, dtype="float32"), (1, 1, 3, 1))
    >>> ops.convert_to_numpy(adaptive_average_pool(x, 2))[0, :, :, 0].tolist()
    [[0.5, 1.5], [0.5, 1.5]]
    """
    rows, columns = (ops.cast(_cells(ops.shape(x)[axis], size), x.dtype) for axis in (1, 2))
    return ops.einsum("jw,biwc->bijc", columns, ops.einsum("ih,bhwc->biwc", rows, x))


def _cells(length, size):
    """The weight of each of ``length`` pixels in each of ``size`` means."""
    cell = ops.arange(size, dtype="int32")[:, None]
    start, end = cell * length // size, ((cell + 1) * length + size - 1) // size
    pixel = ops.arange(length, dtype="int32")[None]
    inside = ops.cast(ops.logical_and(pixel >= start, pixel < end), "float32")
    return inside / ops.cast(end - start, "float32")
