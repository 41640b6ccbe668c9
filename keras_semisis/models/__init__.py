"""Builders: functions that return the field's networks as functional Keras models."""

from keras_semisis.models.efficientnet_lite0 import efficientnet_lite0_features
from keras_semisis.models.features import features
from keras_semisis.models.oasis import oasis_discriminator, oasis_generator, unet_segmenter
from keras_semisis.models.usis import wavelet_discriminator, wavelet_spade_generator
from keras_semisis.models.vgg16_hed import vgg16_features
from keras_semisis.models.vgg19 import vgg19_features

__all__ = [
    "efficientnet_lite0_features",
    "features",
    "oasis_discriminator",
    "oasis_generator",
    "unet_segmenter",
    "vgg16_features",
    "vgg19_features",
    "wavelet_discriminator",
    "wavelet_spade_generator",
]
