"""The optimizers of a model's networks: which has which, all as one, and the precision that they need."""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_semisis.models.keras_privates import layers_of, variables_without_weight_decay


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
        """Nothing: Keras calls it after every part of a training, and on JAX after an error, too. See `take_averages`."""

    def take_averages(self, var_list) -> bool:
        """At the end of a training: averages of optimizers with ``use_ema`` take the place of the weights that they follow.

        Args:
            var_list: What learns. Layers may have been frozen since an optimizer was built: the others stay.

        Returns:
            Whether there are any.
        """
        learned = {id(variable) for variable in var_list}
        # before its first step the averages are 0
        averaging = [o for o in self.optimizers if o.use_ema and int(ops.convert_to_numpy(o.iterations))]
        for optimizer in averaging:
            pairs = zip(optimizer._trainable_variables, optimizer._model_variables_moving_average, strict=True)
            for variable, average in pairs:
                if id(variable) in learned:
                    variable.assign(average)
        return bool(averaging)

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
        optimizers[name] = _copy_of(optimizer, name) if used else optimizer
    return optimizers


def _copy_of(optimizer, name):
    pattern, single = variables_without_weight_decay(optimizer)
    if single:
        raise ValueError(
            f"compile: the optimizer of {name} has learned already, or is that of another network too, and a copy of it cannot "
            "know the variables of exclude_from_weight_decay(var_list=...). Give var_names=, or each network a new optimizer."
        )
    copy = type(optimizer).from_config(optimizer.get_config())
    if pattern:
        copy.exclude_from_weight_decay(var_names=[pattern])
    return copy


def optimizer_to_config(optimizer: keras.optimizers.Optimizer) -> dict[str, Any]:
    """What a file says of an optimizer, the same on every backend: Keras writes the module of PyTorch's own classes."""
    config = _of_every_backend(keras.saving.serialize_keras_object(optimizer))
    pattern, _ = variables_without_weight_decay(optimizer)
    return config | ({"without_weight_decay": pattern} if pattern else {})


def optimizer_from_config(config: dict[str, Any]) -> keras.optimizers.Optimizer:
    """The optimizer of which a file says this, also one that PyTorch's own classes have written."""
    config = _of_every_backend(config)
    pattern = config.pop("without_weight_decay", None)
    optimizer = keras.saving.deserialize_keras_object(config)
    if pattern:
        optimizer.exclude_from_weight_decay(var_names=[pattern])
    return optimizer


def _of_every_backend(config):
    if not isinstance(config, dict):
        return config
    config = {key: _of_every_backend(value) for key, value in config.items()}
    if str(config.get("module")).startswith("keras.src.backend."):
        config |= {"module": "keras.optimizers", "registered_name": None}
    return config


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
