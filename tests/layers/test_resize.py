import keras
import numpy as np
import pytest
from keras import ops
from PIL import Image

from keras_semisis.layers import adaptive_average_pool, resize_bilinear, resize_nearest
from keras_semisis.layers.resize import enlarge_bilinear, resize_antialiased
from keras_semisis.models.antialiased_resizing import AntialiasedResizing


@pytest.mark.parametrize("trailing", [(), (2,)])
@pytest.mark.parametrize("size", [(3, 4), (6, 8), (12, 16), (4, 4), (5, 3), (7, 11), (1, 1)])
def test_takes_the_pixel_at_the_floor(size, trailing):
    x = np.random.default_rng(0).integers(0, 99, (2, 6, 8, *trailing)).astype("int32")
    expected = np.empty((2, *size, *trailing), "int32")
    for i in range(size[0]):
        for j in range(size[1]):
            expected[:, i, j] = x[:, int(i * 6 // size[0]), int(j * 8 // size[1])]
    y = ops.convert_to_numpy(resize_nearest(ops.convert_to_tensor(x), size))
    np.testing.assert_array_equal(y, expected)
    assert y.dtype == x.dtype


def test_an_integer_factor_takes_the_top_left_pixel_of_each_cell():
    x = np.arange(16).reshape(1, 4, 4)
    assert ops.convert_to_numpy(resize_nearest(x, (2, 2)))[0].tolist() == [[0, 2], [8, 10]]


def interpolated(x, size, ratio, zeros_outside):
    """Pixel by pixel: the mean of the four around the position, weighted by closeness."""

    def at(i, j):
        if zeros_outside and not (0 <= i < x.shape[1] and 0 <= j < x.shape[2]):
            return 0.0
        return x[:, min(max(i, 0), x.shape[1] - 1), min(max(j, 0), x.shape[2] - 1)].astype("float64")

    y = np.zeros((len(x), *size, x.shape[3]))
    for i in range(size[0]):
        for j in range(size[1]):
            row = (i + 0.5) * (ratio or x.shape[1] / size[0]) - 0.5
            column = (j + 0.5) * (ratio or x.shape[2] / size[1]) - 0.5
            top, left = int(np.floor(row)), int(np.floor(column))
            for k in (0, 1):
                for m in (0, 1):
                    y[:, i, j] += (1 - abs(row - top - k)) * (1 - abs(column - left - m)) * at(top + k, left + m)
    return y


@pytest.mark.parametrize(
    ("size", "ratio", "zeros_outside"),
    [
        ((3, 4), None, False),
        ((6, 8), None, False),
        ((13, 21), None, False),
        ((1, 1), None, False),
        ((5, 3), None, True),
        ((48, 64), 1 / 8, True),
        ((3, 4), 2.0, False),
        ((4, 6), 4 / 3, False),
    ],
)
def test_bilinear(size, ratio, zeros_outside):
    x = np.random.default_rng(1).normal(size=(2, 6, 8, 3)).astype("float32")
    y = ops.convert_to_numpy(resize_bilinear(ops.convert_to_tensor(x), size, ratio, zeros_outside))
    assert y.dtype == "float32"
    np.testing.assert_allclose(y, interpolated(x, size, ratio, zeros_outside), atol=2e-6)


@pytest.mark.parametrize("size", [1, 2, 3, 6])
@pytest.mark.parametrize("shape", [(6, 12), (13, 17), (2, 3), (1, 1)])
def test_adaptive_average_pool(shape, size):
    x = np.random.default_rng(2).normal(size=(2, *shape, 3)).astype("float32")
    expected = np.empty((2, size, size, 3))
    for i in range(size):
        for j in range(size):
            rows, columns = ((k * n // size, int(np.ceil((k + 1) * n / size))) for k, n in zip((i, j), shape, strict=True))
            expected[:, i, j] = x[:, slice(*rows), slice(*columns)].mean((1, 2))
    np.testing.assert_allclose(ops.convert_to_numpy(adaptive_average_pool(ops.convert_to_tensor(x), size)), expected, atol=1e-6)


@pytest.mark.parametrize("size", [(3, 4), (12, 16), (13, 5), (5, 21), (6, 8), (1, 1)])
def test_antialiased_is_pillows_bilinear_filter(size):
    x = np.random.default_rng(1).normal(size=(2, 6, 8, 3)).astype("float32")
    expected = [
        np.stack([Image.fromarray(image[..., c]).resize(size[::-1], Image.Resampling.BILINEAR) for c in range(3)], axis=-1)
        for image in x
    ]
    np.testing.assert_allclose(ops.convert_to_numpy(resize_antialiased(ops.convert_to_tensor(x), size)), expected, atol=2e-6)


def test_antialiased_of_a_size_known_only_when_the_network_runs():
    image = keras.Input((None, None, 3))
    model = keras.Model(image, AntialiasedResizing((4, 3))(image))
    assert model.output_shape == (None, 4, 3, 3)
    for shape in ((2, 8, 6, 3), (1, 4, 3, 3), (1, 3, 9, 3)):
        x = np.random.default_rng(3).normal(size=shape).astype("float32")
        expected = ops.convert_to_numpy(resize_antialiased(ops.convert_to_tensor(x), (4, 3)))
        np.testing.assert_allclose(model.predict(x, verbose=0), expected, atol=1e-6)


def test_sizes_known_only_when_the_network_runs():
    class Both(keras.layers.Layer):
        def call(self, x):
            height, width = ops.shape(x)[1:3]
            return adaptive_average_pool(resize_bilinear(x, (2 * height, width // 2)), 2)

        def compute_output_shape(self, input_shape):
            return (input_shape[0], 2, 2, input_shape[3])

    image = keras.Input((None, None, 1))
    model = keras.Model(image, Both()(image))
    for height, width in ((4, 8), (3, 12), (8, 4), (5, 6)):
        x = np.random.default_rng(3).normal(size=(1, height, width, 1)).astype("float32")
        expected = adaptive_average_pool(
            ops.convert_to_tensor(interpolated(x, (2 * height, width // 2), None, False).astype("float32")), 2
        )
        np.testing.assert_allclose(model.predict_on_batch(x), ops.convert_to_numpy(expected), atol=1e-5)


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (5, 4)])
@pytest.mark.parametrize("factors", [(2, 2), (1, 1.5), (3, 2)])
def test_enlarging_is_the_bilinear_resize(size, factors):
    x = np.random.default_rng(0).standard_normal((2, *size, 3)).astype("float32")
    larger = tuple(int(np.ceil(side * factor)) for side, factor in zip(size, factors, strict=True))
    enlarged = ops.convert_to_numpy(enlarge_bilinear(ops.convert_to_tensor(x), larger))
    np.testing.assert_allclose(enlarged, interpolated(x, larger, None, False), atol=2e-6)
