"""The networks of OASIS: a SPADE generator with 3D noise, and a U-Net discriminator that segments."""

from typing import Any

import keras
from keras import ops

from keras_semisis.layers import SemanticConv2D, SPADEResidualBlock, SpectralConv2D, resize_nearest
from keras_semisis.layers.convolve import in_layout_of_backend
from keras_semisis.models.image_size import check_image_size

GENERATOR_WIDTHS = (16, 16, 16, 8, 4, 2, 1)


def generator_widths(base_channels: int, num_blocks: int) -> list[int]:
    """Channels before, between and after the blocks: a shallower generator drops the first widths."""
    if not 1 <= num_blocks < len(GENERATOR_WIDTHS):
        raise ValueError(f"num_blocks={num_blocks}: expected 1 to {len(GENERATOR_WIDTHS) - 1}.")
    return [base_channels * width for width in GENERATOR_WIDTHS[-(num_blocks + 1) :]]


def semantic_inputs(image_size: tuple[int, int], noise_channels: int | None) -> list:
    """The generator's inputs: a label map and, where there is one, a noise vector."""
    label_map = keras.Input(image_size, dtype="int32", name="label_map")
    return [label_map] + ([keras.Input((noise_channels,), name="noise")] if noise_channels else [])


@keras.saving.register_keras_serializable(package="keras_semisis")
class StartMap(keras.layers.Layer):
    """The first feature map of a generator: a 3×3 convolution of label map and noise at the start resolution.

    ``size`` is that of the map where label maps are of the size that the network is built for; of others it has as many pixels
    a cell.
    """

    def __init__(self, filters: int, num_classes: int, size, **kwargs):
        super().__init__(**kwargs)
        self.filters = filters
        self.num_classes = num_classes
        self.size = tuple(size)
        self.conv = SemanticConv2D(filters, num_classes, name="conv", dtype=self.dtype_policy)

    def build(self, input_shape) -> None:
        self.cell = tuple(pixels // cells for pixels, cells in zip(input_shape[0][1:3], self.size, strict=True))
        self.conv.build([(input_shape[0][0], *self.size), *input_shape[1:]])

    def call(self, inputs):
        label_map, *noise = inputs
        return self.conv([resize_nearest(label_map, self._size_of(label_map.shape)), *noise])

    def compute_output_shape(self, input_shape):
        return (input_shape[0][0], *self._size_of(input_shape[0]), self.filters)

    def _size_of(self, label_shape):
        return tuple(pixels // cell for pixels, cell in zip(label_shape[1:3], self.cell, strict=True))

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"filters": self.filters, "num_classes": self.num_classes, "size": self.size}


def oasis_generator(
    num_classes: int,
    image_size: tuple[int, int],
    base_channels: int = 64,
    noise_channels: int = 64,
    num_blocks: int = 6,
    norm: str = "batch",
    hidden_channels: int = 128,
    name: str = "generator",
) -> keras.Model:
    """The OASIS generator: a SPADE ResNet whose label maps carry 3D noise.

    Args:
        num_classes: Number of label ids, the don't-care class included (reference ``semantic_nc``).
        image_size: ``(height, width)``, multiples of ``2 ** (num_blocks - 1)``: 32 at six blocks.
        base_channels: Width of the last block (reference ``channels_G``).
        noise_channels: Length of the noise vector (reference ``z_dim``); 0 for a generator without noise.
        num_blocks: Residual blocks; fewer than the published six use the last ``num_blocks + 1`` widths of
            [16, 16, 16, 8, 4, 2, 1].
        norm: ``"batch"`` or ``"instance"``.
        hidden_channels: Width of SPADE's hidden maps, 128 in the published networks.
        name: Name of the model.

    Returns:
        A model from ``[label_map, noise]`` (``[label_map]`` where ``noise_channels`` is 0), integer ``(B, H, W)`` and float
        ``(B, noise_channels)``, to images float32 ``(B, H, W, 3)`` in [-1, 1].

    Raises:
        ValueError: If the size does not fit, naming the nearest that do.

    Reference: Schönfeld et al., "You Only Need Adversarial Supervision for Semantic Image Synthesis", ICLR 2021.

    Example:

    >>> generator = oasis_generator(num_classes=4, image_size=(64, 96), base_channels=2, noise_channels=8)
    >>> generator.output_shape
    (None, 64, 96, 3)
    """
    scale = 2 ** (num_blocks - 1)
    height, width = check_image_size("oasis_generator", image_size, scale)
    widths = generator_widths(base_channels, num_blocks)
    inputs = semantic_inputs((height, width), noise_channels)
    x = StartMap(widths[0], num_classes, (height // scale, width // scale), name="fc")(inputs)
    for i, filters in enumerate(widths[1:]):
        x = SPADEResidualBlock(filters, num_classes, hidden_channels, norm, name=f"body_{i}")([x, *inputs])
        if i < num_blocks - 1:
            x = keras.layers.UpSampling2D(2, name=f"up_{i}")(x)
    x = keras.layers.LeakyReLU(0.2)(x)
    x = keras.layers.Conv2D(3, 3, padding="same", name="conv_img")(x)
    image = keras.layers.Activation("tanh", dtype="float32", name="image")(x)
    return keras.Model(inputs, image, name=name)


@keras.saving.register_keras_serializable(package="keras_semisis")
class UNetDownBlock(keras.layers.Layer):
    """Residual block that halves the resolution (OASIS discriminator, encoder).

    The network's first block has no activation in front, and pools before the shortcut's convolution instead of behind.
    """

    is_feature_block = True

    def __init__(self, filters: int, first=False, **kwargs):
        super().__init__(**kwargs)
        self.filters = filters
        self.first = first

    def build(self, input_shape) -> None:
        self.conv1, self.conv2, self.conv_s = _build_convolutions(self.filters, input_shape, self.dtype_policy)

    def call(self, x, training=False):
        y = x if self.first else ops.leaky_relu(x, 0.2)
        y = self.conv1(y, training=training)
        y = _pool(self.conv2(ops.leaky_relu(y, 0.2), training=training))
        if self.conv_s is None:
            return y + _pool(x)
        return y + (self.conv_s(_pool(x), training=training) if self.first else _pool(self.conv_s(x, training=training)))

    def compute_output_shape(self, input_shape):
        batch, height, width, _ = input_shape
        return (batch, height // 2, width // 2, self.filters)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"filters": self.filters, "first": self.first}


@keras.saving.register_keras_serializable(package="keras_semisis")
class UNetUpBlock(keras.layers.Layer):
    """Residual block that doubles the resolution (OASIS discriminator, decoder), or, with ``doubles=False``, keeps it."""

    is_feature_block = True

    def __init__(self, filters: int, doubles=True, **kwargs):
        super().__init__(**kwargs)
        self.filters = filters
        self.doubles = doubles

    def build(self, input_shape) -> None:
        self.conv1, self.conv2, self.conv_s = _build_convolutions(self.filters, input_shape, self.dtype_policy)

    def call(self, x, training=False):
        sized = _double if self.doubles else lambda x: x
        y = self.conv1(sized(ops.leaky_relu(x, 0.2)), training=training)
        y = self.conv2(ops.leaky_relu(y, 0.2), training=training)
        # a 1×1 convolution and nearest-neighbor doubling commute: convolving first is a quarter of the work
        return y + sized(x if self.conv_s is None else self.conv_s(x, training=training))

    def compute_output_shape(self, input_shape):
        batch, height, width, _ = input_shape
        factor = 2 if self.doubles else 1
        return (batch, factor * height, factor * width, self.filters)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"filters": self.filters, "doubles": self.doubles}


def _build_convolutions(filters, input_shape, dtype):
    """conv1, conv2 and, where the width changes, the shortcut's 1×1 convolution."""
    conv1, conv2 = (SpectralConv2D(filters, 3, name=name, dtype=dtype) for name in ("conv1", "conv2"))
    conv1.build(input_shape)
    conv2.build((*input_shape[:-1], filters))
    if input_shape[-1] == filters:
        return conv1, conv2, None
    conv_s = SpectralConv2D(filters, 1, name="conv_s", dtype=dtype)
    conv_s.build(input_shape)
    return conv1, conv2, conv_s


def _pool(x):
    return in_layout_of_backend(lambda x, layout: ops.average_pool(x, 2, 2, data_format=layout), x)


def _double(x):
    return ops.repeat(ops.repeat(x, 2, axis=1), 2, axis=2)


def _unet(outputs, image_size, channels, final_channels, name):
    height, width = check_image_size(name, image_size, 2 ** len(channels))
    image = keras.Input((height, width, 3), name="image")
    x, skips = image, []
    for i, filters in enumerate(channels):
        x = UNetDownBlock(filters, first=i == 0, name=f"body_down_{i}")(x)
        skips.append(x)
    decoder = [*reversed(channels[:-1]), final_channels]
    for i, filters in enumerate(decoder):
        if i:
            x = keras.layers.Concatenate(name=f"skip_{i}")([skips[-1 - i], x])
        x = UNetUpBlock(filters, name=f"body_up_{i}")(x)
    logits = keras.layers.Conv2D(outputs, 1, name="layer_up_last")(x)
    return keras.Model(image, keras.layers.Activation("linear", dtype="float32", name="logits")(logits), name=name)


def oasis_discriminator(
    num_classes: int,
    image_size: tuple[int, int],
    channels: tuple[int, ...] = (128, 128, 256, 256, 512, 512),
    final_channels: int = 64,
    name: str = "discriminator",
) -> keras.Model:
    """The OASIS discriminator: a U-Net that sorts every pixel into the real classes or the fake class.

    Args:
        num_classes: Number of label ids, the don't-care class included.
        image_size: ``(height, width)``, multiples of ``2 ** len(channels)``.
        channels: Widths of the encoder blocks; each halves the resolution.
        final_channels: Width of the last decoder block.
        name: Name of the model.

    Returns:
        A model from images ``(B, H, W, 3)`` in [-1, 1] to logits float32 ``(B, H, W, num_classes + 1)``: channel 0 is the
        fake class, channel c + 1 is class c.

    Raises:
        ValueError: If the size does not fit, naming the nearest that do.

    Reference: Schönfeld et al. (OASIS), ICLR 2021, section 3.1.

    Example:

    >>> oasis_discriminator(num_classes=4, image_size=(64, 96), channels=(8, 8, 16), final_channels=8).output_shape
    (None, 64, 96, 5)
    """
    return _unet(num_classes + 1, image_size, channels, final_channels, name)


def unet_segmenter(
    num_classes: int,
    image_size: tuple[int, int],
    channels: tuple[int, ...] = (128, 128, 256, 256, 512, 512),
    final_channels: int = 64,
    name: str = "segmenter",
) -> keras.Model:
    """A U-Net that segments: the OASIS discriminator without the fake class.

    Args:
        num_classes: Number of label ids, the don't-care class included.
        image_size: ``(height, width)``, multiples of ``2 ** len(channels)``.
        channels: Widths of the encoder blocks.
        final_channels: Width of the last decoder block.
        name: Name of the model.

    Returns:
        A model from images ``(B, H, W, 3)`` in [-1, 1] to logits float32 ``(B, H, W, num_classes)``.

    Example:

    >>> unet_segmenter(num_classes=4, image_size=(32, 32), channels=(8, 8), final_channels=8).output_shape
    (None, 32, 32, 4)
    """
    return _unet(num_classes, image_size, channels, final_channels, name)
