import numpy as np
import pytest
from keras import ops

from keras_semisis.layers import resize_nearest


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
