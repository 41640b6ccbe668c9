"""Convolution over a label map and a noise vector, neither of them spread out over the image."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_semisis")
class SemanticConv2D(keras.layers.Layer):
    """3×3 convolution, zero padded, over ``concat(noise, one_hot(label_map))`` (OASIS, "3D noise").

    The noise is the same at every pixel, so its share of the sum depends only on which of the nine taps lie inside the
    image; it is computed from nine vectors per image instead of a ``noise_channels``-wide convolution.

    Args:
        filters: Output channels.
        num_classes: Number of label ids, the don't-care class included.
        activation: Keras activation, or None.

    Input shape: ``[label_map]`` or ``[label_map, noise]``: integer ``(B, H, W)`` and float ``(B, noise_channels)``.
    Output shape: ``(B, H, W, filters)``.

    Example:

    >>> import numpy as np
    >>> layer = SemanticConv2D(8, num_classes=5)
    >>> tuple(layer([np.zeros((2, 4, 6), "int32"), np.zeros((2, 3), "float32")]).shape)
    (2, 4, 6, 8)
    """

    def __init__(self, filters, num_classes, activation=None, **kwargs):
        super().__init__(**kwargs)
        self.filters = filters
        self.num_classes = num_classes
        self.activation = keras.activations.get(activation)

    def build(self, input_shape):
        self.noise_channels = input_shape[1][-1] if len(input_shape) == 2 else 0
        channels = self.noise_channels + self.num_classes
        self.kernel = self.add_weight(
            name="kernel", shape=(3, 3, channels, self.filters), initializer="glorot_uniform")
        self.bias = self.add_weight(name="bias", shape=(self.filters,), initializer="zeros")

    def call(self, inputs):
        label_map, noise = inputs if self.noise_channels else (inputs[0], None)
        kernel = ops.convert_to_tensor(self.kernel)
        one_hot = ops.one_hot(label_map, self.num_classes, dtype=self.compute_dtype)
        x = ops.conv(one_hot, kernel[:, :, self.noise_channels:], padding="same", data_format="channels_last")
        if noise is not None:
            taps = ops.einsum("bz,klzf->bklf", noise, kernel[:, :, : self.noise_channels])
            for axis in (1, 2):
                taps = _sum_inside(taps, label_map.shape[axis], axis)
            x = x + taps
        return self.activation(x + ops.convert_to_tensor(self.bias))

    def compute_output_shape(self, input_shape):
        return (*input_shape[0], self.filters)

    def get_config(self):
        return super().get_config() | {
            "filters": self.filters, "num_classes": self.num_classes,
            "activation": keras.activations.serialize(self.activation)}


def _sum_inside(taps, length, axis):
    """Along an axis of three taps, their sum at each of ``length`` positions over the taps that lie inside the image."""
    before, centre, after = ops.split(taps, 3, axis=axis)
    if length == 1:
        return centre
    inner = ops.repeat(before + centre + after, length - 2, axis=axis)
    return ops.concatenate([centre + after, inner, before + centre], axis=axis)
