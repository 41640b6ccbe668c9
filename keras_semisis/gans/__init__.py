"""The trainable systems: lists of phases."""

from keras_semisis.gans.adversarial import AdversarialModel, NonFiniteLossError
from keras_semisis.gans.phase import Phase
from keras_semisis.gans.presets import PRESETS
from keras_semisis.gans.semi_paired import SemiPairedGAN

__all__ = ["PRESETS", "AdversarialModel", "NonFiniteLossError", "Phase", "SemiPairedGAN"]
