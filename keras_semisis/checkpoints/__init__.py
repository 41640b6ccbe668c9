from keras_semisis.checkpoints.checkpoint_error import CheckpointError
from keras_semisis.checkpoints.pth import read_pth

__all__ = ["CheckpointError", "read_pth"]
