"""USIS: waveletSPADE generator, wavelet and StyleGAN2 discriminator, wavelet decoder."""

from collections.abc import Iterator

from keras_semisis.checkpoints.entries import (
    CONV_TRANSPOSE,
    Entry,
    Unused,
    blur,
    conv,
    dense,
    equalized_conv,
    haar,
    semantic_conv,
    spade,
    spectral_conv,
    unused_batch_norm,
)
from keras_semisis.checkpoints.families.oasis import blocks


def networks():
    """Each network's entries, by a layer that no other network of the family has."""
    return {
        "conv_img": generator,
        "from_rgb_0": wavelet_discriminator,
        "from_rgb": stylegan2_discriminator,
        "final_up": wavelet_decoder,
    }


def generator(model) -> Iterator[Entry]:
    yield from semantic_conv("fc", model.get_layer("fc").conv)
    yield from conv("conv_img.conv", model.get_layer("conv_img"))
    yield from haar("iwt", inverse=True)
    yield from haar("up_residual.iwt", inverse=True)
    yield from haar("up_residual.hwt", inverse=False)
    for i, block in enumerate(blocks(model, "body")):
        key = f"body.{i}"
        for name in ("conv_0", "conv_1", "conv_s")[: 3 if block.has_shortcut else 2]:
            yield from spectral_conv(f"{key}.{name}", getattr(block, name))
        for name in ("norm_0", "norm_1"):
            yield from spade(f"{key}.{name}", getattr(block, name).spade, "first_norm")
            yield from _transforms(f"{key}.{name}")
        if block.has_shortcut:
            yield from _unused_norm(f"{key}.norm_s", block)


def _transforms(key):
    yield from haar(f"{key}.iwt", inverse=True)
    yield from haar(f"{key}.hwt", inverse=False)


def _unused_norm(key, block):
    """The shortcut's SPADE, which the published network builds and never calls."""
    like = block.norm_0.spade
    channels, hidden = like.gamma_beta.bias.shape[0] // 2, like.hidden_channels
    if like.norm_name == "batch":
        yield from unused_batch_norm(f"{key}.first_norm", channels)
    convolutions = {
        "mlp_shared.0": (hidden, like.shared.kernel.shape[2]),
        "mlp_gamma": (channels, hidden),
        "mlp_beta": (channels, hidden),
    }
    for name, shape in convolutions.items():
        yield Unused(f"{key}.{name}.weight", (*shape, 3, 3), "normal")
        yield Unused(f"{key}.{name}.bias", shape[:1])
    yield from _transforms(key)


def wavelet_discriminator(model) -> Iterator[Entry]:
    yield from haar("dwt", inverse=False)
    for i, layer in enumerate(blocks(model, "from_rgb")):
        key = f"from_rgbs.{i}"
        if i:
            yield from haar(f"{key}.iwt", inverse=True)
            yield from blur(f"{key}.downsample")
            yield from haar(f"{key}.dwt", inverse=False)
        yield from equalized_conv(f"{key}.conv.0.weight", f"{key}.conv.1.bias", layer)
    for i, block in enumerate(blocks(model, "conv")):
        key = f"convs.{i}"
        yield from equalized_conv(f"{key}.conv1.0.weight", f"{key}.conv1.1.bias", block.conv1)
        yield from blur(f"{key}.conv2.0")
        yield from equalized_conv(f"{key}.conv2.1.weight", f"{key}.conv2.2.bias", block.conv2)
    yield from stylegan2_head(model)


def stylegan2_discriminator(model) -> Iterator[Entry]:
    yield from equalized_conv("convs.0.0.weight", "convs.0.1.bias", model.get_layer("from_rgb"))
    for i, block in enumerate(blocks(model, "block"), start=1):
        key = f"convs.{i}"
        yield from equalized_conv(f"{key}.conv1.0.weight", f"{key}.conv1.1.bias", block.conv1)
        yield from blur(f"{key}.conv2.0")
        yield from equalized_conv(f"{key}.conv2.1.weight", f"{key}.conv2.2.bias", block.conv2)
        yield from blur(f"{key}.skip.0")
        yield from equalized_conv(f"{key}.skip.1.weight", None, block.skip)
    yield from stylegan2_head(model)


def wavelet_decoder(model) -> Iterator[Entry]:
    for i in range(1, 7):
        yield from spectral_conv(f"up{i}.conv.0", model.get_layer(f"up_{i}"), CONV_TRANSPOSE)
    yield from spectral_conv("final_up.0", model.get_layer("final_up"), CONV_TRANSPOSE)


def stylegan2_head(model) -> Iterator[Entry]:
    """What every discriminator of the StyleGAN2 kind ends with."""
    final = model.get_layer("final_conv")
    yield from equalized_conv("final_conv.0.weight", "final_conv.1.bias", final)
    yield from dense("final_linear.0", model.get_layer("final_linear_0"), flattened=tuple(final.output.shape[1:]))
    yield from dense("final_linear.1", model.get_layer("final_linear_1"))
