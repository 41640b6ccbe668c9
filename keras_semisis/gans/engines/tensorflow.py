"""Engine for TensorFlow: phases are graphs."""

from collections.abc import Callable
from contextlib import contextmanager, nullcontext
from typing import Any

import tensorflow as tf

from keras_semisis.gans.engines.keras_predict import predict  # noqa: F401  # a part of the engine
from keras_semisis.gans.untracked import Untracked

JIT_BY_DEFAULT = False


def outside(variables):
    """Nothing: variables outside a phase are read as they are."""
    return []


def value_and_gradients(fn, variables):
    values = [tf.convert_to_tensor(v.value) for v in variables]
    (loss, aux), gradients = _differentiated(fn, values)
    return loss, aux, gradients


def input_gradient(fn, x, variables):
    _, gradients = _differentiated(lambda values: (fn(values[0]), None), [x])
    return gradients[0]


def _differentiated(fn, values):
    """``fn(values)``, a pair of a scalar and anything, and the scalar's gradients.

    In a graph, where several threads compute, a gradient of many addends is a chain of sums of two: ``AddN``, by which a tape
    sums more, begins with the addend whose memory it can take over, and that is a matter of what is done first.
    """
    if tf.executing_eagerly():
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(values)
            result = fn(values)
        return result, tape.gradient(result[0], values, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    result = fn(values)
    return result, tf.gradients(
        result[0],
        values,
        unconnected_gradients=tf.UnconnectedGradients.ZERO,
        aggregation_method=tf.AggregationMethod.EXPERIMENTAL_TREE,
    )


@contextmanager
def _sums_as_written():
    """TensorFlow's optimizer of graphs would make an ``AddN`` of the chain again."""
    name = "arithmetic_optimization"
    before = tf.config.optimizer.get_experimental_options().get(name, True)
    tf.config.optimizer.set_experimental_options({name: False})
    try:
        yield
    finally:
        tf.config.optimizer.set_experimental_options({name: before})


def apply(ok, fn, variables):
    def branch():
        fn()
        return tf.constant(True)

    tf.cond(ok, branch, lambda: tf.constant(False))


def descend(optimizer, gradients, variables):
    optimizer.apply(gradients, variables)


def check_distribution(model):
    if model._distribute_strategy is not None or tf.distribute.has_strategy():
        raise ValueError(
            f"{type(model.distribute_strategy).__name__} of tf.distribute is not supported, training is on one "
            "device: build, compile and fit the model outside of strategy.scope()."
        )


def other_processes():
    return nullcontext()


def has_accelerator():
    return any(device.device_type != "CPU" for device in tf.config.list_physical_devices())


def compiled(fn):
    return tf.function(fn, reduce_retracing=True)


class TrainStep:
    """`keras.Model.train_step` on TensorFlow."""

    # of the model
    notice_frozen_layers: Callable[[], None]
    iterate: Callable[[Any], dict[str, Any]]
    eagerly: bool
    jit: bool

    _functions = Untracked()

    def forget_compiled(self):
        self._functions = {}

    def train_step(self, data):
        self.notice_frozen_layers()
        return self.iterate(data)

    def synchronize(self):
        pass

    def run(self, key, fn, *args):
        if self.eagerly:
            return fn(*args)
        functions = self._functions
        if key not in functions:
            functions[key] = tf.function(fn, autograph=False, jit_compile=self.jit)
        with _sums_as_written():
            return functions[key](*args)
