"""Engine for JAX: the step is a pure function of the model's state."""

from collections.abc import Callable
from typing import Any

import jax
import keras
from jax.extend.core import jaxpr_as_fun
from keras import ops

from keras_semisis.distribution import number_of_devices
from keras_semisis.gans.untracked import Untracked

JIT_BY_DEFAULT = True
# as Keras calls the groups of a model's state, in their order
_NAMES_OF_GROUPS = ("trainable_variables", "non_trainable_variables", "optimizer_variables", "metrics_variables")


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


def check_distribution(model):
    devices = number_of_devices()
    for variable in model.variables:
        found = len(variable.value.sharding.device_set)
        if found != devices:
            raise ValueError(
                f"{variable.path} is on {found} of {devices} devices: call keras_semisis.distribute before the networks are "
                "built, or load the model from its file after it."
            )


def has_accelerator():
    return jax.default_backend() != "cpu"


def compiled(fn):
    return jax.jit(fn)


def _assign(groups, state):
    for group, values in zip(groups, state, strict=True):
        for variable, value in zip(group, values, strict=True):
            variable.assign(value)


def _compiled_in_place(variables, values, fn, args):
    """``fn``, compiled, and which of the variables it changes: new values take over the memory of the old ones."""

    def pure(values, *args):
        with keras.StatelessScope(list(zip(variables, values, strict=True))) as scope:
            result = fn(*args)
        after = [scope.get_current_value(v) for v in variables]
        # what a phase leaves as it is stays where it is
        changed[:] = [i for i, (old, new) in enumerate(zip(values, after, strict=True)) if new is not old]
        return result, [after[i] for i in changed]

    changed: list[int] = []
    traced, shapes = jax.make_jaxpr(pure, return_shape=True)(values, *args)
    run, structure, is_changed = jaxpr_as_fun(traced), jax.tree.structure(shapes), frozenset(changed)

    def in_place(replaced, kept, *args):
        parts = iter(replaced), iter(kept)
        values = [next(parts[0] if i in is_changed else parts[1]) for i in range(len(variables))]
        return jax.tree.unflatten(structure, run(*jax.tree.leaves((values, args))))

    return jax.jit(in_place, donate_argnums=0), changed


def _parted(values, changed):
    """The values that a compiled phase may overwrite, no array twice, and the others."""
    is_changed, seen = frozenset(changed), set()
    replaced, kept = [], []
    for i, value in enumerate(values):
        if i not in is_changed:
            kept.append(value)
            seen.add(id(value))
    for i in changed:
        value = values[i]
        replaced.append(value.copy() if id(value) in seen else value)
        seen.add(id(value))
    return replaced, kept


class TrainStep:
    """`keras.Model.train_step` on JAX: the state goes in and comes out."""

    # of the model
    notice_frozen_layers: Callable[[], None]
    iterate: Callable[[Any], dict[str, Any]]
    eagerly: bool
    jit: bool
    jax_state_sync: Callable[[], None]
    trainable_variables: list
    non_trainable_variables: list
    metrics_variables: list
    optimizer: Any

    _scope: Any = None
    _functions = Untracked()
    _groups = Untracked()

    def forget_compiled(self):
        self._functions, self._groups = {}, None

    def train_step(self, state, data):
        before = self._state_groups()
        self.notice_frozen_layers()
        groups = self._state_groups()
        if [len(group) for group in groups] != [len(values) for values in state]:
            _assign(before, state)
            self._jax_state_synced = True
            raise ValueError(
                "Layers were frozen or thawed between two steps of one epoch. On JAX do so in a callback's "
                "on_epoch_begin or on_epoch_end, or between two calls of fit."
            )
        mapping = [pair for group, values in zip(groups, state, strict=True) for pair in zip(group, values, strict=True)]
        with keras.StatelessScope(mapping) as self._scope:
            try:
                logs = self.iterate(keras.tree.map_structure(ops.convert_to_tensor, data))
                return logs, self._reached(groups)
            except BaseException:
                # the arrays that came in may be used up: whoever goes on has the state after the last phase that ended
                self._jax_state = dict(zip(_NAMES_OF_GROUPS, self._reached(groups), strict=True))
                raise
            finally:
                self._scope = None

    def _reached(self, groups):
        return tuple([self._scope.get_current_value(v) for v in group] for group in groups)

    def synchronize(self):
        self.jax_state_sync()

    def run(self, key, fn, *args):
        if self.eagerly or not self.jit:
            return fn(*args)
        variables = [v for group in self._state_groups() for v in group]
        # the scope itself: a variable's own value and assign check and convert, thousands of times a step
        scope = self._scope
        values = [v.value if scope is None else scope.get_current_value(v) for v in variables]
        key = key, *((x.shape, x.dtype) for x in jax.tree.leaves(args))
        if key not in self._functions:
            self._functions[key] = _compiled_in_place(variables, values, fn, args)
        function, changed = self._functions[key]
        result, after = function(*_parted(values, changed), *args)
        for i, value in zip(changed, after, strict=True):
            if scope is None:
                variables[i].assign(value)
            else:
                scope.add_update((variables[i], value))
        return result

    def _get_jax_state(self, purge_model_variables=False, **groups):
        """The values of the variables, which Keras empties before it asks for a batch: after an error they are filled again."""
        state = super()._get_jax_state(  # type: ignore[misc]  # of the Keras model, behind this class
            purge_model_variables=purge_model_variables, **groups
        )
        if purge_model_variables:
            self._jax_state = dict(zip((name for name, wanted in groups.items() if wanted), state, strict=True))
        return state

    def _state_groups(self):
        if self._groups is None:
            self._groups = (
                self.trainable_variables,
                self.non_trainable_variables,
                self.optimizer.variables,
                self.metrics_variables,
            )
        return self._groups
