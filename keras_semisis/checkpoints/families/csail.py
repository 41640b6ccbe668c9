"""CSAILVision/semantic-segmentation-pytorch: UPerNet-101.

The weights are published as two files, of the encoder and of the decoder, whose names have no prefix; the program's whole
network has ``encoder.`` and ``decoder.`` in front of them. Either way is read; the latter is written.
"""

from collections.abc import Iterator

from keras_semisis.checkpoints.entries import Entry, published_layers

_PREFIXES = ("encoder.", "decoder.")
_OF_THE_DECODER = ("ppm_", "fpn_", "conv_last.")


def networks():
    """Each network's entries, by a layer that no other network of the family has."""
    return {"decoder-ppm_last_conv": segmenter}


def segmenter(model) -> Iterator[Entry]:
    return published_layers(model.layers)


def full_name(name: str) -> str:
    """The name of an entry in the whole network, from that in one of the two files."""
    if name.startswith(_PREFIXES):
        return name
    return _PREFIXES[name.startswith(_OF_THE_DECODER)] + name
