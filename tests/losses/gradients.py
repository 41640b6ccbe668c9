"""A loss and its gradient with respect to arrays, through the engine of the backend in use."""

import keras
from keras import ops

from keras_semisis.gans.engines import engine


def value_and_gradients(fn, *arrays):
    """``fn`` of tensors; returns its value and its gradient at each array, as NumPy."""
    variables = [keras.Variable(array, dtype="float32") for array in arrays]
    value, _, gradients = engine.value_and_gradients(lambda values: (fn(*values), ()), variables)
    return float(ops.convert_to_numpy(value)), [ops.convert_to_numpy(gradient) for gradient in gradients]
