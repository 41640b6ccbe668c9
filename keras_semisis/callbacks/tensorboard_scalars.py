"""Scalars for TensorBoard, on every backend."""

from pathlib import Path
from typing import Any

import keras
from keras import ops

from keras_semisis.processes import is_first_process


class TensorBoardScalars(keras.callbacks.Callback):
    """Writes losses, the scores of callbacks that came before, and those of `validation_data`, as TensorBoard scalars.

    `keras.callbacks.TensorBoard` needs TensorFlow; this one needs the package tensorboard alone. Where that
    is missing, or the path of the folder is no UTF-8, it says so and does nothing.

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
        self._scored_at: dict[str, int] = {}

    def on_train_begin(self, logs=None):
        self._step = self.model.step
        if not is_first_process():
            return
        try:
            from tensorboard.summary import Writer
        except ImportError:
            print("TensorBoard is not installed: no TensorBoard logs. (pip install tensorboard)")
            return
        path = str(self.directory)
        try:
            self._writer = Writer(path)
        except UnicodeEncodeError:  # of names of another system, which Python keeps as escapes
            shown = path.encode(errors="backslashreplace").decode()
            print(f"{shown}: TensorBoard takes only paths in UTF-8: no TensorBoard logs.")

    def on_train_batch_end(self, batch, logs=None):
        self._step += 1
        if self._writer is not None and self._step % self.every == 0:
            self._write({name: value for name, value in (logs or {}).items() if not name.startswith("val_")})
        self._write_scores(logs)

    def on_epoch_end(self, epoch, logs=None):
        self._write_scores(logs)

    def on_train_end(self, logs=None):
        self._write_scores(logs)
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _write_scores(self, logs):
        """Those that have not been written at this step: the logs of an epoch hold those of its last step again."""
        scores = {name: value for name, value in (logs or {}).items() if name.startswith("val_")}
        if self._writer is not None:
            self._write({name: value for name, value in scores.items() if self._scored_at.get(name) != self._step})
            self._scored_at.update(dict.fromkeys(scores, self._step))

    def _write(self, scalars):
        for name, value in scalars.items():
            self._writer.add_scalar(name, float(ops.convert_to_numpy(value)), self._step)
