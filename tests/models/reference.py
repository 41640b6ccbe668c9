"""Fills our networks from the state dicts of the reference tensors."""

import json

import numpy as np
from keras import ops

from tests.conftest import SHARED


class Reference:
    """One file of ../shared/reference: ``sd`` (state dict), inputs, outputs, options; images channels-last."""

    def __init__(self, name):
        self.arrays = dict(np.load(SHARED / "reference" / f"{name}.npz"))
        self.meta = json.loads(str(self.arrays.pop("meta")))
        self.sd = {k[3:]: v for k, v in self.arrays.items() if k.startswith("sd/")}

    def input(self, name):
        return self.arrays[f"in/{name}"]

    def output(self, name):
        return self.arrays[f"out/{name}"]

    def label_map(self, name="seg"):
        return self.input(name).argmax(axis=1).astype("int32")

    def image(self, name="img"):
        return channels_last(self.input(name))


def channels_last(x):
    return np.moveaxis(x, 1, -1)


def conv(weight):
    return weight.transpose(2, 3, 1, 0)


def _spectral(layer, sd, key):
    weight = sd[f"{key}.weight_orig"]
    layer.kernel.assign(conv(weight))
    layer.u.assign(sd[f"{key}.weight_u"])
    layer.v.assign(sd[f"{key}.weight_v"].reshape(weight.shape[1:]).transpose(1, 2, 0).reshape(-1))
    if layer.use_bias:
        layer.bias.assign(sd[f"{key}.bias"])


def _plain(layer, sd, key):
    layer.kernel.assign(conv(sd[f"{key}.weight"]))
    layer.bias.assign(sd[f"{key}.bias"])


def _spade(layer, sd, key):
    if layer.norm_name == "batch":
        layer.norm.moving_mean.assign(sd[f"{key}.first_norm.running_mean"])
        layer.norm.moving_variance.assign(sd[f"{key}.first_norm.running_var"])
    _plain(layer.shared, sd, f"{key}.mlp_shared.0")
    parts = [(sd[f"{key}.mlp_{part}.weight"], sd[f"{key}.mlp_{part}.bias"]) for part in ("gamma", "beta")]
    layer.gamma_beta.kernel.assign(np.concatenate([conv(w) for w, _ in parts], axis=-1))
    layer.gamma_beta.bias.assign(np.concatenate([b for _, b in parts]))


def _equalized(layer, sd, weight, bias):
    kernel = sd[weight]
    layer.kernel.assign(conv(kernel) if kernel.ndim == 4 else kernel.T)
    layer.bias.assign(sd[bias].reshape(-1))


def load_generator(model, sd):
    """OASIS and waveletSPADE generators."""
    _plain(model.get_layer("fc").conv, sd, "fc")
    for block in (layer for layer in model.layers if layer.name.startswith("body_")):
        key = block.name.replace("_", ".")
        for name in ("conv_0", "conv_1", "conv_s"):
            if hasattr(block, name):
                _spectral(getattr(block, name), sd, f"{key}.{name}")
        for name in ("norm_0", "norm_1", "norm_s"):
            if hasattr(block, name):
                norm = getattr(block, name)
                _spade(getattr(norm, "spade", norm), sd, f"{key}.{name}")
    key = "conv_img" if "conv_img.weight" in sd else "conv_img.conv"
    _plain(model.get_layer("conv_img"), sd, key)
    return model


def load_oasis_discriminator(model, sd):
    for i in range(len([k for k in sd if k.startswith("body_down.") and k.endswith("conv2.1.weight_orig")])):
        for side, first in (("down", "conv1.1" if i else "conv1.0"), ("up", "conv1.2")):
            block = model.get_layer(f"body_{side}_{i}")
            _spectral(block.conv1, sd, f"body_{side}.{i}.{first}")
            _spectral(block.conv2, sd, f"body_{side}.{i}.conv2.1")
            if block.conv_s is not None:
                _spectral(block.conv_s, sd, f"body_{side}.{i}.conv_s")
    _plain(model.get_layer("layer_up_last"), sd, "layer_up_last")
    return model


def load_wavelet_discriminator(model, sd):
    for layer in model.layers:
        if layer.name.startswith("from_rgb_"):
            key = f"from_rgbs.{layer.name[9:]}.conv"
            _equalized(layer, sd, f"{key}.0.weight", f"{key}.1.bias")
        elif layer.name.startswith("conv_"):
            key = f"convs.{layer.name[5:]}"
            _equalized(layer.conv1, sd, f"{key}.conv1.0.weight", f"{key}.conv1.1.bias")
            _equalized(layer.conv2, sd, f"{key}.conv2.1.weight", f"{key}.conv2.2.bias")
    _equalized(model.get_layer("final_conv"), sd, "final_conv.0.weight", "final_conv.1.bias")
    height, width, channels = model.get_layer("final_conv").output.shape[1:]
    head = sd["final_linear.0.weight"]
    head = head.reshape(-1, channels, height, width).transpose(0, 2, 3, 1).reshape(len(head), -1)
    sd = sd | {"final_linear.0.weight": head}
    for i in (0, 1):
        _equalized(model.get_layer(f"final_linear_{i}"), sd, f"final_linear.{i}.weight", f"final_linear.{i}.bias")
    return model


def assert_close(ours, reference, tolerance=1e-4):
    """Largest deviation at most ``tolerance`` of the reference's largest magnitude."""
    ours = ops.convert_to_numpy(ours)
    assert ours.shape == reference.shape, (ours.shape, reference.shape)
    deviation = np.abs(ours - reference).max() / np.abs(reference).max()
    assert deviation <= tolerance, f"deviates by {deviation:.2e} of the maximum"
