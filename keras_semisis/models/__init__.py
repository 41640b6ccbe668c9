"""Builders: functions that return the field's networks as functional Keras models; and a model with a label space."""

from keras_semisis.models.alexnet import alexnet_features
from keras_semisis.models.cc_fpse import cc_fpse_generator, fpse_discriminator
from keras_semisis.models.deeplab import deeplab_v2_101
from keras_semisis.models.drn import drn_d_105
from keras_semisis.models.efficientnet_lite0 import efficientnet_lite0_features
from keras_semisis.models.efficientnet_lite2 import efficientnet_lite2_features
from keras_semisis.models.efficientnet_segmenter import efficientnet_lite0_segmenter
from keras_semisis.models.feature_model import features
from keras_semisis.models.frozen_features import FrozenFeatures, frozen_features_of
from keras_semisis.models.inception_v3 import inception_v3_fid
from keras_semisis.models.labeled_model import LabeledModel
from keras_semisis.models.lpips import lpips_features
from keras_semisis.models.oasis import oasis_discriminator, oasis_generator, unet_segmenter
from keras_semisis.models.pretrained_discriminators import pretrained_discriminator
from keras_semisis.models.projected_discriminators import projected_discriminator
from keras_semisis.models.segformers import segformer
from keras_semisis.models.spade import multiscale_discriminator, spade_encoder, spade_generator
from keras_semisis.models.stylegan2 import stylegan2_discriminator
from keras_semisis.models.upernet import upernet_101
from keras_semisis.models.usis import wavelet_discriminator, wavelet_spade_generator
from keras_semisis.models.vgg16 import vgg16_features
from keras_semisis.models.vgg16_hed import vgg16_hed_features
from keras_semisis.models.vgg19 import vgg19_features
from keras_semisis.models.wavelet_decoders import wavelet_decoder

__all__ = [
    "FrozenFeatures",
    "LabeledModel",
    "alexnet_features",
    "cc_fpse_generator",
    "deeplab_v2_101",
    "drn_d_105",
    "efficientnet_lite0_features",
    "efficientnet_lite0_segmenter",
    "efficientnet_lite2_features",
    "features",
    "fpse_discriminator",
    "frozen_features_of",
    "inception_v3_fid",
    "lpips_features",
    "multiscale_discriminator",
    "oasis_discriminator",
    "oasis_generator",
    "pretrained_discriminator",
    "projected_discriminator",
    "segformer",
    "spade_encoder",
    "spade_generator",
    "stylegan2_discriminator",
    "unet_segmenter",
    "upernet_101",
    "vgg16_features",
    "vgg16_hed_features",
    "vgg19_features",
    "wavelet_decoder",
    "wavelet_discriminator",
    "wavelet_spade_generator",
]
