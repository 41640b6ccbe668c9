"""Transposed convolution whose kernel is divided by its largest singular value."""

from typing import Any

import keras
from keras import ops

from keras_semisis.layers.spectral_conv2d import SpectralLayer


@keras.saving.register_keras_serializable(package="keras_semisis")
class SpectralConv2DTranspose(SpectralLayer):
    """2D transposed convolution with a spectrally normalized kernel, which multiplies the resolution by ``strides``.

    The kernel is reparametrized as in `SpectralConv2D`. Its matrix W is outputs × (height, width, inputs), as PyTorch's
    spectral normalization takes it: not the matrix of the convolution that it is the transpose of.

    Args:
        filters: Output channels.
        kernel_size: Side of the square kernel; ``kernel_size - strides`` is even and not negative. On each side of the
            full result, ``(kernel_size - strides) / 2`` pixels are cut off (PyTorch's ``padding``).
        strides: Factor by which height and width grow.
        use_bias: Whether a bias is added; it is not normalized.

    Input shape: ``(B, H, W, C)``. Output shape: ``(B, strides * H, strides * W, filters)``.

    Raises:
        ValueError: If ``kernel_size - strides`` is odd or negative.

    Reference: Miyato et al., "Spectral Normalization for Generative Adversarial Networks", ICLR 2018, section 2.1.

    Example:

    >>> tuple(SpectralConv2DTranspose(8, 4, strides=2)(keras.random.normal((1, 3, 5, 4)), training=True).shape)
    (1, 6, 10, 8)
    """

    def __init__(self, filters: int, kernel_size: int, strides: int = 1, use_bias: bool = True, **kwargs):
        super().__init__(filters, use_bias, **kwargs)
        if kernel_size < strides or (kernel_size - strides) % 2:
            raise ValueError(
                f"SpectralConv2DTranspose: kernel_size={kernel_size}, strides={strides}: expected a kernel_size "
                f"of {strides}, {strides + 2}, {strides + 4}, ..., which can be cut evenly on both sides."
            )
        self.kernel_size = kernel_size
        self.strides = strides

    def build(self, input_shape) -> None:
        self._add_weights((self.kernel_size, self.kernel_size, self.filters, input_shape[-1]))

    def _transposed_matrix(self, kernel):
        return ops.reshape(ops.transpose(kernel, (0, 1, 3, 2)), (-1, self.filters))

    def call(self, x, training=False):
        kernel = ops.cast(self._normalized_kernel(training), self.compute_dtype)
        x = ops.conv_transpose(x, kernel, strides=self.strides, padding="same", data_format="channels_last")
        return x + ops.convert_to_tensor(self.bias) if self.use_bias else x

    def compute_output_shape(self, input_shape):
        batch, height, width, _ = input_shape
        return (batch, height and height * self.strides, width and width * self.strides, self.filters)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"kernel_size": self.kernel_size, "strides": self.strides}
