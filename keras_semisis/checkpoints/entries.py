"""The entries of a published state dict, each tied to what holds its value here.

A family module lists a network's entries with the functions below; reading, writing and every check follow from the list.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import keras
import numpy as np
from keras import ops


class Layout(NamedTuple):
    """How PyTorch and Keras store the same numbers."""

    to_keras: Callable[[np.ndarray], np.ndarray]
    to_reference: Callable[[np.ndarray], np.ndarray]


SAME = Layout(lambda x: x, lambda x: x)
CONV = Layout(lambda x: x.transpose(2, 3, 1, 0), lambda x: x.transpose(3, 2, 0, 1))
# PyTorch: in, out, height, width; Keras: height, width, out, in
CONV_TRANSPOSE = CONV
LINEAR = Layout(np.transpose, np.transpose)
# the bias of a fused activation, (1, C, 1, 1)
CHANNELS = Layout(lambda x: x.reshape(-1), lambda x: x.reshape(1, -1, 1, 1))


def flattened_linear(shape: tuple[int, int, int]) -> Layout:
    """A dense kernel behind a flattened map of (height, width, channels), which PyTorch flattens channels first."""
    height, width, channels = shape

    def to_keras(x):
        return x.reshape(-1, channels, height, width).transpose(2, 3, 1, 0).reshape(-1, len(x))

    def to_reference(x):
        return x.reshape(height, width, channels, -1).transpose(3, 2, 0, 1).reshape(x.shape[1], -1)

    return Layout(to_keras, to_reference)


def spectral_vector(shape: tuple[int, int, int]) -> Layout:
    """The right singular vector of a kernel of (height, width, channels), which PyTorch flattens channels first."""
    height, width, channels = shape
    return Layout(
        lambda x: x.reshape(channels, height, width).transpose(1, 2, 0).reshape(-1),
        lambda x: x.reshape(height, width, channels).transpose(2, 0, 1).reshape(-1),
    )


class Weight:
    """An entry that a variable, or some of its last axis, holds."""

    def __init__(self, name, variable, layout=SAME, part=slice(None)):
        self.name, self.variable, self.layout, self.part = name, variable, layout, part

    @property
    def shape(self):
        return self.layout.to_reference(np.empty(tuple(self.variable.shape), "bool")[..., self.part]).shape

    def load(self, array):
        value = self.layout.to_keras(np.asarray(array)).astype("float32")
        if self.part != slice(None):
            whole = np.array(ops.convert_to_numpy(self.variable))
            whole[..., self.part] = value
            value = whole
        self.variable.assign(value)

    def value(self):
        return np.array(self.layout.to_reference(ops.convert_to_numpy(self.variable)[..., self.part]), "float32", order="C")


class Constant:
    """An entry that never changes: a filter's taps. A file may leave it out; what it holds is checked."""

    def __init__(self, name, value):
        self.name, self._value = name, np.asarray(value, "float32")

    @property
    def shape(self):
        return self._value.shape

    def differs(self, array):
        return not np.allclose(array, self._value, rtol=0, atol=1e-6)

    def value(self):
        return self._value


class Unused:
    """An entry that the published network stores and never reads: written at its initial value, skipped when read."""

    def __init__(self, name, shape, initial=0.0):
        self.name, self.shape, self.initial = name, tuple(shape), initial

    def value(self):
        if self.initial == "normal":
            return np.random.default_rng(0).normal(0, 0.02, self.shape).astype("float32")
        dtype = "int64" if self.name.endswith("num_batches_tracked") else "float32"
        # zeros are not held in memory until they are written to
        return np.full(self.shape, self.initial, dtype) if self.initial else np.zeros(self.shape, dtype)


Entry = Weight | Constant | Unused


def conv(key: str, layer, layout: Layout = CONV) -> Iterator[Entry]:
    """A convolution with its bias, where it has one; a dense layer with ``layout=LINEAR``."""
    yield Weight(f"{key}.weight", layer.kernel, layout)
    if layer.use_bias:
        yield Weight(f"{key}.bias", layer.bias)


def dense(key: str, layer, flattened: tuple[int, int, int] | None = None) -> Iterator[Entry]:
    """A dense layer; ``flattened`` is (height, width, channels) of the map that it reads flat."""
    return conv(key, layer, LINEAR if flattened is None else flattened_linear(flattened))


