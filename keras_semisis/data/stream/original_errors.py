"""What loading a batch raised, in place of the error into which tf.data wraps it."""

import gc
from collections.abc import Iterable
from contextlib import contextmanager, suppress
from typing import Any


@contextmanager
def original_errors(datasets: Iterable[Any]):
    """Raises what loading a batch raised in place of the error into which tf.data wraps it.

    The iterator that has ended so is deleted here. Errors of TensorFlow and Keras's loop are in cycles with it: else Python
    would delete it where it happens to collect garbage. In a thread that tf.data calls back in, the deletion waits for threads
    that wait for this one, and the program hangs.

    Args:
        datasets: Those that are read meanwhile: each a `BatchStream`, or `OwnBatches`.
    """
    try:
        yield
    except Exception as error:
        original = next((dataset.error for dataset in datasets if dataset.error is not None), error)
        if original is error:
            raise
        for wrapped in (error, error.__context__):
            _clear_frames(wrapped)
        gc.collect()
        raise original from None


def _clear_frames(error):
    """Lets go of what the functions held that an error has ended, those as well that Keras leaves out of the traceback."""
    traceback = None if error is None else error.__traceback__
    while traceback is not None:
        frame = traceback.tb_frame
        with suppress(RuntimeError):  # a function that still runs, as do those that have called it
            while frame is not None:
                frame.clear()
                frame = frame.f_back
        traceback = traceback.tb_next
