import keras
import numpy as np
import pytest
from keras import ops

from keras_semisis.layers import MinibatchStdDev

GROUPS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 1, 6: 3, 7: 1, 8: 4, 9: 3}


def brute_force(x, group):
    """One number per image: the deviation over the images of equal index modulo the number of groups."""
    batch = len(x)
    out = np.empty(batch)
    for n in range(batch):
        members = [m for m in range(batch) if m % (batch // group) == n % (batch // group)]
        assert len(members) == group
        deviations = [
            np.sqrt(np.mean((x[members, i, j, c] - x[members, i, j, c].mean()) ** 2) + 1e-8)
            for i in range(x.shape[1])
            for j in range(x.shape[2])
            for c in range(x.shape[3])
        ]
        out[n] = np.mean(deviations)
    return out


@pytest.mark.parametrize("batch", GROUPS)
def test_equals_a_loop_with_the_largest_divisor_up_to_four(batch):
    x = np.random.default_rng(batch).standard_normal((batch, 2, 3, 2)).astype("float32")
    y = ops.convert_to_numpy(MinibatchStdDev()(x))
    np.testing.assert_array_equal(y[..., :2], x)
    expected = brute_force(x.astype("float64"), GROUPS[batch])
    np.testing.assert_allclose(y[..., 2], np.broadcast_to(expected[:, None, None], (batch, 2, 3)), rtol=1e-5)


def test_a_batch_of_unknown_size_is_grouped_when_it_comes():
    image = keras.Input((2, 3, 2))
    model = keras.Model(image, MinibatchStdDev()(image))
    for batch in (4, 6, 7):
        x = np.random.default_rng(batch).standard_normal((batch, 2, 3, 2)).astype("float32")
        y = model.predict(x, batch_size=batch, verbose=0)
        np.testing.assert_allclose(y[:, 0, 0, 2], brute_force(x.astype("float64"), GROUPS[batch]), rtol=1e-5)


def test_one_image_gets_the_root_of_epsilon():
    y = ops.convert_to_numpy(MinibatchStdDev()(np.ones((1, 2, 2, 1), "float32")))
    np.testing.assert_allclose(y[..., 1], 1e-4, rtol=1e-3)
