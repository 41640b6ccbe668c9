"""Several processes that train one model: what is whose. On JAX alone."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import keras


class ProcessLost(ConnectionError):
    """Another process of a training has ended, or does not answer."""


def number_of_processes() -> int:
    """How many processes train together."""
    distribution = keras.distribution.distribution()
    return 1 if distribution is None else distribution.num_processes


def is_first_process() -> bool:
    """Whether this is the one process that writes files, and tells what happens."""
    return number_of_processes() == 1 or keras.distribution.distribution().data_shard_id == 0


def own_rows() -> Callable[[int], slice]:
    """Which rows of a batch of some size this process loads.

    To be asked before threads load batches: Keras's distribution is that of a thread alone.
    """
    processes = number_of_processes()
    place = 0 if processes == 1 else keras.distribution.distribution().data_shard_id

    def rows(batch_size):
        share = batch_size // processes
        return slice(place * share, (place + 1) * share)

    return rows


def of_first_process(value: float) -> float:
    """A number of the first process, in all of them. All have to ask."""
    return value if number_of_processes() == 1 else engine_of_backend().of_first_process(value)


def in_any_process(flag: bool) -> bool:
    """Whether something is true in any process. All have to ask."""
    return flag if number_of_processes() == 1 else engine_of_backend().in_any_process(flag)


def wait_for_all() -> None:
    """Returns when all processes have come here."""
    in_any_process(False)


@contextmanager
def first_before_others() -> Iterator[None]:
    """Within ``with``: the first process alone, then the others, for whom there is what it has written."""
    if not is_first_process():
        wait_for_all()
    yield
    if is_first_process():
        wait_for_all()


@contextmanager
def alone() -> Iterator[None]:
    """Within ``with``: what this process makes is its own, and the others do something else."""
    distribution = keras.distribution.distribution()
    if number_of_processes() > 1:
        keras.distribution.set_distribution(None)
    try:
        yield
    finally:
        keras.distribution.set_distribution(distribution)


def leave() -> None:
    """After an error: this process is to end without waiting for the others, which notice it."""
    if number_of_processes() > 1:
        engine_of_backend().leave()


def engine_of_backend() -> Any:
    """`gans.engines`, imported late: what it has of several devices is needed below `gans`."""
    from keras_semisis.gans.engines import engine

    return engine