def spectral_conv(key: str, layer, layout: Layout = CONV) -> Iterator[Entry]:
    """A convolution under `torch.nn.utils.spectral_norm`."""
    if layer.use_bias:
        yield Weight(f"{key}.bias", layer.bias)
    yield Weight(f"{key}.weight_orig", layer.kernel, layout)
    yield Weight(f"{key}.weight_u", layer.u)
    height, width = layer.kernel.shape[:2]
    yield Weight(f"{key}.weight_v", layer.v, spectral_vector((height, width, layer.v.shape[0] // (height * width))))


def batch_norm(key: str, layer) -> Iterator[Entry]:
    """`layers.BatchNorm`, with or without scale and offset, or Keras's own, with both."""
    if getattr(layer, "affine", True):
        yield Weight(f"{key}.weight", layer.gamma)
        yield Weight(f"{key}.bias", layer.beta)
    yield Weight(f"{key}.running_mean", layer.moving_mean)
    yield Weight(f"{key}.running_var", layer.moving_variance)
    yield Unused(f"{key}.num_batches_tracked", ())


def unused_batch_norm(key: str, channels: int, affine: bool = False) -> Iterator[Entry]:
    """A batch normalization that is stored and never used."""
    if affine:
        yield Unused(f"{key}.weight", (channels,), 1.0)
        yield Unused(f"{key}.bias", (channels,))
    yield Unused(f"{key}.running_mean", (channels,))
    yield Unused(f"{key}.running_var", (channels,), 1.0)
    yield Unused(f"{key}.num_batches_tracked", ())


def published_layers(layers: Iterable[keras.layers.Layer], prefix: str = "") -> Iterator[Entry]:
    """Keras's own convolutions and batch normalizations that bear their published names, with dashes for the dots."""
    for layer in layers:
        key = prefix + layer.name.replace("-", ".")
        if isinstance(layer, keras.layers.Conv2D):
            yield from conv(key, layer)
        elif isinstance(layer, keras.layers.BatchNormalization):
            yield from batch_norm(key, layer)


def spade(key: str, layer, norm: str) -> Iterator[Entry]:
    """`layers.SPADE`; ``norm`` is what the family calls its parameter-free normalization."""
    if layer.norm_name == "batch":
        yield from batch_norm(f"{key}.{norm}", layer.norm)
    yield from semantic_conv(f"{key}.mlp_shared.0", layer.shared)
    channels = layer.gamma_beta.bias.shape[0] // 2
    for name, part in (("gamma", slice(0, channels)), ("beta", slice(channels, 2 * channels))):
        yield Weight(f"{key}.mlp_{name}.weight", layer.gamma_beta.kernel, CONV, part)
        yield Weight(f"{key}.mlp_{name}.bias", layer.gamma_beta.bias, part=part)


def semantic_conv(key: str, layer) -> Iterator[Entry]:
    """`layers.SemanticConv2D`: noise first, then the classes, as the published programs concatenate them."""
    yield Weight(f"{key}.weight", layer.kernel, CONV)
    yield Weight(f"{key}.bias", layer.bias)


def equalized_conv(weight: str, bias: str | None, layer) -> Iterator[Entry]:
    """`layers.EqualizedConv2D` with the bias of its fused activation."""
    yield Weight(weight, layer.kernel, CONV)
    if bias is not None:
        yield Weight(bias, layer.bias, CHANNELS)


def haar(key: str, inverse: bool) -> Iterator[Entry]:
    """The four filters that every Haar transform of USIS stores; the inverse has two of them negated."""
    low, high = np.array([1.0, 1.0]) / np.sqrt(2), np.array([-1.0, 1.0]) / np.sqrt(2)
    sign = -1.0 if inverse else 1.0
    yield Constant(f"{key}.ll", np.outer(low, low))
    yield Constant(f"{key}.lh", sign * np.outer(high, low))
    yield Constant(f"{key}.hl", sign * np.outer(low, high))
    yield Constant(f"{key}.hh", np.outer(high, high))


def blur(key: str) -> Iterator[Entry]:
    """The taps of `layers.Blur`."""
    taps = np.array([1.0, 3.0, 3.0, 1.0])
    yield Constant(f"{key}.kernel", np.outer(taps, taps) / 64)
