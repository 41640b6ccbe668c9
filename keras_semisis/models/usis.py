"""The networks of USIS: the waveletSPADE generator and the wavelet discriminator."""

import math
from typing import Any

import keras

from keras_semisis.data.argument_error import ArgumentError
from keras_semisis.layers import (
    Blur,
    DetailGain,
    EqualizedConv2D,
    EqualizedDense,
    MinibatchStdDev,
    WaveletDown,
    WaveletResidualBlock,
    WaveletUp,
)
from keras_semisis.models.image_size import check_image_size
from keras_semisis.models.oasis import StartMap, generator_widths, semantic_inputs

DISCRIMINATOR_WIDTHS = {4: 512, 8: 512, 16: 512, 32: 512, 64: 512, 128: 256, 256: 128, 512: 64, 1024: 32}


def wavelet_spade_generator(
    num_classes: int,
    image_size: tuple[int, int],
    base_channels: int = 16,
    noise_channels: int = 64,
    num_blocks: int = 6,
    norm: str = "batch",
    hidden_channels: int = 128,
    wavelet: str = "haar",
    detail_gain: float = 1.0,
    name: str = "generator",
) -> keras.Model:
    """The waveletSPADE generator: a SPADE ResNet on wavelet coefficients, every width 4 × that of OASIS.

    Args:
        num_classes: Number of label ids, the don't-care class included (reference ``semantic_nc``).
        image_size: ``(height, width)``, multiples of ``2 ** num_blocks``: 64 at six blocks.
        base_channels: Width of each of the four coefficient groups after the last block (reference ``channels_G``; its
            authors trained 16).
        noise_channels: Length of the noise vector (reference ``z_dim``); 0 for a generator without noise.
        num_blocks: Residual blocks; fewer than the published six use the last ``num_blocks + 1`` widths of
            [16, 16, 16, 8, 4, 2, 1].
        norm: ``"batch"`` or ``"instance"``.
        hidden_channels: Width of SPADE's hidden maps, 128 in the published networks.
        wavelet: ``"haar"`` as published, or any orthogonal PyWavelets filter.
        detail_gain: Gain of the details LH, HL and HH that its convolutions give, as in `layers.DetailGain`: 1 as published;
            0.1 for short trainings, which with the former do not get far beyond dots.
        name: Name of the model.

    Returns:
        A model from ``[label_map, noise]`` (``[label_map]`` where ``noise_channels`` is 0), integer ``(B, H, W)`` and float
        ``(B, noise_channels)``, to images float32 ``(B, H, W, 3)`` in [-1, 1].

    Raises:
        ValueError: If the size does not fit, naming the nearest that do, or ``detail_gain`` is outside (0, 1].

    Reference: Eskandar et al., "Wavelet-based unsupervised label-to-image translation", ICASSP 2022.

    Example:

    >>> generator = wavelet_spade_generator(4, (64, 96), base_channels=1, noise_channels=8, num_blocks=5)
    >>> generator.output_shape
    (None, 64, 96, 3)
    """
    scale = 2**num_blocks
    height, width = check_image_size(f"wavelet_spade_generator with {num_blocks} blocks", image_size, scale)
    widths = generator_widths(4 * base_channels, num_blocks)
    inputs = semantic_inputs((height, width), noise_channels)
    x = StartMap(widths[0], num_classes, (height // scale, width // scale), name="fc")(inputs)
    for i, filters in enumerate(widths[1:]):
        x = WaveletResidualBlock(
            filters,
            num_classes,
            hidden_channels,
            norm,
            wavelet,
            upsample=i < num_blocks - 1,
            detail_gain=detail_gain,
            name=f"body_{i}",
        )([x, *inputs])
    x = keras.layers.Conv2D(12, 1, name="conv_img")(x)
    if detail_gain != 1:
        x = DetailGain(detail_gain, name="detail_gain")(x)
    x = WaveletUp(wavelet, name="to_image")(x)
    image = keras.layers.Activation("tanh", dtype="float32", name="image")(x)
    return keras.Model(inputs, image, name=name)


@keras.saving.register_keras_serializable(package="keras_semisis")
class WaveletDiscriminatorBlock(keras.layers.Layer):
    """Two 3×3 convolutions, the second behind a blur and with stride 2."""

    is_feature_block = True

    def __init__(self, filters: int, **kwargs):
        super().__init__(**kwargs)
        self.filters = filters

    def build(self, input_shape) -> None:
        channels = input_shape[-1]
        dtype = self.dtype_policy
        self.conv1 = EqualizedConv2D(channels, 3, activation="fused_leaky_relu", name="conv1", dtype=dtype)
        self.blur = Blur(padding=2, name="blur", dtype=dtype)
        self.conv2 = EqualizedConv2D(
            self.filters, 3, strides=2, padding=0, activation="fused_leaky_relu", name="conv2", dtype=dtype
        )
        for layer in (self.conv1, self.blur, self.conv2):
            layer.build(input_shape)

    def call(self, x):
        return self.conv2(self.blur(self.conv1(x)))

    def compute_output_shape(self, input_shape):
        batch, height, width, _ = input_shape
        return (batch, height // 2, width // 2, self.filters)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"filters": self.filters}


@keras.saving.register_keras_serializable(package="keras_semisis")
class HalveCoefficients(keras.layers.Layer):
    """Wavelet coefficients of an image to those of the blurred image at half the size."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.to_image = WaveletUp(name="to_image", dtype=self.dtype_policy)
        self.blur = Blur(padding=1, strides=2, name="blur", dtype=self.dtype_policy)
        self.to_wavelet = WaveletDown(name="to_wavelet", dtype=self.dtype_policy)

    def build(self, input_shape) -> None:
        for layer in (self.to_image, self.blur, self.to_wavelet):
            layer.build(input_shape)
            input_shape = layer.compute_output_shape(input_shape)

    def call(self, x):
        return self.to_wavelet(self.blur(self.to_image(x)))

    def compute_output_shape(self, input_shape):
        batch, height, width, channels = input_shape
        return (batch, height // 2, width // 2, channels)


def wavelet_discriminator(
    image_size: tuple[int, int], channels: dict[int, int] | None = None, name: str = "unconditional_discriminator"
) -> keras.Model:
    """The unconditional discriminator of USIS on Haar coefficients (SWAGAN's, without residual connections).

    With S = 2^floor(log2(max(height, width))) it has log2(S) - 3 convolution blocks.

    Args:
        image_size: ``(height, width)``, multiples of S / 4.
        channels: Resolution (a power of two) to width; None is the published
            ``{4: 512, 8: 512, 16: 512, 32: 512, 64: 512, 128: 256, 256: 128, 512: 64, 1024: 32}``.
        name: Name of the model.

    Returns:
        A model from images ``(B, H, W, 3)`` in [-1, 1] to logits float32 ``(B, 1)``.

    Raises:
        ValueError: If the size does not fit, naming the nearest that do, or ``channels`` lacks a resolution.

    Reference: Gal et al., "SWAGAN", 2021; Eskandar et al., ICASSP 2022.

    Example:

    >>> wavelet_discriminator((64, 96), channels={4: 16, 8: 16, 16: 8, 32: 8, 64: 4}).output_shape
    (None, 1)
    """
    channels = {int(k): v for k, v in (channels or DISCRIMINATOR_WIDTHS).items()}
    levels = int(math.log2(max(image_size)))
    if levels < 4:
        raise ArgumentError(
            "wavelet_discriminator: {} (height, width) is too small: the longer side must be at least 16.",
            {"image_size": tuple(image_size)},
        )
    height, width = check_image_size("wavelet_discriminator", image_size, 2**levels // 4)
    missing = [2**k for k in range(2, levels + 1) if 2**k not in channels and 2**k != 2 ** (levels - 1)]
    if missing:
        raise ValueError(f"wavelet_discriminator: channels has no width for the resolutions {missing}.")
    activation = "fused_leaky_relu"

    image = keras.Input((height, width, 3), name="image")
    coefficients = WaveletDown(name="to_wavelet")(image)
    x = EqualizedConv2D(channels[2**levels], 1, activation=activation, name="from_rgb_0")(coefficients)
    for i, level in enumerate(range(levels - 2, 1, -1)):
        x = WaveletDiscriminatorBlock(channels[2**level], name=f"conv_{i}")(x)
        coefficients = HalveCoefficients(name=f"halve_{i + 1}")(coefficients)
        skip = EqualizedConv2D(channels[2**level], 1, activation=activation, name=f"from_rgb_{i + 1}")(coefficients)
        x = keras.layers.Add(name=f"add_{i + 1}")([x, skip])
    return keras.Model(image, logit_of(x, channels[4]), name=name)


def logit_of(x: Any, width: int):
    """The head of a discriminator of the StyleGAN2 kind, from its last feature map to the logit."""
    activation = "fused_leaky_relu"
    x = MinibatchStdDev(name="minibatch_std_dev")(x)
    x = EqualizedConv2D(width, 3, activation=activation, name="final_conv")(x)
    x = keras.layers.Flatten()(x)
    x = EqualizedDense(width, activation=activation, name="final_linear_0")(x)
    x = EqualizedDense(1, name="final_linear_1")(x)
    return keras.layers.Activation("linear", dtype="float32", name="logit")(x)
