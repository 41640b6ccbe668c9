import keras
import numpy as np
import pytest
from keras import ops

from keras_semisis.layers.conditional_conv2d import ConditionalConv2D
from keras_semisis.layers.conditional_residual_block import ConditionalResidualBlock
from tests.layers.test_predicted_depthwise_conv2d import brute_force
from tests.layers.test_spectral_conv2d import convolve

X = np.random.default_rng(0).standard_normal((2, 4, 6, 5)).astype("float32")
FEATURES = np.random.default_rng(1).standard_normal((2, 4, 6, 2)).astype("float32")
LABELS = np.random.default_rng(2).integers(0, 3, (2, 8, 12)).astype("int32")
LAYOUT = np.concatenate([np.eye(3, dtype="float32")[LABELS[:, ::2, ::2]], FEATURES], axis=-1)


def randomized(layer, inputs):
    """The layer with random weights, so that no bias or scale is at a value that hides it."""
    layer.build([x.shape for x in inputs])
    rng = np.random.default_rng(3)
    for variable in layer.trainable_variables:
        variable.assign(rng.normal(0, 0.5, variable.shape).astype("float32"))
    return layer


def dense(layer, x):
    return convolve(x, ops.convert_to_numpy(layer.kernel), 1, layer.kernel_size[0] // 2) + ops.convert_to_numpy(layer.bias)


def by_the_equation(layer, x, layout):
    hidden, gate_hidden = (np.maximum(dense(part, layout), 0) for part in (layer.kernels_hidden, layer.gate_hidden))
    kernels, gate = dense(layer.kernels, hidden), 1 / (1 + np.exp(-dense(layer.gate, gate_hidden)))
    gamma, beta = (ops.convert_to_numpy(v) for v in (layer.norm.gamma, layer.norm.beta))
    normalized = (x - x.mean((0, 1, 2))) / np.sqrt(x.var((0, 1, 2)) + 1e-5) * gamma + beta
    y = dense(layer.pointwise, brute_force(normalized, kernels)) * gate
    return np.where(y > 0, y, 0.2 * y)


def assert_same(ours, expected):
    np.testing.assert_allclose(ops.convert_to_numpy(ours), expected, atol=1e-4 * np.abs(expected).max())


def test_equals_its_equation():
    layer = randomized(ConditionalConv2D(4, hidden_channels=3), [X, LAYOUT])
    assert_same(layer([X, LAYOUT], training=True), by_the_equation(layer, X, LAYOUT))


@pytest.mark.parametrize("filters", [5, 3, 7])
def test_a_block_is_two_of_them_beside_a_shortcut(filters):
    block = randomized(ConditionalResidualBlock(filters, 3, hidden_channels=4), [X, LABELS, FEATURES])
    assert block.has_shortcut == (filters != 5)
    assert block.conv_1.filters == min(filters, 5)
    branch = by_the_equation(block.conv_2, by_the_equation(block.conv_1, X, LAYOUT), LAYOUT)
    shortcut = X
    if block.has_shortcut:
        gamma, beta = np.split(dense(block.norm_s.gamma_beta, np.maximum(dense(block.norm_s.shared, LAYOUT), 0)), 2, axis=-1)
        normalized = (X - X.mean((0, 1, 2))) / np.sqrt(X.var((0, 1, 2)) + 1e-5)
        kernel = ops.convert_to_numpy(block.conv_s.kernel)[0, 0]
        # the training call below does one power iteration from u
        u = ops.convert_to_numpy(block.conv_s.u)
        v = kernel @ u / np.linalg.norm(kernel @ u)
        shortcut = (normalized * (1 + gamma) + beta) @ kernel / np.linalg.norm(v @ kernel)
    assert_same(block([X, LABELS, FEATURES], training=True), shortcut + branch)


@pytest.mark.parametrize("filters", [5, 3])
def test_config_round_trip(filters):
    block = ConditionalResidualBlock(filters, 3, hidden_channels=4, name="block")
    block([X, LABELS, FEATURES], training=True)
    expected = block([X, LABELS, FEATURES])
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(block))
    assert again.get_config() == block.get_config()
    again([X, LABELS, FEATURES])
    again.set_weights(block.get_weights())
    np.testing.assert_array_equal(ops.convert_to_numpy(again([X, LABELS, FEATURES])), ops.convert_to_numpy(expected))
    assert tuple(block.compute_output_shape([X.shape, LABELS.shape, FEATURES.shape])) == tuple(expected.shape)
