"""Published weights, in and out: PyTorch files read without PyTorch and without running what they hold."""

from keras_semisis.checkpoints.checkpoint_error import CheckpointError
from keras_semisis.checkpoints.label_spaces import published_label_space
from keras_semisis.checkpoints.pickled_arrays import read_pickled_arrays
from keras_semisis.checkpoints.pth import read_pth
from keras_semisis.checkpoints.reference_weights import load_reference_weights, save_reference_weights

__all__ = [
    "CheckpointError",
    "load_reference_weights",
    "published_label_space",
    "read_pickled_arrays",
    "read_pth",
    "save_reference_weights",
]
