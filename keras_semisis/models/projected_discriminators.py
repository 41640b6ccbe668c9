"""An unconditional discriminator on fixed random mixtures of a frozen network's features."""

from typing import Any

import keras
from keras import ops

from keras_semisis.layers import SpectralConv2D
from keras_semisis.layers.convolve import convolve
from keras_semisis.models.frozen_features import FrozenFeatures
from keras_semisis.models.image_size import check_image_size
from keras_semisis.models.trunks import trunk_named

_DEPTHS = 4
WIDTHS = (64, 128, 256, 512)


@keras.saving.register_keras_serializable(package="keras_semisis")
class RandomMixing(keras.layers.Layer):
    """A convolution with a fixed random kernel that keeps the variance of independent inputs.

    Args:
        filters: Output channels.
        kernel_size: Side of the square kernel.
        seed: Seed of the kernel.

    Input shape: ``(B, H, W, C)``.
    Output shape: ``(B, H, W, filters)``.
    """

    def __init__(self, filters: int, kernel_size: int, seed: int = 0, **kwargs):
        super().__init__(**kwargs)
        self.filters = filters
        self.kernel_size = kernel_size
        self.seed = seed

    def build(self, input_shape) -> None:
        # trainable=False in the weight itself, which no network.trainable = True undoes
        self.kernel = self.add_weight(
            name="kernel",
            shape=(self.kernel_size, self.kernel_size, input_shape[-1], self.filters),
            trainable=False,
            initializer=keras.initializers.VarianceScaling(1.0, "fan_in", "untruncated_normal", seed=self.seed),
        )

    def call(self, x):
        return convolve(x, ops.convert_to_tensor(self.kernel), 1, self.kernel_size // 2)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.filters)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"filters": self.filters, "kernel_size": self.kernel_size, "seed": self.seed}


def projected_discriminator(
    image_size: tuple[int, int],
    trunk: str = "vgg16",
    trunk_size: tuple[int, int] | None = None,
    channels: tuple[int, ...] = WIDTHS,
    weights: str | None = "imagenet",
    seed: int = 0,
    name: str = "unconditional_discriminator",
) -> keras.Model:
    """The discriminator of Projected GAN, for images without label maps.

    Features of a frozen network at four depths (`FrozenFeatures`) are mixed across channels, then across scales from the
    coarsest to the finest, by fixed random convolutions, so that a discriminator cannot fasten on the few features that tell
    images apart best. A small spectrally normalized head a depth judges patches. Only the heads learn. It needs no R1:
    train it with ``adversarial_loss="hinge"``, ``r1_gamma=0`` and `layers.DiffAugment`.

    Args:
        image_size: ``(height, width)``.
        trunk: ``"vgg16"`` (strides 2 to 16) or ``"efficientnet_lite0"`` (4 to 32).
        trunk_size: Size that images are enlarged to for the trunk; None takes them as they are. A multiple of the
            trunk's largest stride.
        channels: Channels of the mixtures, from the finest depth to the coarsest.
        weights: ``"imagenet"``, or None for random weights; see `FrozenFeatures`.
        seed: Seed of the mixtures.
        name: Name of the model.

    Returns:
        A model from images ``(B, H, W, 3)`` in [-1, 1] to logits float32 ``(B, h, w, 4)``, one channel a depth, at the
        coarsest depth's resolution.

    Raises:
        ValueError: If there is no such trunk, the size does not fit, naming the nearest that do, or there are not four widths.
        ModuleNotFoundError: If the package with the weights is not installed.

    Reference: Sauer et al., "Projected GANs Converge Faster", NeurIPS 2021, section 3.

    Example:

    >>> projected_discriminator((32, 48), channels=(4, 4, 8, 8), weights=None).output_shape
    (None, 2, 3, 4)
    """
    if len(channels) != _DEPTHS:
        raise ValueError(f"projected_discriminator: channels={tuple(channels)}; expected {_DEPTHS} widths.")
    known = trunk_named(trunk)
    taps = known.taps[-_DEPTHS:]
    size = check_image_size("projected_discriminator", trunk_size or image_size, known.last_stride)
    image = keras.Input((*image_size, 3), name="image")
    features = FrozenFeatures(trunk, taps, size, weights, name="trunk")(image)
    features = [
        RandomMixing(filters, 1, seed + i, name=f"across_channels_{i}")(x)
        for i, (filters, x) in enumerate(zip(channels, features, strict=True))
    ]

    mixed = features[-1:]
    for i in reversed(range(_DEPTHS - 1)):
        coarser = keras.layers.UpSampling2D(2, interpolation="bilinear", name=f"up_{i}")(mixed[0])
        x = keras.layers.Concatenate(name=f"beside_{i}")([features[i], coarser])
        mixed.insert(0, RandomMixing(channels[i], 3, seed + _DEPTHS + i, name=f"across_scales_{i}")(x))

    logits = []
    for i, x in enumerate(mixed):
        for j in range(_DEPTHS - 1 - i):
            x = SpectralConv2D(channels[min(i + j + 1, _DEPTHS - 1)], 4, strides=2, padding=1, name=f"head_{i}_{j}")(x)
            x = keras.layers.LeakyReLU(0.2)(x)
        x = keras.layers.LeakyReLU(0.2)(SpectralConv2D(channels[-1], 3, name=f"head_{i}_last")(x))
        logits.append(SpectralConv2D(1, 3, name=f"logit_{i}")(x))
    logits = keras.layers.Concatenate(dtype="float32", name="logits")(logits)
    return keras.Model(image, logits, name=name)
