import numpy as np
import pytest
from keras import ops

from keras_semisis.layers import (
    SPADE,
    SPADEResidualBlock,
    WaveletDown,
    WaveletResidualBlock,
    WaveletSPADE,
    WaveletUp,
    resize_nearest,
)
from tests.layers.test_spectral_conv2d import convolve

RNG = np.random.default_rng(0)
LABELS = RNG.integers(0, 3, (2, 16, 24)).astype("int32")
NOISE = RNG.standard_normal((2, 5)).astype("float32")


def features(height, width, channels):
    return np.random.default_rng(1).standard_normal((2, height, width, channels)).astype("float32")


@pytest.mark.parametrize(("size", "norm"), [((16, 24), "batch"), ((8, 12), "batch"), ((8, 12), "instance"), ((5, 7), "batch")])
def test_spade_equals_its_equation(size, norm):
    x = features(*size, 4)
    layer = SPADE(num_classes=3, hidden_channels=6, norm=norm)
    y = ops.convert_to_numpy(layer([x, LABELS, NOISE], training=True))
    labels = ops.convert_to_numpy(resize_nearest(LABELS, size))
    dense = np.concatenate([np.broadcast_to(NOISE[:, None, None], (2, *size, 5)), np.eye(3)[labels]], axis=-1)
    kernel, gamma_beta = (ops.convert_to_numpy(c.kernel) for c in (layer.shared, layer.gamma_beta))
    hidden = np.maximum(convolve(dense, kernel, 1, 1), 0)
    gamma, beta = np.split(convolve(hidden, gamma_beta, 1, 1), 2, axis=-1)
    axes = (0, 1, 2) if norm == "batch" else (1, 2)
    mean, variance = x.mean(axes, keepdims=True), x.var(axes, keepdims=True)
    expected = (x - mean) / np.sqrt(variance + 1e-5) * (1 + gamma) + beta
    np.testing.assert_allclose(y, expected, atol=2e-5)


@pytest.mark.parametrize("wavelet", ["haar", "db2"])
def test_wavelet_spade_is_spade_between_the_transforms(wavelet):
    x = features(4, 6, 8)
    layer = WaveletSPADE(num_classes=3, hidden_channels=6, wavelet=wavelet)
    y = layer([x, LABELS, NOISE], training=True)
    between = layer.spade([WaveletUp(wavelet)(x), LABELS, NOISE], training=True)
    np.testing.assert_allclose(ops.convert_to_numpy(y), ops.convert_to_numpy(WaveletDown(wavelet)(between)), atol=1e-6)
    assert layer.spade.gamma_beta.kernel.shape[-1] == 2 * 8 // 4


@pytest.mark.parametrize("semantics", [[LABELS], [LABELS, NOISE]], ids=["label map", "with noise"])
@pytest.mark.parametrize(
    ("layer", "x", "expected"),
    [
        (SPADE(3, 6), features(4, 6, 8), (2, 4, 6, 8)),
        (WaveletSPADE(3, 6), features(4, 6, 8), (2, 4, 6, 8)),
        (SPADEResidualBlock(8, 3, 6), features(4, 6, 8), (2, 4, 6, 8)),
        (SPADEResidualBlock(4, 3, 6), features(4, 6, 8), (2, 4, 6, 4)),
        (WaveletResidualBlock(8, 3, 6), features(4, 6, 8), (2, 8, 12, 8)),
        (WaveletResidualBlock(4, 3, 6, upsample=False), features(4, 6, 8), (2, 4, 6, 4)),
    ],
)
def test_shapes(layer, x, expected, semantics):
    layer = type(layer).from_config(layer.get_config())
    assert tuple(layer([x, *semantics]).shape) == expected
    assert tuple(layer.compute_output_shape([x.shape, *(s.shape for s in semantics)])) == expected


def test_every_class_reaches_the_output():
    x = features(4, 6, 4)
    layer = SPADE(num_classes=3, hidden_channels=16)
    outputs = [ops.convert_to_numpy(layer([x, np.full((2, 4, 6), c, "int32")])) for c in range(3)]
    assert all(np.abs(outputs[a] - outputs[b]).max() > 1e-3 for a, b in ((0, 1), (0, 2), (1, 2)))


@pytest.mark.parametrize("layer", [SPADE, WaveletSPADE])
def test_an_unknown_norm_is_refused(layer):
    with pytest.raises(ValueError, match=r"norm='layer'.*batch.*instance"):
        layer(3, norm="layer")
