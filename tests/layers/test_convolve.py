import keras
import numpy as np
import pytest
from keras import ops

from keras_semisis.layers import convolve as module
from keras_semisis.layers.convolve import ZeroPaddedConv2D, convolve, convolved_shape
from tests.layers.test_spectral_conv2d import convolve as by_loops

CASES = [(3, 1, 1), (3, 2, 1), (3, 1, 0), (4, 2, 1), (5, 1, 2), (3, 2, 0)]


def drawn(*shape):
    return np.random.default_rng(0).standard_normal(shape).astype("float32")


@pytest.mark.parametrize(("height", "width"), [(4, 8), (5, 6), (5, 7)])
@pytest.mark.parametrize(("size", "strides", "padding"), CASES)
def test_small_maps_and_others_are_convolved_alike(height, width, size, strides, padding):
    x, kernel = drawn(2, height, width, 3), drawn(size, size, 3, 5)
    y = ops.convert_to_numpy(convolve(ops.convert_to_tensor(x), ops.convert_to_tensor(kernel), strides, padding))
    np.testing.assert_allclose(y, by_loops(x, kernel, strides, padding), atol=1e-4)
    assert y.shape == convolved_shape(x.shape, 5, size, strides, padding)


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 2), (2, 2), (1, 30)])
def test_a_map_may_be_smaller_than_the_kernel(height, width):
    x, kernel = drawn(2, height, width, 3), drawn(3, 3, 3, 5)
    y = ops.convert_to_numpy(convolve(ops.convert_to_tensor(x), ops.convert_to_tensor(kernel), 1, 1))
    np.testing.assert_allclose(y, by_loops(x, kernel, 1, 1), atol=1e-4)


def test_a_small_map_never_reaches_the_backends_convolution(monkeypatch):
    """XLA on a CPU takes 50 times as long for a map that is smaller than the kernel."""
    seen = []
    monkeypatch.setattr(module.ops, "conv", lambda x, *others: (seen.append(x.shape), x)[1])
    for height, width in ((2, 4), (4, 8), (5, 7)):
        convolve(ops.zeros((1, height, width, 3)), ops.zeros((3, 3, 3, 2)), 1, 1)
    assert [sorted(shape) for shape in seen] == [[1, 3, 5, 7]]


@pytest.mark.parametrize("image_data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("kernel_size", [1, 3])
def test_the_layer_is_keras_s_own_with_this_convolution(kernel_size, image_data_format):
    keras.config.set_image_data_format(image_data_format)
    try:
        layer = ZeroPaddedConv2D(5, kernel_size, activation="relu")
    finally:
        keras.config.set_image_data_format("channels_last")
    layer.build((None, 2, 4, 3))
    layer.bias.assign(np.arange(5) - 2)
    x = drawn(2, 2, 4, 3)
    expected = by_loops(x, ops.convert_to_numpy(layer.kernel), padding=kernel_size // 2) + np.arange(5) - 2
    np.testing.assert_allclose(ops.convert_to_numpy(layer(x)), np.maximum(expected, 0), atol=1e-5)
    assert layer.compute_output_shape(x.shape) == expected.shape
