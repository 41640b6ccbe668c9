"""The feature networks of the perceptual loss that have a name, which files and settings hold."""

from types import MappingProxyType

from keras_semisis.models.vgg16 import vgg16_features
from keras_semisis.models.vgg16_hed import vgg16_hed_features
from keras_semisis.models.vgg19 import vgg19_features

# "vgg16" is HED's in every file that says so
PERCEPTUAL_NETWORKS = MappingProxyType({
    "vgg19": vgg19_features, "vgg16": vgg16_hed_features, "vgg16_imagenet": vgg16_features})
