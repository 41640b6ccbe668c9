"""The base class of callbacks that act every n training steps, and once more at the end."""

import keras


class EverySteps(keras.callbacks.Callback):
    """Calls `act` after every n-th training step, and after the last one.

    Steps are counted as the model counts them, over all its training: a resumed run goes on where it stopped.

    Args:
        every: n, at least 1.

    Attributes:
        step: Number of training steps that the model has done.

    Raises:
        ValueError: If ``every`` is below 1.
    """

    def __init__(self, every: int):
        super().__init__()
        if every < 1:
            raise ValueError(f"every={every}: give the number of steps between two times, at least 1.")
        self.every = every
        self.step = 0
        self._acted_at: int | None = None

    def act(self, logs: dict | None) -> None:
        """What is to be done.

        Args:
            logs: The losses of the step, to which may be added; later callbacks see that. At the end of training those of
                its last epoch, or None where it broke off.
        """
        raise NotImplementedError

    def on_train_begin(self, logs=None):
        self.step = self._acted_at = self.model.step

    def on_train_batch_end(self, batch, logs=None):
        self.step += 1
        if self.step % self.every == 0:
            self._acted_at = self.step
            self.act(logs)

    def on_train_end(self, logs=None):
        if self._acted_at != self.step:
            self._acted_at = self.step
            self.act(logs)
