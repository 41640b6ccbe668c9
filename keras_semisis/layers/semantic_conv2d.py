"""Convolution over a label map and noise, which is spread out over the image only where it differs between pixels."""

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_semisis.layers.class_map import class_map
from keras_semisis.layers.convolve import convolve
from keras_semisis.layers.resize import resize_nearest


@keras.saving.register_keras_serializable(package="keras_semisis")
class SemanticConv2D(keras.layers.Layer):
    """3×3 convolution, zero padded, over ``concat(noise, one_hot(label_map))`` (OASIS, "3D noise").

    Noise that is the same at every pixel has a share of the sum that depends only on which of the nine taps lie inside the
    image; it is computed from nine vectors per image instead of a ``noise_channels``-wide convolution. A map of noise is
    resized to the label map by nearest neighbor.

    Args:
        filters: Output channels.
        num_classes: Number of label ids, the don't-care class included.
        activation: Keras activation, or None.

    Input shape: ``[label_map]`` or ``[label_map, noise]``: integer ``(B, H, W)``, or, of a `ClassAffinity`, float
        ``(B, H, W, num_classes)``; and float ``(B, noise_channels)``, or a map ``(B, H', W', noise_channels)``.
    Output shape: ``(B, H, W, filters)``.

    Example:

    >>> import numpy as np
    >>> layer = SemanticConv2D(8, num_classes=5)
    >>> tuple(layer([np.zeros((2, 4, 6), "int32"), np.zeros((2, 3), "float32")]).shape)
    (2, 4, 6, 8)
    """

    def __init__(self, filters: int, num_classes: int, activation: Any = None, **kwargs):
        super().__init__(**kwargs)
        self.filters = filters
        self.num_classes = num_classes
        self.activation = keras.activations.get(activation)

    def build(self, input_shape) -> None:
        self.noise_channels = input_shape[1][-1] if len(input_shape) == 2 else 0
        channels = self.noise_channels + self.num_classes
        self.kernel = self.add_weight(name="kernel", shape=(3, 3, channels, self.filters), initializer="glorot_uniform")
        self.bias = self.add_weight(name="bias", shape=(self.filters,), initializer="zeros")

    def call(self, inputs):
        label_map, noise = inputs if self.noise_channels else (inputs[0], None)
        kernel = ops.convert_to_tensor(self.kernel)
        classes, size = class_map(label_map, self.num_classes, self.compute_dtype), label_map.shape[1:3]
        if noise is not None and len(noise.shape) == 4:
            noise = resize_nearest(noise, size)
            x = convolve(ops.concatenate([noise, classes], axis=-1), kernel, 1, 1)
            return self.activation(x + ops.convert_to_tensor(self.bias))
        x = convolve(classes, kernel[:, :, self.noise_channels :], 1, 1)
        if noise is not None:
            taps = ops.einsum("bz,klzf->bklf", noise, kernel[:, :, : self.noise_channels])
            # sums as products: no tap is read twice, so that no gradient has three addends, which TensorFlow adds as they come
            height, width = size
            rows, columns = (ops.convert_to_tensor(_inside(length), taps.dtype) for length in (height, width))
            taps = ops.einsum("bklf,yk,xl->byxf", taps, rows, columns)
            x = x + _spread(_spread(taps, height, axis=1), width, axis=2)
        return self.activation(x + ops.convert_to_tensor(self.bias))

    def compute_output_shape(self, input_shape):
        return (*input_shape[0][:3], self.filters)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {
            "filters": self.filters,
            "num_classes": self.num_classes,
            "activation": keras.activations.serialize(self.activation),
        }


def _inside(length):
    """Which of its three taps lie inside the image (columns) at the first position of an axis, those between, and the last."""
    return np.array([[0, 1, 1], [1, 1, 1], [1, 1, 0]] if length > 1 else [[0, 1, 0]], "float32")


def _spread(kinds, length, axis):
    """Along an axis, what holds at the first position, those between, and the last, at each of ``length`` positions."""
    if length == 1:
        return kinds
    first, between, last = ops.split(kinds, 3, axis=axis)
    if length == 2:  # ONNX would take a length of 0 for that of the input
        return ops.concatenate([first, last], axis=axis)
    return ops.concatenate([first, ops.repeat(between, length - 2, axis=axis), last], axis=axis)
