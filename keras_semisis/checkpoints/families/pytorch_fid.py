"""pytorch-fid: the Inception network of FID.

The state dict is that of the release file, ``pt_inception-2015-12-05-6726825d.pth``; the classifier is in it and no feature
needs it.
"""

import functools
from collections.abc import Iterator

import keras
import numpy as np

from keras_semisis.checkpoints.entries import CONV, Entry, Unused, Weight
from keras_semisis.models.inception_v3 import inception_v3_fid

_NORM = {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean", "running_var": "moving_variance"}


def networks():
    """Each network's entries, by a layer that no other network of the family has."""
    return {"Conv2d_1a_3x3-conv": inception}


def inception(model) -> Iterator[Entry]:
    used = list(_entries(model))
    yield from used
    if "Mixed_7c" not in {layer.name for layer in model.layers}:
        names = {entry.name for entry in used}
        # NaN, so that nobody takes features of these layers for true if a network without them is saved
        yield from (Unused(name, shape, np.nan) for name, shape in _all_shapes().items() if name not in names)
    yield Unused("fc.weight", (1008, 2048))
    yield Unused("fc.bias", (1008,))


@functools.cache
def _all_shapes() -> dict[str, tuple[int, ...]]:
    """Every file has the layers of all depths; a network of the shallower ones lacks some."""
    return {entry.name: entry.shape for entry in _entries(inception_v3_fid())}


def _entries(model):
    for layer in model.layers:
        key = layer.name.replace("-", ".")
        if isinstance(layer, keras.layers.Conv2D):
            yield Weight(f"{key}.weight", layer.kernel, CONV)
        elif isinstance(layer, keras.layers.BatchNormalization):
            for name, variable in _NORM.items():
                yield Weight(f"{key}.{name}", getattr(layer, variable))
