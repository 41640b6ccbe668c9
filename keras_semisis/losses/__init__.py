"""The loss terms of the paper and of what it compares with, as Keras losses.

`CrossEntropyGANLoss`, `LeastSquaresLoss` and `WassersteinLoss` serve none of the systems: they are the other usual adversarial
losses, for phases of your own.
"""

from keras_semisis.losses.adversarial import NonSaturatingLoss, r1_penalty
from keras_semisis.losses.balanced_cross_entropy import BalancedCrossEntropy
from keras_semisis.losses.class_balancing import class_balance
from keras_semisis.losses.cross_entropy_gan import CrossEntropyGANLoss
from keras_semisis.losses.feature_matching import FeatureMatchingLoss
from keras_semisis.losses.hinge import HingeLoss
from keras_semisis.losses.kl_divergence import KLDivergenceLoss
from keras_semisis.losses.label_mix import LabelMixLoss, label_mix_mask
from keras_semisis.losses.least_squares import LeastSquaresLoss
from keras_semisis.losses.lpips import LPIPSLoss
from keras_semisis.losses.perceptual import PerceptualLoss
from keras_semisis.losses.segmentation import CycleLoss, FakeLoss, SegmentationLoss
from keras_semisis.losses.wasserstein import WassersteinLoss

__all__ = [
    "BalancedCrossEntropy",
    "CrossEntropyGANLoss",
    "CycleLoss",
    "FakeLoss",
    "FeatureMatchingLoss",
    "HingeLoss",
    "KLDivergenceLoss",
    "LPIPSLoss",
    "LabelMixLoss",
    "LeastSquaresLoss",
    "NonSaturatingLoss",
    "PerceptualLoss",
    "SegmentationLoss",
    "WassersteinLoss",
    "class_balance",
    "label_mix_mask",
    "r1_penalty",
]
