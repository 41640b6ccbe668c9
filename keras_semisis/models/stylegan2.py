"""The StyleGAN2 discriminator, on whole images or on tiles."""

import math
from typing import Any

import keras
from keras import ops

from keras_semisis.data.argument_error import ArgumentError
from keras_semisis.layers import Blur, EqualizedConv2D
from keras_semisis.models.image_size import check_image_size
from keras_semisis.models.usis import DISCRIMINATOR_WIDTHS, WaveletDiscriminatorBlock, logit_of


@keras.saving.register_keras_serializable(package="keras_semisis")
class StyleGAN2ResidualBlock(WaveletDiscriminatorBlock):
    """Two 3×3 convolutions that halve the resolution, and a shortcut; their sum keeps the variance."""

    def build(self, input_shape) -> None:
        super().build(input_shape)
        dtype = self.dtype_policy
        # a 1×1 convolution of stride 2 reads only every second pixel: the blur computes no other
        self.skip_blur = Blur(padding=1, strides=2, name="skip_blur", dtype=dtype)
        self.skip = EqualizedConv2D(self.filters, 1, use_bias=False, name="skip", dtype=dtype)
        for layer in (self.skip_blur, self.skip):
            layer.build(input_shape)

    def call(self, x):
        return (super().call(x) + self.skip(self.skip_blur(x))) / math.sqrt(2.0)


@keras.saving.register_keras_serializable(package="keras_semisis")
class SplitIntoTiles(keras.layers.Layer):
    """Cuts images into square tiles, one a sample: all of the first image, row by row, then those of the second, ..."""

    def __init__(self, tile_size, **kwargs):
        super().__init__(**kwargs)
        self.tile_size = tile_size

    def call(self, x):
        height, width, channels = x.shape[1:]
        size = self.tile_size
        x = ops.reshape(x, (-1, height // size, size, width // size, size, channels))
        return ops.reshape(ops.transpose(x, (0, 1, 3, 2, 4, 5)), (-1, size, size, channels))

    def compute_output_shape(self, input_shape):
        batch, height, width, channels = input_shape
        size = self.tile_size
        return (batch and batch * (height // size) * (width // size), size, size, channels)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"tile_size": self.tile_size}


def stylegan2_discriminator(
    image_size: tuple[int, int],
    channels: dict[int, int] | None = None,
    tile_size: int | None = None,
    name: str = "unconditional_discriminator",
) -> keras.Model:
    """The residual discriminator of StyleGAN2, on whole images or, as a patch discriminator, on tiles of them.

    With S = 2^floor(log2(max(height, width))) of what it looks at, the image or a tile, it has log2(S) - 2 residual blocks.
    Its standard deviation over a group of samples then runs over tiles.

    Args:
        image_size: ``(height, width)``, multiples of S / 4; with tiles, multiples of ``tile_size``.
        channels: Resolution (a power of two) to width; None is the published
            ``{4: 512, 8: 512, 16: 512, 32: 512, 64: 512, 128: 256, 256: 128, 512: 64, 1024: 32}``.
        tile_size: Side of the tiles, a power of two from 8; None for whole images.
        name: Name of the model.

    Returns:
        A model from images ``(B, H, W, 3)`` in [-1, 1] to logits float32 ``(B, 1)``; with tiles ``(B * rows * columns, 1)``:
        the first image's tiles, row by row, then the second's.

    Raises:
        ValueError: If the size does not fit, naming the nearest that do, or ``channels`` lacks a resolution.

    Reference: Karras et al., "Analyzing and Improving the Image Quality of StyleGAN", CVPR 2020; the tiles: Eskandar et al.,
    "Wavelet-based unsupervised label-to-image translation", ICASSP 2022, its published program.

    Example:

    >>> widths = {4: 16, 8: 16, 16: 8, 32: 8, 64: 4}
    >>> stylegan2_discriminator((64, 96), widths).output_shape
    (None, 1)
    >>> stylegan2_discriminator((64, 96), widths, tile_size=32)(keras.ops.zeros((2, 64, 96, 3))).shape[0]
    12
    """
    channels = {int(k): v for k, v in (channels or DISCRIMINATOR_WIDTHS).items()}
    if tile_size is None:
        levels = int(max(image_size)).bit_length() - 1
        if levels < 3:
            raise ArgumentError(
                "stylegan2_discriminator: {} (height, width) is too small: the longer side must be at least 8.",
                {"image_size": tuple(image_size)},
            )
        height, width = check_image_size("stylegan2_discriminator", image_size, 2**levels // 4)
    else:
        levels = tile_size.bit_length() - 1
        if tile_size != 2**levels or levels < 3:
            raise ValueError(
                f"stylegan2_discriminator: tile_size={tile_size}: expected a power of two from 8, such as "
                f"{max(8, 2**levels)} or {max(16, 2 ** (levels + 1))}."
            )
        height, width = check_image_size(f"stylegan2_discriminator with tile_size={tile_size}", image_size, tile_size)
    missing = [2**k for k in range(2, levels + 1) if 2**k not in channels]
    if missing:
        raise ValueError(f"stylegan2_discriminator: channels has no width for the resolutions {missing}.")

    image = keras.Input((height, width, 3), name="image")
    x = image if tile_size is None else SplitIntoTiles(tile_size, name="tiles")(image)
    x = EqualizedConv2D(channels[2**levels], 1, activation="fused_leaky_relu", name="from_rgb")(x)
    for i, level in enumerate(range(levels - 1, 1, -1)):
        x = StyleGAN2ResidualBlock(channels[2**level], name=f"block_{i}")(x)
    return keras.Model(image, logit_of(x, channels[4]), name=name)
