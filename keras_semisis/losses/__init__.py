"""The loss terms of the paper and of what it compares with, as Keras losses."""

from keras_semisis.losses.adversarial import NonSaturatingLoss, r1_penalty
from keras_semisis.losses.class_balance import class_balance
from keras_semisis.losses.feature_matching import FeatureMatchingLoss
from keras_semisis.losses.label_mix import LabelMixLoss, label_mix_mask
from keras_semisis.losses.perceptual import PerceptualLoss
from keras_semisis.losses.segmentation import CycleLoss, FakeLoss, SegmentationLoss

__all__ = [
    "CycleLoss",
    "FakeLoss",
    "FeatureMatchingLoss",
    "LabelMixLoss",
    "NonSaturatingLoss",
    "PerceptualLoss",
    "SegmentationLoss",
    "class_balance",
    "label_mix_mask",
    "r1_penalty",
]
