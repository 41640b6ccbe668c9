"""Scalars for TensorBoard, on every backend."""

from pathlib import Path
from typing import Any

import keras
from keras import ops

from keras_semisis.processes import is_first_process


class TensorBoardScalars(keras.callbacks.Callback):
    """Writes losses, and the scores of callbacks that came before, as TensorBoard scalars.

    `keras.callbacks.TensorBoard` needs TensorFlow; this one needs the package tensorboard alone. Where that
    is missing it says so and does nothing.

    Args:
        directory: Folder of the event files.
        every: Number of steps from one writing of the losses to the next. Scores are written whenever there
            are some.
    """

    def __init__(self, directory: str | Path, every: int = 10):
        super().__init__()
        self.directory = Path(directory)
        self.every = every
        self._writer: Any = None
        self._step = 0

    def on_train_begin(self, logs=None):
        self._step = self.model.step
        if not is_first_process():
            return
        try:
            from tensorboard.summary import Writer
        except ImportError:
            print("TensorBoard is not installed: no TensorBoard logs. (pip install tensorboard)")
            return
        self._writer = Writer(str(self.directory))

    def on_train_batch_end(self, batch, logs=None):
        self._step += 1
        if self._writer is None:
            return
        for name, value in (logs or {}).items():
            if self._step % self.every == 0 or name.startswith("val_"):
                self._writer.add_scalar(name, float(ops.convert_to_numpy(value)), self._step)

    def on_train_end(self, logs=None):
        if self._writer is not None:
            self._writer.close()
            self._writer = None
