"""kazuto1011/deeplab-pytorch: DeepLab-v2 with multi-scale inputs."""

from collections.abc import Iterator

from keras_semisis.checkpoints.entries import Entry, published_layers


def networks():
    """Each network's entries, by a layer that no other network of the family has."""
    return {"base": segmenter}


def segmenter(model) -> Iterator[Entry]:
    return published_layers(model.get_layer("base").layers, "base.")
