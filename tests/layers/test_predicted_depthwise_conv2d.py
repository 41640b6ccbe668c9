import keras
import numpy as np
import pytest
from keras import ops

from keras_semisis.gans.engines import engine
from keras_semisis.layers.predicted_depthwise_conv2d import PredictedDepthwiseConv2D


def arrays(height, width, channels):
    rng = np.random.default_rng(0)
    return (
        rng.standard_normal((2, height, width, channels)).astype("float32"),
        rng.standard_normal((2, height, width, 9 * channels)).astype("float32"),
    )


def brute_force(x, kernels):
    height, width, channels = x.shape[1:]
    y = np.zeros(x.shape)
    for i, j, ky, kx in np.ndindex(height, width, 3, 3):
        row, column, tap = i + ky - 1, j + kx - 1, 3 * ky + kx
        if 0 <= row < height and 0 <= column < width:
            y[:, i, j] += x[:, row, column] * kernels[:, i, j, tap * channels : (tap + 1) * channels]
    return y


@pytest.mark.parametrize("size", [(4, 5), (1, 1), (1, 3), (2, 1)])
def test_equals_a_loop_over_pixels_and_taps(size):
    x, kernels = arrays(*size, 3)
    y = ops.convert_to_numpy(PredictedDepthwiseConv2D()([x, kernels]))
    np.testing.assert_allclose(y, brute_force(x, kernels), atol=1e-5)


def test_gradients_are_those_of_a_bilinear_function():
    """Linear in either input: the change along a direction is the value at that direction."""
    x, kernels = arrays(4, 5, 3)
    projection = np.random.default_rng(1).standard_normal(x.shape).astype("float32")
    inputs = [keras.Variable(x), keras.Variable(kernels)]

    def loss(values):
        return ops.sum(PredictedDepthwiseConv2D()(list(values)) * ops.convert_to_tensor(projection)), ()

    _, _, gradients = engine.value_and_gradients(loss, inputs)
    direction, kernel_direction = (a[::-1].copy() for a in (x, kernels))
    for gradient, d, y in (
        (gradients[0], direction, brute_force(direction, kernels)),
        (gradients[1], kernel_direction, brute_force(x, kernel_direction)),
    ):
        assert np.sum(ops.convert_to_numpy(gradient) * d) == pytest.approx(np.sum(y * projection), rel=1e-4)


def test_kernels_of_another_width_are_refused():
    with pytest.raises(ValueError, match="kernels has 26 channels, expected 9 for each of the 3 channels of x: 27"):
        PredictedDepthwiseConv2D().build([(None, 4, 4, 3), (None, 4, 4, 26)])
