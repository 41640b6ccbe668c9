"""A discriminator that segments, on the features of a frozen network."""

import keras

from keras_semisis.data.argument_error import ArgumentError
from keras_semisis.layers import SpectralConv2D
from keras_semisis.models.frozen_features import FrozenFeatures
from keras_semisis.models.image_size import check_image_size
from keras_semisis.models.oasis import UNetUpBlock
from keras_semisis.models.trunks import trunk_named


def pretrained_discriminator(
    num_classes: int,
    image_size: tuple[int, int],
    trunk: str = "vgg16",
    trunk_size: tuple[int, int] | None = None,
    channels: tuple[int, ...] = (64, 128, 256, 256, 512),
    final_channels: int = 64,
    weights: str | None = "imagenet",
    name: str = "discriminator",
) -> keras.Model:
    """A U-Net discriminator whose encoder is a frozen network that learned from ImageNet.

    A discriminator that learns everything from a few dozen label maps learns them by heart. Here only the decoder learns: 1×1
    convolutions take the trunk's normalized features at every depth (`FrozenFeatures`), and blocks of the OASIS discriminator
    bring them together from the coarsest to the finest. All its convolutions are spectrally normalized.

    Args:
        num_classes: Number of label ids, the don't-care class included.
        image_size: ``(height, width)``.
        trunk: ``"vgg16"``, whose five depths have strides 1 to 16, or ``"efficientnet_lite0"``, strides 2 to 32. Depths that
            are finer than the images are left out.
        trunk_size: Size that images are enlarged to for the trunk; None takes them as they are. A multiple of the
            trunk's largest stride.
        channels: Width of the decoder at each depth, from the finest to the coarsest.
        final_channels: Width of the last block.
        weights: ``"imagenet"``, or None for random weights; see `FrozenFeatures`.
        name: Name of the model.

    Returns:
        A model from images ``(B, H, W, 3)`` in [-1, 1] to logits float32 ``(B, H, W, num_classes + 1)``: channel 0 is the
        fake class, channel c + 1 is class c.

    Raises:
        ValueError: If there is no such trunk, a size does not fit, naming those that do, or the number of widths is not that of
            the depths.
        ModuleNotFoundError: If the package with the weights is not installed.

    Reference: Berrada et al., "Unlocking Pre-trained Image Backbones for Semantic Image Synthesis", CVPR 2024
    (arXiv 2312.13314), section 3; Schönfeld et al. (OASIS), ICLR 2021, section 3.1.

    Example:

    >>> pretrained_discriminator(4, (32, 48), channels=(4, 4, 8, 8, 8), final_channels=4, weights=None).output_shape
    (None, 32, 48, 5)
    """
    image_size, known = (image_size[0], image_size[1]), trunk_named(trunk)
    size = check_image_size("pretrained_discriminator", trunk_size or image_size, known.last_stride)
    strides = [known.first_stride * 2**i for i in range(len(known.taps))]
    first = next((i for i, stride in enumerate(strides) if size[0] // stride <= image_size[0]), None)
    if first is None:
        raise ArgumentError(
            f"pretrained_discriminator: {{}} is too large for images of {image_size}: all depths of {trunk} are finer than "
            f"these. At most {tuple(n * known.last_stride for n in image_size)} fits.",
            {"trunk_size": size},
        )
    taps = known.taps[first:]
    if len(channels) != len(known.taps):
        raise ValueError(
            f"pretrained_discriminator: {len(channels)} widths in channels={tuple(channels)}; {trunk} has "
            f"{len(known.taps)} depths."
        )
    channels = tuple(channels)[first:]

    image = keras.Input((*image_size, 3), name="image")
    features = FrozenFeatures(trunk, taps, size, weights, name="trunk")(image)
    laterals = [
        SpectralConv2D(filters, 1, name=f"lateral_{i}")(x)
        for i, (filters, x) in enumerate(zip(channels, features, strict=True))
    ]
    x = laterals[-1]
    for i in reversed(range(len(taps) - 1)):
        x = UNetUpBlock(channels[i], name=f"up_{i}")(x)
        x = keras.layers.Concatenate(name=f"skip_{i}")([laterals[i], x])
    # one block more behind the finest features, which doubles where the images are twice as large
    doubles = 2 * x.shape[1] == image_size[0] and 2 * x.shape[2] == image_size[1]
    x = UNetUpBlock(final_channels, doubles=doubles, name="up_last")(x)
    if tuple(x.shape[1:3]) != image_size:
        x = keras.layers.Resizing(*image_size, interpolation="bilinear", name="to_image_size")(x)
    logits = keras.layers.Conv2D(num_classes + 1, 1, name="layer_up_last")(x)
    return keras.Model(image, keras.layers.Activation("linear", dtype="float32", name="logits")(logits), name=name)
