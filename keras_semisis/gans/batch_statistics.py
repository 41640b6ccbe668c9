"""Batch-norm statistics of the network that draws, re-estimated over label maps of a training set.

So are its spectral norms: those of the weights' moving average are not those of the weights.
"""

import itertools
import warnings
from collections.abc import Callable, Iterable
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_semisis.data import DataError
from keras_semisis.data.data_warning import DataWarning
from keras_semisis.layers import BatchNorm
from keras_semisis.layers.spectral_conv2d import SpectralLayer
from keras_semisis.models.keras_privates import layers_of


class Calibration:
    """The first label maps of a training set, kept as they are first asked for.

    Args:
        dataset: With ``label_maps()``, one pass over the label maps of its batches, or the error of one that cannot be read.
        batches: Number of batches; a shorter data set repeats.
    """

    def __init__(self, dataset: Any, batches: int):
        self.dataset = dataset
        self.batches = batches
        self.kept: list[tuple[np.ndarray, ...]] | None = None

    def label_maps(self) -> list[tuple[np.ndarray, ...]]:
        """Batches of label maps, each a tuple of one, or of label maps and instance maps."""
        if self.kept is None:
            first: list = []
            while len(first) < self.batches:
                one_pass = list(itertools.islice(self.dataset.label_maps(), self.batches - len(first)))
                if not one_pass:
                    break
                first += one_pass
            self.kept = [label_map for label_map in first if not isinstance(label_map, DataError)]
            errors = {str(error): error for error in first if isinstance(error, DataError)}
            if errors:
                warnings.warn(
                    DataWarning(
                        f"{len(first) - len(self.kept)} of the first {len(first)} batches cannot be read, and are left out of "
                        "the moving average's batch-norm statistics. Training will end with an error where it draws them:",
                        listed=[*errors.values()],
                    ),
                    stacklevel=2,
                )
        return self.kept


def batch_norms(network: keras.Model) -> list[BatchNorm]:
    """The layers whose statistics are re-estimated."""
    return [layer for layer in layers_of(network) if isinstance(layer, BatchNorm)]


def batch_statistics(network: keras.Model) -> Callable:
    """The function from a network's values and inputs to the statistics that it has in training; to be compiled.

    After these it returns the vectors of the spectral norms, one power iteration later.
    """
    variables, changed = network.variables, [*_statistics(network), *_spectral_vectors(network)]

    def statistics_of_batch(values, inputs):
        with keras.StatelessScope(list(zip(variables, values, strict=True))) as scope:
            network(inputs, training=True)
        return [scope.get_current_value(v) for v in changed]

    return statistics_of_batch


def reestimate(network: keras.Model, statistics_of_batch: Callable, batches: Iterable[list]) -> None:
    """Sets a network's statistics to the mean of those of batches, its spectral norms to those after as many iterations.

    Args:
        network: A network with `batch_norms`.
        statistics_of_batch: As `batch_statistics` gives it, compiled or not.
        batches: The network's inputs, tensors.
    """
    norms, values = batch_norms(network), [v.value for v in network.variables]
    statistics, vectors = _statistics(network), _spectral_vectors(network)
    places = {id(v): place for place, v in enumerate(network.variables)}
    found: list[list] = []
    # with no momentum, the running statistics are those of the batch
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 0.0
    try:
        for inputs in batches:
            changed = statistics_of_batch(values, inputs)
            found.append([ops.convert_to_numpy(s) for s in changed[: len(statistics)]])
            for vector, value in zip(vectors, changed[len(statistics) :], strict=True):
                values[places[id(vector)]] = value
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
    for variable, of_batches in zip(statistics, zip(*found, strict=True), strict=True):
        variable.assign(np.mean(of_batches, axis=0, dtype="float64").astype("float32"))
    for vector in vectors:
        vector.assign(values[places[id(vector)]])


def _statistics(network):
    return [v for norm in batch_norms(network) for v in (norm.moving_mean, norm.moving_variance)]


def _spectral_vectors(network):
    return [v for layer in layers_of(network) if isinstance(layer, SpectralLayer) for v in (layer.u, layer.v)]
