"""Engine for TensorFlow: GradientTape in a graph."""

from functools import partial

import tensorflow as tf


def outside(variables):
    """Nothing: variables outside a phase are read as they are."""
    return []


def value_and_gradients(fn, variables):
    values = [tf.convert_to_tensor(v.value) for v in variables]
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(values)
        loss, aux = fn(values)
    gradients = tape.gradient(loss, values, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    return loss, aux, gradients


def input_gradient(fn, x):
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(x)
        value = fn(x)
    return tape.gradient(value, x)


def apply(ok, fn, variables):
    def branch():
        fn()
        return tf.constant(True)

    tf.cond(ok, branch, lambda: tf.constant(False))


def compiled(fn):
    return tf.function(fn, reduce_retracing=True)


class TrainStep:
    """`keras.Model.train_step` on TensorFlow."""

    # XLA's convolutions on CPU are several times slower than TensorFlow's own
    default_jit_compile = False

    def train_step(self, data):
        return self.iterate(data)

    def run_phase(self, phase, data, ok):
        """Traces each phase once, so that the step with R1 and the step without share the other phases."""
        if self.run_eagerly:
            return self._run(phase, data, ok)
        key = (phase.name, self._due[phase.name])
        if key not in self._phase_functions:
            self._phase_functions[key] = tf.function(partial(self._run, phase), autograph=False)
        return self._phase_functions[key](data, ok)
