"""The stream of training steps where TensorFlow is not installed."""

import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import keras

# Batches that are loaded at a time: each takes a thread, and memory
WORKERS = min(16, os.cpu_count() or 1)
_AHEAD = max(4, WORKERS)


class StepDataset(keras.utils.PyDataset):
    """Steps ``first..stop-1``, loaded by threads a few steps ahead of the one that is asked for.

    Keras's own `workers` are not used: their queue starts over at every epoch, whereas these steps go on.

    Args:
        load: Step number → element. Called from threads.
        first: The first step.
        stop: One after the last step; None for no end.
    """

    def __init__(self, load: Callable[[int], Any], first: int, stop: int | None):
        super().__init__()
        self._load = load
        self._first = first
        self._stop = stop
        self._pool = ThreadPoolExecutor(WORKERS)
        self._loading: dict[int, Future] = {}

    @property
    def num_batches(self) -> int | None:
        """Number of steps; None if there is no end."""
        return None if self._stop is None else self._stop - self._first

    def __len__(self):
        if self._stop is None:
            raise TypeError("This stream has no end.")
        return self._stop - self._first

    def __getitem__(self, index):
        first = self._first + index
        end = first + _AHEAD if self._stop is None else min(first + _AHEAD, self._stop)
        if first >= end:
            raise IndexError(f"Step {first} is after the last one, {end - 1}.")
        loading = self._loading
        self._loading = {step: loading.get(step) or self._pool.submit(self._load, step) for step in range(first, end)}
        return self._loading[first].result()
