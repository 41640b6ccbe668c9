"""The networks of the perceptual loss that have a name, which files and settings hold."""

from collections.abc import Callable
from functools import partial
from types import MappingProxyType
from typing import NamedTuple

import keras

from keras_semisis.losses.lpips import LPIPSLoss
from keras_semisis.losses.perceptual import PerceptualLoss
from keras_semisis.models.lpips import lpips_features
from keras_semisis.models.vgg16 import vgg16_features
from keras_semisis.models.vgg16_hed import vgg16_hed_features
from keras_semisis.models.vgg19 import vgg19_features


class PerceptualNetwork(NamedTuple):
    """Builds a feature model, the loss of it, and the family that the model belongs to."""

    build: Callable[[], keras.Model]
    loss: Callable[[keras.Model], keras.losses.Loss]
    family: str


# "vgg16" is HED's in every file that says so
PERCEPTUAL_NETWORKS = MappingProxyType(
    {
        "vgg19": PerceptualNetwork(vgg19_features, PerceptualLoss, "VGG"),
        "vgg16": PerceptualNetwork(vgg16_hed_features, PerceptualLoss, "VGG"),
        "vgg16_imagenet": PerceptualNetwork(vgg16_features, PerceptualLoss, "VGG"),
        "lpips": PerceptualNetwork(partial(lpips_features, "vgg16", dtype=None), LPIPSLoss, "VGG"),
    }
)
