"""The layers that the networks of semantic image synthesis are made of."""

from keras_semisis.layers.batch_norm import BatchNorm
from keras_semisis.layers.blur import Blur
from keras_semisis.layers.class_affinity import ClassAffinity
from keras_semisis.layers.conditional_conv2d import ConditionalConv2D
from keras_semisis.layers.conditional_residual_block import ConditionalResidualBlock
from keras_semisis.layers.detail_gain import DetailGain
from keras_semisis.layers.diff_augment import DiffAugment
from keras_semisis.layers.edge_channel import EdgeChannel
from keras_semisis.layers.edges import instance_edges
from keras_semisis.layers.equalized import EqualizedConv2D, EqualizedDense
from keras_semisis.layers.instance_norm import InstanceNorm
from keras_semisis.layers.minibatch_std_dev import MinibatchStdDev
from keras_semisis.layers.predicted_depthwise_conv2d import PredictedDepthwiseConv2D
from keras_semisis.layers.random_affine import RandomAffine
from keras_semisis.layers.resize import adaptive_average_pool, resize_bilinear, resize_nearest
from keras_semisis.layers.semantic_conv2d import SemanticConv2D
from keras_semisis.layers.spade import SPADE
from keras_semisis.layers.spade_residual_block import SPADEResidualBlock
from keras_semisis.layers.spectral_conv2d import SpectralConv2D
from keras_semisis.layers.spectral_conv2d_transpose import SpectralConv2DTranspose
from keras_semisis.layers.wavelet import WaveletDown, WaveletUp
from keras_semisis.layers.wavelet_residual_block import WaveletResidualBlock
from keras_semisis.layers.wavelet_spade import WaveletSPADE

__all__ = [
    "SPADE",
    "BatchNorm",
    "Blur",
    "ClassAffinity",
    "ConditionalConv2D",
    "ConditionalResidualBlock",
    "DetailGain",
    "DiffAugment",
    "EdgeChannel",
    "EqualizedConv2D",
    "EqualizedDense",
    "InstanceNorm",
    "MinibatchStdDev",
    "PredictedDepthwiseConv2D",
    "RandomAffine",
    "SPADEResidualBlock",
    "SemanticConv2D",
    "SpectralConv2D",
    "SpectralConv2DTranspose",
    "WaveletDown",
    "WaveletResidualBlock",
    "WaveletSPADE",
    "WaveletUp",
    "adaptive_average_pool",
    "instance_edges",
    "resize_bilinear",
    "resize_nearest",
]
