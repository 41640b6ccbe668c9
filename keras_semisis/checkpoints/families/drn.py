"""fyu/drn: DRN-D-105 for segmentation.

The state dict is that of the Cityscapes model; the ImageNet one has other names and a classifier, and is not read.
"""

from collections.abc import Iterator

import numpy as np

from keras_semisis.checkpoints.entries import Constant, Entry, published_layers


def networks():
    """Each network's entries, by a layer that no other network of the family has."""
    return {"base-8": segmenter}


def segmenter(model) -> Iterator[Entry]:
    yield from published_layers(model.layers)
    ramp = (2 * np.arange(8) + 1) / 16
    taps = np.concatenate([ramp, ramp[::-1]])
    num_classes = model.get_layer("seg").filters
    yield Constant("up.weight", np.tile(np.outer(taps, taps), (num_classes, 1, 1, 1)))
