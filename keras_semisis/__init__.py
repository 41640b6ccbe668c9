"""Semantic image synthesis with few labels, in Keras 3: label map in, photo out."""

from keras_semisis import checkpoints, data, gans, layers, losses, metrics, models
from keras_semisis.gans import AdversarialModel, NonFiniteLossError, Phase, SemiPairedGAN

__version__ = "0.1.0"

__all__ = [
    "AdversarialModel",
    "NonFiniteLossError",
    "Phase",
    "SemiPairedGAN",
    "checkpoints",
    "data",
    "gans",
    "layers",
    "losses",
    "metrics",
    "models",
]
