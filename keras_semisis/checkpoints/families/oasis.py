"""OASIS: generator and U-Net discriminator."""

from collections.abc import Iterator

from keras_semisis.checkpoints.entries import Entry, conv, semantic_conv, spade, spectral_conv


def networks():
    """Each network's entries, by a layer that no other network of the family has."""
    return {"conv_img": generator, "layer_up_last": discriminator}


def generator(model) -> Iterator[Entry]:
    yield from semantic_conv("fc", model.get_layer("fc").conv)
    yield from conv("conv_img", model.get_layer("conv_img"))
    for i, block in enumerate(blocks(model, "body")):
        yield from spade_block(f"body.{i}", block, "first_norm")


def spade_block(key: str, block, norm: str) -> Iterator[Entry]:
    """`layers.SPADEResidualBlock`."""
    for name in ("conv_0", "conv_1", "conv_s")[: 3 if block.has_shortcut else 2]:
        yield from spectral_conv(f"{key}.{name}", getattr(block, name))
    for name in ("norm_0", "norm_1", "norm_s")[: 3 if block.has_shortcut else 2]:
        yield from spade(f"{key}.{name}", getattr(block, name), norm)


def discriminator(model) -> Iterator[Entry]:
    yield from conv("layer_up_last", model.get_layer("layer_up_last"))
    for direction in ("down", "up"):
        for i, block in enumerate(blocks(model, f"body_{direction}")):
            key = f"body_{direction}.{i}"
            # where the convolution stands in the published block's nn.Sequential
            position = 2 if direction == "up" else min(i, 1)
            yield from spectral_conv(f"{key}.conv1.{position}", block.conv1)
            yield from spectral_conv(f"{key}.conv2.1", block.conv2)
            if block.conv_s is not None:
                yield from spectral_conv(f"{key}.conv_s", block.conv_s)


def blocks(model, prefix: str) -> list:
    """The layers ``<prefix>_0``, ``<prefix>_1``, ... of a model."""
    names = {layer.name for layer in model.layers}
    found: list = []
    while f"{prefix}_{len(found)}" in names:
        found.append(model.get_layer(f"{prefix}_{len(found)}"))
    return found
