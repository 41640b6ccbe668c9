"""`keras-semisis` with a file that tells where it is: ``python -m tests.cli.watched_train PROGRESS ARGUMENTS...``.

A line "from N" when training begins after step N, and a line "N" after each step.
"""

import sys

import keras

from keras_semisis.cli import main
from keras_semisis.recipes import training


class Progress(keras.callbacks.Callback):
    def __init__(self, path):
        super().__init__()
        self.path = path

    def write(self, line):
        with open(self.path, "a") as file:
            file.write(f"{line}\n")

    def on_train_begin(self, logs=None):
        self.step = self.model.step
        self.write(f"from {self.step}")

    def on_train_batch_end(self, batch, logs=None):
        self.step += 1
        self.write(self.step)


if __name__ == "__main__":
    path, sys.argv[1:] = sys.argv[1], sys.argv[2:]
    run_callbacks = training.run_callbacks
    training.run_callbacks = lambda *args: [*run_callbacks(*args), Progress(path)]
    main()
