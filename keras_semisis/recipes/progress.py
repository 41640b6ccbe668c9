"""Where a recipe shows how far it is."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import keras


class Progress:
    """Shows nothing; the command line has one that draws bars."""

    @contextmanager
    def counting(self, title: str) -> Iterator[Callable[[int, int], None]]:
        """Within ``with``: a function that is told (done, of how many).

        Args:
            title: What is being done.
        """
        yield lambda done, number: None

    @contextmanager
    def steps(self, title: str, steps: int, start: int = 0) -> Iterator[Sequence[keras.callbacks.Callback]]:
        """Within ``with``: callbacks that follow a training.

        Args:
            title: What is being trained.
            steps: Number of steps in all.
            start: Steps that were done before.
        """
        yield []


SILENT = Progress()
