"""TensorFlow where it is installed: tf.data feeds every backend, and none but TensorFlow's own needs it."""

import functools

import keras


@functools.cache
def optional_tensorflow():
    """The `tensorflow` module, imported at the first call, or None where it is not installed."""
    try:
        import tensorflow as tf
    except ImportError:
        return None
    if keras.backend.backend() != "tensorflow":
        # TensorFlow would reserve all memory of a GPU on which JAX or PyTorch trains.
        try:
            tf.config.set_visible_devices([], "GPU")
        except RuntimeError:  # its devices are in use already: the user has set them up
            pass
    return tf
