"""Engine for JAX: the step is a pure function of the model's state."""

import jax
import keras
from keras import ops


def outside(variables):
    """The values that a scope inside the step's own scope would not see otherwise."""
    return [(v, v.value) for v in variables]


def value_and_gradients(fn, variables):
    values = [ops.convert_to_tensor(v.value) for v in variables]
    (loss, aux), gradients = jax.value_and_grad(fn, has_aux=True)(values)
    return loss, aux, gradients


def input_gradient(fn, x):
    return jax.grad(fn)(x)


def apply(ok, fn, variables):
    before = [v.value for v in variables]
    fn()
    for variable, old in zip(variables, before, strict=True):
        variable.assign(ops.where(ok, variable.value, old))


def compiled(fn):
    return jax.jit(fn)


class TrainStep:
    """`keras.Model.train_step` on JAX: the state goes in and comes out."""

    default_jit_compile = "auto"

    def train_step(self, state, data):
        groups = (
            self.trainable_variables, self.non_trainable_variables, self.optimizer.variables, self.metrics_variables)
        mapping = [pair for group, values in zip(groups, state, strict=True) for pair in zip(group, values, strict=True)]
        with keras.StatelessScope(mapping) as scope:
            logs = self.iterate(data)
        return logs, tuple([scope.get_current_value(v) for v in group] for group in groups)

    def run_phase(self, phase, data, ok):
        return self._run(phase, data, ok)
