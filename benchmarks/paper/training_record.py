"""What a cell's training lost and cost, on disk, so that it is known after any restart."""

import time
from collections import defaultdict
from pathlib import Path

import numpy as np
from keras import ops

from benchmarks.step_time import peak_memory
from keras_semisis.callbacks.every_steps import EverySteps
from keras_semisis.callbacks.log_file import append_log, read_log, write_log

FILE = "training.jsonl"


class TrainingRecord(EverySteps):
    """Adds a line to ``training.jsonl`` every n steps and at the end, about the steps since the line before.

    A line has ``step``; ``losses``, the mean of each loss term over the steps at which it was due; ``seconds_per_step``, the
    median; ``peak_memory_bytes`` of the process so far. Must be the first callback: what others do is no part of a step.

    Args:
        directory: Folder of the file. A resumed run goes on with the lines up to its step.
        every: Number of steps from one line to the next.
    """

    def __init__(self, directory: Path, every: int):
        super().__init__(every)
        self.path = directory / FILE

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        write_log(self.path, read_log(self.path, self.step))
        self._forget()

    def on_train_batch_begin(self, batch, logs=None):
        self._begin = time.monotonic()

    def on_train_batch_end(self, batch, logs=None):
        # a step is over when its losses have arrived on the host
        for name, value in logs.items():
            self._losses[name].append(float(ops.convert_to_numpy(value)))
        self._seconds.append(time.monotonic() - self._begin)
        super().on_train_batch_end(batch, logs)

    def act(self, logs):
        append_log(
            self.path,
            [
                {
                    "step": self.step,
                    "losses": {name: float(np.mean(values)) for name, values in self._losses.items()},
                    "seconds_per_step": float(np.median(self._seconds)),
                    "peak_memory_bytes": peak_memory(),
                }
            ],
        )
        self._forget()

    def _forget(self):
        self._losses, self._seconds = defaultdict(list), []


def mean_losses(records: list[dict]) -> dict[str, float]:
    """Each loss term's mean over the lines that have it.

    >>> mean_losses([{"losses": {"a": 1.0, "b": 5.0}}, {"losses": {"a": 2.0}}])
    {'a': 1.5, 'b': 5.0}
    """
    values = defaultdict(list)
    for record in records:
        for name, value in record["losses"].items():
            values[name].append(value)
    return {name: float(np.mean(value)) for name, value in values.items()}
