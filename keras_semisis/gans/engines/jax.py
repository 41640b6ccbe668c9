"""Engine for JAX: the step is a pure function of the model's state."""

import atexit
import os
import secrets
import sys
import weakref
from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

import jax
import keras
import numpy as np
from jax.experimental import multihost_utils
from jax.extend.core import jaxpr_as_fun
from keras import ops

from keras_semisis.distribution import number_of_devices
from keras_semisis.gans.untracked import Untracked
from keras_semisis.models.functional import in_its_form
from keras_semisis.models.keras_privates import random_seed
from keras_semisis.processes import ProcessLost, number_of_processes

# Of silence, after which JAX takes a process for dead and ends the others
_SECONDS_TO_LIVE = 30

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


def input_gradient(fn, x, variables):
    def with_assigned(x):
        # what is assigned in here, such as running means, may not leave the trace by itself
        with keras.StatelessScope(outside(variables)) as scope:
            return fn(x), [scope.get_current_value(v) for v in variables]

    gradient, values = jax.grad(with_assigned, has_aux=True)(x)
    for variable, value in zip(variables, values, strict=True):
        if not variable.trainable:
            variable.assign(value)
    return gradient


def apply(ok, fn, variables):
    before = [v.value for v in variables]
    fn()
    for variable, old in zip(variables, before, strict=True):
        variable.assign(ops.where(ok, variable.value, old))


def descend(optimizer, gradients, variables):
    optimizer.apply(gradients, variables)


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
    return jax.jit(fn, out_shardings=_everywhere())


def _everywhere():
    """Every device has all of what a compiled function returns, so that every process can read it."""
    distribution = keras.distribution.distribution()
    if distribution is None:
        return None
    return jax.sharding.NamedSharding(distribution.device_mesh.backend_mesh, jax.sharding.PartitionSpec())


# -- several processes ------------------------------------------------------------------------------------------------


def has_joined():
    return jax.distributed.is_initialized()


def join(coordinator, processes, process, seconds):
    # not Keras's initialize, by which a process may be dead for 100 seconds until the others end, and 300 more
    try:
        jax.distributed.initialize(
            coordinator,
            processes,
            process,
            initialization_timeout=seconds,
            heartbeat_timeout_seconds=_SECONDS_TO_LIVE,
            shutdown_timeout_seconds=_SECONDS_TO_LIVE,
        )
    except RuntimeError as error:
        raise ValueError(f"Processes cannot join: call keras_semisis.distribute before all else. ({error})") from error
    if random_seed() is None:  # networks begin with the same weights everywhere
        keras.utils.set_random_seed(int(of_first_process(secrets.randbits(31))))


def devices_of_processes():
    """Names of the devices of each process, as `keras.distribution.list_devices` has them."""
    names = dict(zip(jax.devices(), keras.distribution.list_devices(), strict=True))
    return [
        [name for device, name in names.items() if device.process_index == process] for process in range(jax.process_count())
    ]


@contextmanager
def other_processes():
    """What is computed within ends with `ProcessLost` where another process is gone."""
    try:
        yield
    except (ValueError, RuntimeError) as error:
        # jax.errors.JaxRuntimeError, and what it is before it is one
        if number_of_processes() == 1 or not any(mark in str(error) for mark in ("Gloo", "NCCL", "coordination service")):
            raise
        leave()
        raise ProcessLost(
            f"Another of the {number_of_processes()} processes has ended, or does not answer: its output says why. "
            f"({' '.join(str(error).split())[:200]})"
        ) from error


def of_first_process(value):
    bits = np.array([value], "float64").view("uint32")  # JAX has 32 bits a number
    with other_processes():
        return np.asarray(multihost_utils.broadcast_one_to_all(bits)).view("float64").item()


def in_any_process(flag):
    with other_processes():
        return bool(multihost_utils.process_allgather(np.bool_(flag)).any())


def leave():
    atexit.unregister(_leave)
    atexit.register(_leave)


def _leave():
    # JAX's own would wait for the other processes, and abort
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(1)


_functions: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()


def predict(network, inputs, batch_size):
    """Outputs of a network for all items, in every process; each computes its share of the items.

    Keras's own empties the variables as it begins, and leaves them so when it is interrupted, or memory does not suffice.
    """
    if network not in _functions:
        _functions[network] = _prediction(weakref.ref(network))
    distribution, values = keras.distribution.distribution(), [v.value for v in network.variables]

    def spread(array):
        if distribution is None:
            return array
        layout = distribution.get_data_layout(array.shape).backend_layout
        return jax.make_array_from_callback(array.shape, layout, lambda rows: array[rows])

    with other_processes():
        parts = [
            jax.tree.map(np.asarray, _functions[network](values, [spread(x[first : first + batch_size]) for x in inputs]))
            for first in range(0, len(inputs[0]), batch_size)
        ]
    return jax.tree.map(lambda *arrays: np.concatenate(arrays), *parts)


def _prediction(reference):
    def outputs(values, inputs):
        network = reference()
        with keras.StatelessScope(list(zip(network.variables, values, strict=True))):
            return network(in_its_form(network, inputs), training=False)

    return compiled(outputs)


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

    return jax.jit(in_place, donate_argnums=0, out_shardings=_everywhere()), changed


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
