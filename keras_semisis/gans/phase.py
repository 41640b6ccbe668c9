"""A phase: one optimisation step of one network (or a few), with everything else frozen."""

from collections.abc import Callable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import keras


@dataclass(frozen=True)
class Phase:
    """Which networks learn, and the loss that they learn from. A GAN is a list of phases.

    Every network that is not in ``trains`` is frozen while the phase runs: none of its variables changes, trainable or
    not. Its forward pass still runs in training mode; the state updates which that causes are dropped.

    Args:
        name: Name of the phase; its terms are logged as ``"<name>/<term>"``.
        trains: Names of the networks that learn, as the model's attributes.
        loss: Called with ``(data, due)``, the batch and the set of names of the terms that are due; returns the due terms
            by name, unweighted scalars. Written imperatively, with `keras.ops`.
        weights: The weight of each term. A term of weight 0 is never due.
        every: For a term that is not due at every step, the number of steps from one time to the next.

    Example:

    >>> phase = Phase("critic", ("discriminator",), loss=None, weights={"real": 1.0, "r1": 2.0}, every={"r1": 4})
    >>> sorted(phase.due(step=4)), sorted(phase.due(step=5))
    (['r1', 'real'], ['real'])
    """

    name: str
    trains: tuple[str, ...]
    loss: Callable
    weights: Mapping[str, float]
    every: Mapping[str, int] = field(default_factory=dict)

    def due(self, step: int) -> frozenset[str]:
        """Names of the terms that count at this step."""
        return frozenset(term for term, weight in self.weights.items()
                         if weight and step % self.every.get(term, 1) == 0)


@contextmanager
def frozen(networks):
    """Sets ``trainable = False`` on networks, and back to what every layer had.

    Normalisation layers of Keras stay trainable: `keras.layers.BatchNormalization` that is not trainable uses its running
    statistics, and a frozen network is to behave as it does when it trains.
    """
    layers = [layer for network in networks for layer in network._flatten_layers()]
    before = [layer.trainable for layer in layers]
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
