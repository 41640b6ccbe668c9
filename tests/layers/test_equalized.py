import numpy as np
import pytest
from keras import ops

from keras_semisis.layers import EqualizedConv2D, EqualizedDense
from tests.layers.test_spectral_conv2d import convolve


def fused(x):
    return np.where(x < 0, 0.2 * x, x) * np.sqrt(2)


@pytest.mark.parametrize("activation", [None, "fused_leaky_relu"])
@pytest.mark.parametrize(("kernel_size", "strides", "padding"), [(3, 1, None), (1, 1, None), (3, 2, 0), (3, 1, 2)])
def test_convolution_scales_its_weights_by_the_root_of_the_fan_in(activation, kernel_size, strides, padding):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((2, 7, 6, 4)).astype("float32")
    layer = EqualizedConv2D(5, kernel_size, strides, padding, activation=activation)
    layer.build(x.shape)
    bias = rng.standard_normal(5).astype("float32")
    layer.bias.assign(bias)
    kernel = ops.convert_to_numpy(layer.kernel)
    expected = convolve(x, kernel / np.sqrt(4 * kernel_size**2), strides, layer.padding) + bias
    np.testing.assert_allclose(ops.convert_to_numpy(layer(x)), fused(expected) if activation else expected, atol=1e-5)


@pytest.mark.parametrize("activation", [None, "fused_leaky_relu"])
def test_dense_scales_its_weights_by_the_root_of_the_inputs(activation):
    rng = np.random.default_rng(0)
    x, bias = rng.standard_normal((3, 7)).astype("float32"), rng.standard_normal(4).astype("float32")
    layer = EqualizedDense(4, activation=activation)
    layer.build(x.shape)
    layer.bias.assign(bias)
    expected = x @ ops.convert_to_numpy(layer.kernel) / np.sqrt(7) + bias
    np.testing.assert_allclose(ops.convert_to_numpy(layer(x)), fused(expected) if activation else expected, atol=1e-5)


def test_weights_are_stored_at_unit_variance():
    """The deviation of 10,000 normal draws is within 5 of its own deviations, 1/sqrt(2n), of 1."""
    layer = EqualizedDense(100)
    layer.build((None, 100))
    assert abs(ops.convert_to_numpy(layer.kernel).std() - 1) < 5 / np.sqrt(2 * 100 * 100)


@pytest.mark.parametrize(
    "make", [lambda: EqualizedDense(3, activation="relu"), lambda: EqualizedConv2D(3, 3, activation="relu")]
)
def test_an_unknown_activation_is_refused(make):
    with pytest.raises(ValueError, match=r"activation='relu'.*fused_leaky_relu"):
        make()
