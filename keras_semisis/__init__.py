"""Semantic image synthesis with few labels, in Keras 3: label map in, photo out."""

from keras_semisis.backend import choose_backend

choose_backend()

from keras_semisis import callbacks, checkpoints, data, gans, layers, losses, metrics, models, presets, recipes  # noqa: E402
from keras_semisis.distribution import distribute  # noqa: E402
from keras_semisis.gans import (  # noqa: E402
    CCFPSE,
    OASIS,
    SPADEGAN,
    TCR,
    USIS,
    AdversarialModel,
    NonFiniteLossError,
    Phase,
    SemiPairedGAN,
    adapt,
)
from keras_semisis.presets import from_preset  # noqa: E402

__version__ = "0.2.0.dev0"

__all__ = [
    "CCFPSE",
    "OASIS",
    "SPADEGAN",
    "TCR",
    "USIS",
    "AdversarialModel",
    "NonFiniteLossError",
    "Phase",
    "SemiPairedGAN",
    "adapt",
    "callbacks",
    "checkpoints",
    "data",
    "distribute",
    "from_preset",
    "gans",
    "layers",
    "losses",
    "metrics",
    "models",
    "presets",
    "recipes",
]
