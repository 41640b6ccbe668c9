"""What this package uses of Keras that Keras does not promise to keep; a test tells when it changes."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras.src.utils import rng_utils


def layers_of(network: keras.Layer) -> list[keras.Layer]:
    """A network, and all layers in it, however deep, each once."""
    return list(network._flatten_layers())


def seed_generators_of(layer: keras.Layer) -> list[keras.random.SeedGenerator]:
    """The seed generators that a layer has itself, without those of its sublayers."""
    return list(layer._seed_generators)


def model_of(callback: keras.callbacks.Callback) -> keras.Model:
    """A callback's model as it is. ``callback.model`` copies, on JAX, the whole state back into the variables before."""
    return callback._model


def values_of_file(store, path: str) -> list[np.ndarray]:
    """What the file of a store, as ``load_own_variables`` is given one, holds at a path; nothing where there is no file.

    Keras gives a part of the model its own entries alone; those of an optimizer are not read where a model is not compiled.
    """
    group = getattr(store, "h5_file", {}).get(path, {})
    return [group[name][()] for name in group]


def variables_without_weight_decay(optimizer: keras.optimizers.Optimizer) -> tuple[str | None, bool]:
    """What ``exclude_from_weight_decay`` was told: the pattern of names, or None, and whether it was given single variables."""
    pattern = getattr(optimizer, "_exclude_from_weight_decay_pattern", None)
    return pattern and pattern.pattern, bool(getattr(optimizer, "_exclude_from_weight_decay", None))


def is_functional(network: keras.Model) -> bool:
    """Whether a model is a graph of layers, which `run_graph` runs."""
    return hasattr(network, "_run_through_graph")


def run_graph(network: keras.Model, inputs: Sequence[Any]) -> Any:
    """What the layers of a functional network make of inputs of another size, or another rank, than it was built for.

    To be called within a layer's ``call``, from which the layers know whether they train.
    """
    return network._run_through_graph(list(inputs))


def random_seed() -> int | None:
    """What `keras.utils.set_random_seed` was given last; None where it was not called."""
    return rng_utils.get_random_seed()
