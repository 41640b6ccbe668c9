"""The trainable systems: lists of phases."""

from keras_semisis.gans import pretext
from keras_semisis.gans.ablations import ABLATIONS, ablation
from keras_semisis.gans.adaptation import adapt
from keras_semisis.gans.adversarial import AdversarialModel
from keras_semisis.gans.cc_fpse import CCFPSE
from keras_semisis.gans.finiteness import NonFiniteLossError
from keras_semisis.gans.inversion import Inversion
from keras_semisis.gans.oasis import OASIS
from keras_semisis.gans.phase import Phase
from keras_semisis.gans.presets import PRESETS
from keras_semisis.gans.sampler import Sampler
from keras_semisis.gans.semi_paired import SemiPairedGAN
from keras_semisis.gans.spade import SPADEGAN
from keras_semisis.gans.tcr import TCR
from keras_semisis.gans.untracked import Untracked
from keras_semisis.gans.usis import USIS

__all__ = [
    "ABLATIONS",
    "CCFPSE",
    "OASIS",
    "PRESETS",
    "SPADEGAN",
    "TCR",
    "USIS",
    "AdversarialModel",
    "Inversion",
    "NonFiniteLossError",
    "Phase",
    "Sampler",
    "SemiPairedGAN",
    "Untracked",
    "ablation",
    "adapt",
    "pretext",
]
