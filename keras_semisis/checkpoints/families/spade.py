"""SPADE: generator, image encoder, multi-scale discriminator."""

from collections.abc import Iterator

from keras_semisis.checkpoints.entries import Entry, Layout, Weight, conv, dense, semantic_conv, spectral_conv
from keras_semisis.checkpoints.families.oasis import blocks, spade_block


def networks():
    """Each network's entries, by a layer that no other network of the family has."""
    return {"conv_img": generator, "fc_mu": encoder, "discriminator_0": discriminator}


def generator(model) -> Iterator[Entry]:
    yield from start(model)
    for block in (model.get_layer("head_0"), *blocks(model, "G_middle"), *blocks(model, "up")):
        yield from spade_block(block.name, block, "param_free_norm")
    yield from conv("conv_img", model.get_layer("conv_img"))


def start(model) -> Iterator[Entry]:
    """The first feature map: a convolution of the label map, or a dense layer of the style vector."""
    fc = model.get_layer("fc")
    if hasattr(fc, "conv"):
        yield from semantic_conv("fc", fc.conv)
        return
    height, width, channels = model.get_layer("start").output.shape[1:]
    yield Weight(
        "fc.weight",
        fc.kernel,
        Layout(
            lambda x: x.reshape(channels, height, width, -1).transpose(3, 1, 2, 0).reshape(x.shape[1], -1),
            lambda x: x.reshape(-1, height, width, channels).transpose(3, 1, 2, 0).reshape(-1, len(x)),
        ),
    )
    yield Weight(
        "fc.bias",
        fc.bias,
        Layout(
            lambda x: x.reshape(channels, height, width).transpose(1, 2, 0).reshape(-1),
            lambda x: x.reshape(height, width, channels).transpose(2, 0, 1).reshape(-1),
        ),
    )


def encoder(model) -> Iterator[Entry]:
    for i in range(1, 7):
        yield from spectral_conv(f"layer{i}.0", model.get_layer(f"layer_{i}"))
    for name in ("fc_mu", "fc_var"):
        yield from dense(name, model.get_layer(name), flattened=tuple(model.get_layer("activation_6").output.shape[1:]))


def discriminator(model) -> Iterator[Entry]:
    for k, scale in enumerate(blocks(model, "discriminator")):
        yield from conv(f"{scale.name}.model0.0", scale.first)
        for i, layer in enumerate(scale.convs, start=1):
            yield from spectral_conv(f"{scale.name}.model{i}.0.0", layer)
        yield from conv(f"{scale.name}.model{len(scale.widths)}.0", model.get_layer(f"patches_{k}"))
