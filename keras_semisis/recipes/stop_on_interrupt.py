"""Ctrl-C during a training."""

import signal

import keras

from keras_semisis.models.keras_privates import model_of
from keras_semisis.processes import in_any_process
from keras_semisis.recipes.notices import tell


class StopOnInterrupt(keras.callbacks.Callback):
    """Within ``with``: the first Ctrl-C ends training after the current step, the second at once.

    A step is several updates; one that is broken off would leave a state that no run passes through.

    Attributes:
        interrupted: Whether Ctrl-C was pressed, in whatever process.
    """

    def __init__(self):
        super().__init__()
        self.interrupted = False

    def __enter__(self):
        self._before = signal.signal(signal.SIGINT, self._interrupt)
        return self

    def __exit__(self, *error):
        signal.signal(signal.SIGINT, self._before)

    def _interrupt(self, number, frame):
        if self.interrupted:
            raise KeyboardInterrupt
        self.interrupted = True
        tell("Stopping after this step. Press Ctrl-C again to stop at once, without saving.")

    def on_train_batch_end(self, batch, logs=None):
        if in_any_process(self.interrupted):
            self.interrupted = True
            model_of(self).stop_training = True
