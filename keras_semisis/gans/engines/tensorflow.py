"""Engine for TensorFlow: GradientTape in a graph."""

import tensorflow as tf

JIT_BY_DEFAULT = False


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

    def train_step(self, data):
        return self.iterate(data)

    def run(self, key, fn, *args):
        if self.eagerly:
            return fn(*args)
        functions = self._functions.value
        if key not in functions:
            functions[key] = tf.function(fn, autograph=False, jit_compile=self.jit)
        return functions[key](*args)
