"""Spatially-adaptive normalization."""

from typing import Any

import keras

from keras_semisis.layers.batch_norm import BatchNorm
from keras_semisis.layers.convolve import ZeroPaddedConv2D
from keras_semisis.layers.instance_norm import InstanceNorm
from keras_semisis.layers.resize import resize_nearest
from keras_semisis.layers.semantic_conv2d import SemanticConv2D


def _normalization(norm: str, dtype):
    if norm == "batch":
        return BatchNorm(name="norm", dtype=dtype)
    if norm == "instance":
        return InstanceNorm(name="norm", dtype=dtype)
    raise ValueError(f'norm={norm!r}: expected "batch" or "instance".')


@keras.saving.register_keras_serializable(package="keras_semisis")
class SPADE(keras.layers.Layer):
    """Normalizes features, then scales and shifts them by what the label map says at each pixel.

    ``norm(x) * (1 + gamma(m)) + beta(m)``; gamma and beta are 3×3 convolutions of a hidden map, a 3×3 convolution with
    ReLU of the label map and, where given, of the noise (OASIS).

    Args:
        num_classes: Number of label ids, the don't-care class included.
        hidden_channels: Width of the hidden map.
        norm: ``"batch"`` or ``"instance"``, both without parameters.

    Input shape: ``[x, label_map]`` or ``[x, label_map, noise]``: float ``(B, H, W, C)``, integer ``(B, H', W')`` with
    ids in 0..num_classes-1 (resized to H×W by nearest neighbor), float ``(B, noise_channels)``.
    Output shape: ``(B, H, W, C)``.

    Reference: Park et al., "Semantic Image Synthesis with Spatially-Adaptive Normalization", CVPR 2019, eq. 1.

    Example:

    >>> import numpy as np
    >>> x, label_map = np.ones((2, 8, 8, 4), "float32"), np.zeros((2, 16, 16), "int32")
    >>> tuple(SPADE(num_classes=3)([x, label_map]).shape)
    (2, 8, 8, 4)
    """

    def __init__(self, num_classes: int, hidden_channels: int = 128, norm: str = "batch", **kwargs):
        super().__init__(**kwargs)
        self.num_classes = num_classes
        self.hidden_channels = hidden_channels
        self.norm_name = norm
        self.norm = _normalization(norm, self.dtype_policy)
        self.shared = SemanticConv2D(hidden_channels, num_classes, activation="relu", name="shared", dtype=self.dtype_policy)

    def build(self, input_shape) -> None:
        x_shape, *semantics = input_shape
        resized = (semantics[0][0], *x_shape[1:3])
        self.norm.build(x_shape)
        self.shared.build([resized, *semantics[1:]])
        # gamma and beta are one convolution of twice the width: half the passes over the hidden map
        self.gamma_beta = ZeroPaddedConv2D(2 * x_shape[-1], 3, name="gamma_beta", dtype=self.dtype_policy)
        self.gamma_beta.build((*resized, self.hidden_channels))

    def call(self, inputs, training=False):
        x, label_map, *noise = inputs
        label_map = resize_nearest(label_map, x.shape[1:3])
        gamma, beta = keras.ops.split(self.gamma_beta(self.shared([label_map, *noise])), 2, axis=-1)
        normalized = self.norm(x, training=training) if self.norm_name == "batch" else self.norm(x)
        return normalized * (1 + gamma) + beta

    def compute_output_shape(self, input_shape):
        return input_shape[0]

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {
            "num_classes": self.num_classes,
            "hidden_channels": self.hidden_channels,
            "norm": self.norm_name,
        }
