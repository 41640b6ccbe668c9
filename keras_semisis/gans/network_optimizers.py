"""The optimizers of a model's networks: which has which, all as one, and the precision that they need."""

import warnings
from collections.abc import Mapping, Sequence

import keras
import numpy as np
from keras import ops

from keras_semisis.models.keras_privates import layers_of


class NetworkOptimizers(keras.optimizers.MultiOptimizer):
    """The optimizers of the networks as one. They are saved each by itself, not once more here as Keras's class does.

    Args:
        optimizer_of: A variable's optimizer.
        steps: Variable that counts the training steps. It is what ``iterations`` is, and what learning-rate schedules see;
            each optimizer counts its network's updates beside.
    """

    def __init__(self, optimizer_of, steps: int):
        super().__init__(optimizer_of)
        self._untrack_variable(self._iterations)
        self._iterations: keras.Variable = steps

    def build(self, var_list) -> None:
        super().build(var_list)
        for optimizer in self.optimizers:
            _schedule_by(optimizer, self.iterations)

    def finalize_variable_values(self, var_list):
        super().finalize_variable_values([v for v in var_list if self._var_key(v) in self._var_to_optimizer_idx])

    def save_own_variables(self, store):
        for i, variable in enumerate(self._variables):
            store[str(i)] = ops.convert_to_numpy(variable)

    def load_own_variables(self, store):
        if not store.keys():
            warnings.warn("These are weights of a model that was not compiled: the optimizers begin anew.", stacklevel=2)
            return
        # what else there is, a learning rate, stands for none of the networks' and has had another place
        self._iterations.assign(saved_steps([store[name][()] for name in store.keys()]))


def saved_steps(values: Sequence[np.ndarray]) -> int:
    """The step among what a file has of `NetworkOptimizers`: the one integer; 0 where there is none."""
    return next((int(value) for value in values if np.issubdtype(np.asarray(value).dtype, np.integer)), 0)


def _schedule_by(optimizer, steps):
    """Lets an optimizer's learning-rate schedule see training steps in place of the optimizer's own updates."""

    def learning_rate():
        rate = optimizer._learning_rate
        is_schedule = isinstance(rate, keras.optimizers.schedules.LearningRateSchedule)
        return rate(steps) if is_schedule else type(optimizer)._get_current_learning_rate(optimizer)

    optimizer._get_current_learning_rate = learning_rate


def optimizers_of(
    network_names: tuple[str, ...], given: Mapping[str, keras.optimizers.Optimizer], optimizer_of: Mapping[str, str]
) -> dict[str, keras.optimizers.Optimizer]:
    """One optimizer for each network: its own, or a copy of that which it shares, since one holds the slots of one network.

    One that holds slots already, of an earlier `compile` or of another model, is copied too: the copy begins anew.

    Args:
        network_names: The networks.
        given: Optimizers, or what `keras.optimizers.get` takes, by the name of a network or the one that it shares.
        optimizer_of: The name of the optimizer that a network shares.

    Raises:
        ValueError: If a network has none, a name is of no network, or an optimizer accumulates gradients.
    """
    shared = {name: name if name in given else optimizer_of.get(name, name) for name in network_names}
    missing = [name for name in dict.fromkeys(shared.values()) if name not in given]
    unused = sorted(given.keys() - shared.values())
    if missing or unused:
        found = " and ".join(
            ([f"there is none of {', '.join(missing)}"] if missing else [])
            + ([f"there is no network {', '.join(unused)}"] if unused else [])
        )
        raise ValueError(f"compile: optimizers: {found}. Give one for each of {', '.join(dict.fromkeys(shared.values()))}.")
    optimizers: dict[str, keras.optimizers.Optimizer] = {}
    for name, owner in shared.items():
        optimizer = keras.optimizers.get(given[owner])
        if optimizer.gradient_accumulation_steps:
            raise ValueError(
                f"compile: the optimizer of {name} has gradient_accumulation_steps={optimizer.gradient_accumulation_steps}, "
                "which counts updates: a network that has two in a training step would take them in half the steps. Leave it "
                "out; give the data sets a larger batch_size."
            )
        used = optimizer.built or optimizer in optimizers.values()
        optimizers[name] = type(optimizer).from_config(optimizer.get_config()) if used else optimizer
    return optimizers


def check_precision(networks: Mapping[str, keras.Model]) -> None:
    """Refuses dtype policies, Keras's and the networks', other than float32 and mixed_bfloat16.

    Raises:
        ValueError: Naming the network.
    """
    policies = {"The policy": keras.config.dtype_policy()}
    for name, network in networks.items():
        policies |= {
            f"The network {name}": layer.dtype_policy
            for layer in layers_of(network)
            if not _is_precise_enough(layer.dtype_policy)
        }
    for what, policy in policies.items():
        if not _is_precise_enough(policy):
            raise ValueError(
                f"{what} is of {policy.name}, but training is in float32 or mixed_bfloat16 (float16 would need loss "
                'scaling, and optimizers need float32 variables): keras.config.set_dtype_policy("mixed_bfloat16") before '
                "the networks are built."
            )


def _is_precise_enough(policy):
    floats = {policy.compute_dtype, policy.variable_dtype} & {"float16", "bfloat16", "float64"}
    return not floats or policy.name == "mixed_bfloat16"
