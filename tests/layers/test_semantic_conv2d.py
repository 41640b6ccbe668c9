import keras
import numpy as np
import pytest
from keras import ops

from keras_semisis.layers import SemanticConv2D
from tests.layers.test_spectral_conv2d import convolve


@pytest.mark.parametrize("noise_channels", [0, 4])
@pytest.mark.parametrize("size", [(5, 7), (1, 1), (2, 1), (1, 3)])
def test_equals_a_dense_convolution_over_noise_and_one_hot(size, noise_channels):
    rng = np.random.default_rng(0)
    label_map = rng.integers(0, 3, (2, *size)).astype("int32")
    noise = rng.standard_normal((2, noise_channels)).astype("float32")
    layer = SemanticConv2D(6, num_classes=3)
    inputs = [label_map, noise] if noise_channels else [label_map]
    layer.build([x.shape for x in inputs])
    layer.bias.assign(rng.standard_normal(6).astype("float32"))
    dense = np.concatenate([np.broadcast_to(noise[:, None, None], (2, *size, noise_channels)), np.eye(3)[label_map]], axis=-1)
    expected = convolve(dense, ops.convert_to_numpy(layer.kernel), 1, 1) + ops.convert_to_numpy(layer.bias)
    np.testing.assert_allclose(ops.convert_to_numpy(layer(inputs)), expected, atol=2e-6)


def test_the_activation_follows_the_bias():
    layer = SemanticConv2D(2, num_classes=2, activation="relu")
    label_map = np.zeros((1, 3, 3), "int32")
    layer.build([label_map.shape])
    layer.kernel.assign(np.zeros((3, 3, 2, 2), "float32"))
    layer.bias.assign([-1.0, 2.0])
    assert ops.convert_to_numpy(layer([label_map]))[0, 1, 1].tolist() == [0.0, 2.0]


@pytest.mark.parametrize("dtype", ["uint8", "int32", "int64"])
def test_any_integer_dtype_gives_the_same(dtype):
    label_map = np.random.default_rng(0).integers(0, 3, (1, 4, 4))
    layer = SemanticConv2D(2, num_classes=3)
    expected = ops.convert_to_numpy(layer([label_map.astype("int32")]))
    np.testing.assert_array_equal(ops.convert_to_numpy(layer([label_map.astype(dtype)])), expected)


def test_takes_a_symbolic_input():
    label_map, noise = keras.Input((4, 6), dtype="int32"), keras.Input((3,))
    assert SemanticConv2D(8, 5)([label_map, noise]).shape == (None, 4, 6, 8)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="the others add gradients in a fixed order")
def test_tensorflow_gives_the_same_gradient_at_every_call():
    """It adds three addends of a gradient, unlike two, in an order that depends on what is done first."""
    import tensorflow as tf

    rng = np.random.default_rng(0)
    noise, weights = (tf.constant(rng.standard_normal(shape), "float32") for shape in ((4, 4), (4, 32, 64, 8)))
    label_map = tf.zeros((4, 32, 64), "int32")
    layer = SemanticConv2D(8, num_classes=1)
    layer.build([label_map.shape, noise.shape])

    @tf.function(autograph=False)
    def gradient():
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.sin(layer([label_map, noise])) * weights)
        return tape.gradient(loss, layer.kernel.value)

    assert len({gradient().numpy().tobytes() for _ in range(400)}) == 1
