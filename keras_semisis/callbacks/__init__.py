"""What happens during `fit`: sample grids, scores, checkpoints, loss curves."""

from keras_semisis.callbacks.checkpoint import Checkpoint, resume
from keras_semisis.callbacks.every_steps import EverySteps
from keras_semisis.callbacks.grids import SampleGrid, sample_grid
from keras_semisis.callbacks.linear_decay import LinearDecay
from keras_semisis.callbacks.loss_curves import LossCurves
from keras_semisis.callbacks.periodic_evaluation import PeriodicEvaluation
from keras_semisis.callbacks.tensorboard_scalars import TensorBoardScalars

__all__ = [
    "Checkpoint",
    "EverySteps",
    "LinearDecay",
    "LossCurves",
    "PeriodicEvaluation",
    "SampleGrid",
    "TensorBoardScalars",
    "resume",
    "sample_grid",
]
