"""A phase: one optimization step of one network (or a few), with everything else frozen."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from numbers import Real
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_semisis.gans.engines import engine
from keras_semisis.models.keras_privates import layers_of

REGULARIZATION = "regularization"


@dataclass(frozen=True)
class Phase:
    """Which networks learn, and the loss that they learn from. A GAN is a list of phases.

    Every network that is not in ``trains`` is frozen while the phase runs: none of its variables changes, trainable or
    not. Its forward pass still runs in training mode; the state updates which that causes are dropped.

    What networks that learn add to a loss by themselves (``network.losses``: regularizers of their weights, and what layers
    have added in the network's last call) is the term ``regularization``, of weight 1, as in Keras's own training. A phase that
    has a term of this name in ``weights`` counts it by itself.

    Args:
        name: Name of the phase; its terms are logged as ``"<name>/<term>"``.
        trains: Names of the networks that learn, of the model's ``network_names``.
        loss: Called with ``(data, due)``, the batch (`AdversarialModel.batch`) and the set of names of the terms that are due;
            returns the due terms by name, unweighted scalars. Written imperatively, with `keras.ops`.
        weights: The weight of each term, a number or a `keras.Variable`. A term whose weight is the number 0 is never due.
        every: For a term that is not due at every step, the number of steps from one time to the next.

    Raises:
        ValueError: If ``trains`` is no tuple of names, or ``every`` names another term or holds what is no positive integer.

    Example:

    >>> phase = Phase("critic", ("discriminator",), loss=None, weights={"real": 1.0, "r1": 2.0}, every={"r1": 4})
    >>> sorted(phase.due(step=4)), sorted(phase.due(step=5))
    (['r1', 'real'], ['real'])
    """

    name: str
    trains: tuple[str, ...]
    loss: Callable
    weights: Mapping[str, Any]
    every: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self):
        if not isinstance(self.trains, tuple) or not self.trains:
            raise ValueError(f'Phase {self.name!r}: trains={self.trains!r}: give a tuple of names, such as ("generator",).')
        wrong = {term: steps for term, steps in self.every.items() if term not in self.weights or not _is_positive(steps)}
        if wrong:
            raise ValueError(
                f"Phase {self.name!r}: every={wrong}: expected whole numbers of steps, from 1, of {', '.join(self.weights)}."
            )

    @property
    def terms(self) -> dict[str, Any]:
        """The terms that count at some step, with their weights."""
        return {term: w for term, w in self.weights.items() if not isinstance(w, Real) or w}

    def due(self, step: int) -> frozenset[str]:
        """Names of the terms that count at this step."""
        return frozenset(term for term in self.terms if step % self.every.get(term, 1) == 0)


def _is_positive(steps):
    return isinstance(steps, int | np.integer) and steps >= 1


def check_phases(system: str, phases: Sequence[Phase], network_names: Sequence[str]) -> None:
    """Refuses phases that no training can have.

    Args:
        system: The class that has them, for errors.
        phases: The phases.
        network_names: Its networks.

    Raises:
        ValueError: If there is none, two have one name, or one trains what is no network.
    """
    if not phases:
        raise ValueError(f"{system}.phases returns none: nothing would be learned.")
    names = [phase.name for phase in phases]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"{system}.phases: more than one is called {', '.join(twice)}. Give each its name.")
    for phase in phases:
        unknown = [name for name in phase.trains if name not in network_names]
        if unknown:
            raise ValueError(
                f"Phase {phase.name!r} trains {', '.join(unknown)}, which is no network: network_names are "
                f"{', '.join(network_names)}."
            )


@contextmanager
def frozen(networks):
    """Sets ``trainable = False`` on networks, and back to what every layer and every variable had.

    Normalization layers of Keras stay trainable: `keras.layers.BatchNormalization` that is not trainable uses its running
    statistics, and a frozen network is to behave as it does when it trains.
    """
    layers = [layer for network in networks for layer in layers_of(network)]
    before = [layer.trainable for layer in layers]
    variables = [(v, v.trainable) for network in networks for v in network.variables]
    try:
        for network in networks:
            network.trainable = False
        for layer, trainable in zip(layers, before, strict=True):
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.trainable = trainable
        yield
    finally:
        for layer, trainable in zip(layers, before, strict=True):
            layer.trainable = trainable
        for variable, trainable in variables:  # one of a layer that learns may be frozen by itself
            variable.trainable = trainable


def take_step(model: Any, phase: Phase, due: frozenset[str], data: Any, ok):
    """Runs a phase: the loss, its gradients, the update. Nothing is updated once a loss or gradient is not finite.

    Args:
        model: The `AdversarialModel`.
        phase: The phase.
        due: Names of the terms that are due.
        data: The batch, tensors.
        ok: Whether all was finite so far, a boolean scalar.

    Returns:
        Whether it still is, and the terms by name.
    """
    trained, state = _trained(model, phase), _state(model, phase)
    total, terms, new_state, gradients = differentiate(model, phase, due, data)

    # a sum is finite only if every summand is
    ok = ops.logical_and(ok, ops.isfinite(total + sum(ops.sum(gradient) for gradient in gradients)))

    changed = [(variable, value) for variable, value in zip(state, new_state, strict=True) if value is not None]

    def update():
        for variable, value in changed:
            variable.assign(value)
        remaining = iter(gradients)
        for name, group in trained.items():
            engine.descend(model.optimizers[name], list(itertools.islice(remaining, len(group))), group)

    variables = [v for group in trained.values() for v in group]
    slots = [v for name in trained for v in model.optimizers[name].variables]
    engine.apply(ok, update, [*(variable for variable, _ in changed), *variables, *slots])
    return ok, terms


def differentiate(model: Any, phase: Phase, due: frozenset[str], data: Any):
    """A phase's loss, its terms, the networks' state after it (None where it stays), its gradients. Writes nothing."""
    variables = [v for group in _trained(model, phase).values() for v in group]
    state = _state(model, phase)
    outside = engine.outside(model.variables)
    before = {id(v): value for v, value in outside}

    def updated(scope, variable):
        value = scope.get_current_value(variable)
        return None if value is before.get(id(variable)) else value

    def loss(values):
        mapping = outside + list(zip(variables, values, strict=True))
        with keras.StatelessScope(mapping, collect_losses=True) as scope:
            terms = _due_terms(phase, due, data)
            total = sum(phase.weights[name] * value for name, value in terms.items())
            added = [part for name in phase.trains for part in getattr(model, name).losses]
            if added and REGULARIZATION not in phase.weights:
                terms[REGULARIZATION] = sum(ops.sum(ops.cast(part, "float32")) for part in added)
                total = total + terms[REGULARIZATION]
        return total, (terms, [updated(scope, v) for v in state])

    with frozen([getattr(model, name) for name in model.network_names if name not in phase.trains]):
        total, (terms, new_state), gradients = engine.value_and_gradients(loss, variables)
    return total, terms, new_state, gradients


def _due_terms(phase, due, data):
    """The terms that are due, as the phase's loss gives them."""
    found = phase.loss(data, due)
    missing = sorted(due - found.keys())
    if missing:
        raise ValueError(
            f"Phase {phase.name!r}: its loss has returned {', '.join(found) or 'nothing'}, and not {', '.join(missing)}, of "
            "which it has weights."
        )
    shapes = {name: tuple(ops.shape(ops.convert_to_tensor(found[name]))) for name in sorted(due)}
    if not_scalar := {name: shape for name, shape in shapes.items() if shape}:
        raise ValueError(f"Phase {phase.name!r}: its loss has to return scalars; of {not_scalar} take the mean.")
    return {name: value for name, value in found.items() if name in due}


def _trained(model, phase):
    return {name: getattr(model, name).trainable_variables for name in phase.trains}


def _state(model, phase):
    """What a phase changes beside the variables that it trains: also the model's own, such as states of its seed generators."""
    state = [v for name in phase.trains for v in getattr(model, name).non_trainable_variables]
    networks = [*(getattr(model, name) for name in model.network_names), *model.moving_averages().values()]
    of_networks = {id(v) for network in networks for v in network.variables}
    return [*state, *(v for v in model.variables if id(v) not in of_networks)]
