"""A time limit of a training."""

import time

import keras

from keras_semisis.models.keras_privates import model_of
from keras_semisis.processes import in_any_process


class StepClock(keras.callbacks.Callback):
    """Measures steps, and ends training at a time or after a number of steps.

    Args:
        deadline: `time.monotonic` at which training is to be over.
        steps: Number of steps after which it ends.

    Attributes:
        seconds: How long each step took.
    """

    def __init__(self, deadline: float = float("inf"), steps: int | None = None):
        super().__init__()
        self.deadline = deadline
        self.steps = steps
        self.seconds: list[float] = []

    def on_train_batch_begin(self, batch, logs=None):
        self._begin = time.monotonic()

    def on_train_batch_end(self, batch, logs=None):
        now = time.monotonic()
        self.seconds.append(now - self._begin)
        if len(self.seconds) == self.steps or in_any_process(now + min(self.seconds[-3:]) > self.deadline):
            model_of(self).stop_training = True
