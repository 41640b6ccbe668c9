"""TensorFlow where it is installed: tf.data feeds every backend, and none but TensorFlow's own needs it."""

import atexit
import functools
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import keras
import numpy as np


@functools.cache
def optional_tensorflow():
    """The `tensorflow` module, imported at the first call, or None where it is not installed."""
    try:
        import tensorflow as tf
    except ImportError:
        return None
    if keras.backend.backend() != "tensorflow":
        # TensorFlow would reserve all memory of a GPU on which JAX or PyTorch trains.
        with suppress(RuntimeError):  # its devices are in use already: the user has set them up
            tf.config.set_visible_devices([], "GPU")
    return tf


def numpy_function(function: Callable, inputs: list, dtypes):
    """`tf.numpy_function` of a function without side effects, for data sets that may be read until the program ends.

    A thread that asks for the interpreter after its end is stopped for good, and TensorFlow waits for it forever: a program
    that ended with an iterator alive would hang. So the last calls, which fill buffers that nobody reads, return nothing.
    """
    tf = optional_tensorflow()
    nothing = tf.nest.map_structure(lambda dtype: np.empty(0, tf.as_dtype(dtype).as_numpy_dtype), dtypes)
    return tf.numpy_function(_until_exit(function, nothing), inputs, dtypes, stateful=False)


def without_autotuning(dataset, without: bool = True):
    """A `tf.data.Dataset` that ends at once.

    Autotuning is a thread that sleeps for as long as the data set was read, up to a minute, and now and then misses that it is
    to end: `fit` would not return before it wakes. Numbers that are not `tf.data.AUTOTUNE` need none.

    Args:
        dataset: The data set.
        without: False turns autotuning on again in what was made of a data set without.
    """
    tf = optional_tensorflow()
    options = tf.data.Options()
    options.autotune.enabled = not without
    return dataset.with_options(options)


_calls = threading.Condition()
_running = 0
_last = 0.0
_ended = False


def _until_exit(function, nothing):
    @functools.wraps(function)
    def call(*arguments):
        _count(1)
        try:
            return nothing if _ended else function(*arguments)
        finally:
            _count(-1)

    return call


def _count(change):
    global _running, _last
    with _calls:
        _running, _last = _running + change, time.monotonic()
        _calls.notify_all()


@atexit.register
def _end():
    """Returns when no call is running, and none has come for a while: the buffers are full."""
    global _ended
    _ended = True
    with _calls:
        while _running or time.monotonic() < _last + 0.1:
            _calls.wait(0.02)
