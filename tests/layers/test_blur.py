import numpy as np
import pytest
from keras import ops
from scipy.signal import correlate2d

from keras_semisis.layers import Blur


@pytest.mark.parametrize("size", [(6, 9), (4, 4), (5, 2)])
@pytest.mark.parametrize(("padding", "strides"), [(1, 1), (2, 1), (1, 2), (2, 2), (2, 3)])
def test_equals_scipy(size, padding, strides):
    x = np.random.default_rng(0).standard_normal((2, *size, 3)).astype("float32")
    kernel = np.outer([1, 3, 3, 1], [1, 3, 3, 1]) / 64
    padded = np.pad(x, ((0, 0), (padding, padding), (padding, padding), (0, 0)))
    expected = np.stack(
        [np.stack([correlate2d(image[..., c], kernel, mode="valid") for c in range(3)], axis=-1) for image in padded]
    )[:, ::strides, ::strides]
    layer = Blur(padding, strides)
    np.testing.assert_allclose(ops.convert_to_numpy(layer(x)), expected, atol=1e-6)
    assert layer.compute_output_shape(x.shape) == expected.shape
