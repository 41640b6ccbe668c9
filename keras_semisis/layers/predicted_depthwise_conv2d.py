"""Depthwise convolution with a kernel of its own at every pixel."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_semisis")
class PredictedDepthwiseConv2D(keras.layers.Layer):
    """3×3 depthwise convolution, zero padded, whose kernels come in as a second input, one for each pixel and channel.

    ``y[i, j, c] = Σ x[i + ky - 1, j + kx - 1, c] · kernels[i, j, (3 ky + kx) C + c]``, ky and kx in 0..2. The layer has no
    weights. It sums nine shifted products: no map of patches, which would be nine times the input, is stored.

    Input shape: ``[x, kernels]``: ``(B, H, W, C)`` and ``(B, H, W, 9 C)``, tap after tap, each tap's C channels together.
    Output shape: ``(B, H, W, C)``.

    Reference: Liu et al., "Learning to Predict Layout-to-image Conditional Convolutions for Semantic Image Synthesis",
    NeurIPS 2019.

    Example:

    >>> import numpy as np
    >>> x, kernels = np.ones((1, 3, 3, 2), "float32"), np.ones((1, 3, 3, 18), "float32")
    >>> ops.convert_to_numpy(PredictedDepthwiseConv2D()([x, kernels]))[0, :, :, 0].tolist()
    [[4.0, 6.0, 4.0], [6.0, 9.0, 6.0], [4.0, 6.0, 4.0]]
    """

    def build(self, input_shape) -> None:
        x_shape, kernels_shape = input_shape
        if kernels_shape[-1] != 9 * x_shape[-1]:
            raise ValueError(
                f"PredictedDepthwiseConv2D: kernels has {kernels_shape[-1]} channels, expected 9 for each of the "
                f"{x_shape[-1]} channels of x: {9 * x_shape[-1]}."
            )

    def call(self, inputs):
        x, kernels = inputs
        height, width = x.shape[1:3]
        x = ops.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
        # the gradient of one split is one concatenation; that of nine slices would be nine maps of the size of kernels
        taps = ops.split(kernels, 9, axis=-1)
        shifted = (x[:, ky : ky + height, kx : kx + width] for ky in range(3) for kx in range(3))
        return sum(part * tap for part, tap in zip(shifted, taps, strict=True))

    def compute_output_shape(self, input_shape):
        return input_shape[0]
