"""CC-FPSE: generator and feature-pyramid discriminator.

No tensors of the form with ``upsampling="more"`` are at hand: its further level is named as the others are.
"""

from collections.abc import Iterator

import numpy as np

from keras_semisis.checkpoints.entries import (
    CONV,
    Entry,
    Layout,
    Weight,
    batch_norm,
    conv,
    spade,
    spectral_conv,
    unused_batch_norm,
)
from keras_semisis.checkpoints.families.spade import start
from keras_semisis.models.cc_fpse import GENERATOR_BLOCKS

# Predicted 3×3 kernels: PyTorch keeps the nine taps of a channel together, we the channels of a tap
TAPS = Layout(lambda x: x.reshape(-1, 9).T.reshape(-1), lambda x: x.reshape(9, -1).T.reshape(-1))


def _taps_to_keras(x):
    x = CONV.to_keras(x)
    return np.swapaxes(x.reshape(*x.shape[:-1], -1, 9), -1, -2).reshape(x.shape)


def _taps_to_reference(x):
    return CONV.to_reference(np.swapaxes(x.reshape(*x.shape[:-1], 9, -1), -1, -2).reshape(x.shape))


TAPS_CONV = Layout(_taps_to_keras, _taps_to_reference)


def networks():
    """Each network's entries, by a layer that no other network of the family has."""
    return {"labelenc1": generator, "embedding": discriminator}


def generator(model) -> Iterator[Entry]:
    yield from start(model)
    for layer in model.layers:
        if layer.name.startswith(("labelenc", "labellat", "labeldec")):
            yield from stage(layer)
    for name in GENERATOR_BLOCKS:
        yield from block(name, model.get_layer(name))
    yield from conv("conv_img", model.get_layer("conv_img"))


def stage(layer) -> Iterator[Entry]:
    """`SpectralStage`, named as in the published program."""
    yield from spectral_conv(f"{layer.name}.0.0", layer.conv)
    if layer.norm_name == "batch":
        yield from batch_norm(f"{layer.name}.0.1", layer.norm)


def block(key: str, layer) -> Iterator[Entry]:
    """`layers.ConditionalResidualBlock`."""
    for i, part in enumerate((layer.conv_1, layer.conv_2)):
        predicted, gate = f"{key}.gen_weights{i + 1}", f"{key}.gen_se_weights{i + 1}"
        yield from conv(f"{predicted}.0", part.kernels_hidden)
        yield Weight(f"{predicted}.2.weight", part.kernels.kernel, TAPS_CONV)
        yield Weight(f"{predicted}.2.bias", part.kernels.bias, TAPS)
        yield from conv(f"{gate}.0", part.gate_hidden)
        yield from conv(f"{gate}.2", part.gate)
        yield from unused_batch_norm(f"{key}.conv_{2 * i}.norm_layer", part.norm.gamma.shape[0], affine=True)
        yield from batch_norm(f"{key}.norm_{i + 1}", part.norm)
        yield from conv(f"{key}.conv_{2 * i + 1}", part.pointwise)
    yield from unused_batch_norm(f"{key}.norm_0", layer.conv_1.filters, affine=True)
    if layer.has_shortcut:
        yield from spectral_conv(f"{key}.conv_s", layer.conv_s)
        yield from spade(f"{key}.norm_s", layer.norm_s, "param_free_norm")


def discriminator(model) -> Iterator[Entry]:
    for layer in model.layers:
        if layer.name.startswith(("enc", "lat", "final")):
            yield from stage(layer)
    head = model.get_layer("head")
    yield from conv("tf", head.tf)
    yield from conv("seg", head.seg)
    yield from conv("embedding", model.get_layer("embedding").conv)
