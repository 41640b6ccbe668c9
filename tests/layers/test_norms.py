import numpy as np
import pytest
from keras import ops

from keras_semisis.layers import BatchNorm, InstanceNorm


def image(seed=0):
    return (np.random.default_rng(seed).standard_normal((2, 3, 4, 5)) * 2 + 1).astype("float32")


@pytest.mark.parametrize("affine", [False, True])
def test_batch_norm_normalizes_by_the_biased_and_stores_the_unbiased_variance(affine):
    layer = BatchNorm(momentum=0.9, affine=affine)
    layer.build(image().shape)
    gamma, beta = np.arange(1.0, 6.0), np.arange(5.0)
    if affine:
        layer.gamma.assign(gamma.astype("float32"))
        layer.beta.assign(beta.astype("float32"))
    mean, variance = np.zeros(5), np.ones(5)
    for step in range(3):
        x = image(step).astype("float64")
        batch_mean, batch_variance = x.mean((0, 1, 2)), x.var((0, 1, 2))
        y = ops.convert_to_numpy(layer(image(step), training=True))
        expected = (x - batch_mean) / np.sqrt(batch_variance + 1e-5)
        np.testing.assert_allclose(y, expected * gamma + beta if affine else expected, atol=1e-5)
        mean = 0.9 * mean + 0.1 * batch_mean
        variance = 0.9 * variance + 0.1 * x.var((0, 1, 2), ddof=1)
        np.testing.assert_allclose(ops.convert_to_numpy(layer.moving_mean), mean, atol=1e-6)
        np.testing.assert_allclose(ops.convert_to_numpy(layer.moving_variance), variance, rtol=1e-5)
    expected = (image(9) - mean) / np.sqrt(variance + 1e-5)
    y = ops.convert_to_numpy(layer(image(9), training=False))
    np.testing.assert_allclose(y, expected * gamma + beta if affine else expected, atol=1e-5)
    np.testing.assert_allclose(ops.convert_to_numpy(layer.moving_mean), mean, atol=1e-6)


def test_batch_norm_of_one_pixel_stores_a_finite_variance():
    layer = BatchNorm()
    layer(np.ones((1, 1, 1, 3), "float32"), training=True)
    np.testing.assert_allclose(ops.convert_to_numpy(layer.moving_variance), 0.9, rtol=1e-6)


def test_batch_norm_that_is_not_trainable_still_uses_batch_statistics():
    layer = BatchNorm()
    layer.trainable = False
    y = ops.convert_to_numpy(layer(image(), training=True))
    np.testing.assert_allclose(y.mean((0, 1, 2)), 0, atol=1e-6)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "bfloat16", "float16"])
@pytest.mark.parametrize("norm", [BatchNorm, InstanceNorm])
def test_a_mean_far_from_zero_is_taken_off_in_low_precision(norm, policy):
    x = ops.cast(
        np.random.default_rng(0).standard_normal((2, 16, 16, 5)) + np.linspace(50, 150, 5), policy.removeprefix("mixed_")
    )
    layer = norm(dtype=policy)
    calls = [{"training": True}, {"training": False}] if norm is BatchNorm else [{}]
    for kwargs in calls:
        y = layer(x, **kwargs)
        assert y.dtype == x.dtype
        expected = ops.convert_to_numpy(ops.cast(x, "float32")).astype("float64")
        if kwargs == {"training": False}:
            expected -= ops.convert_to_numpy(layer.moving_mean)
            expected /= np.sqrt(ops.convert_to_numpy(layer.moving_variance) + 1e-5)
        else:
            axes = (0, 1, 2) if norm is BatchNorm else (1, 2)
            expected -= expected.mean(axes, keepdims=True)
            expected /= np.sqrt(expected.var(axes, keepdims=True) + 1e-5)
        np.testing.assert_allclose(ops.convert_to_numpy(ops.cast(y, "float32")), expected, rtol=1e-2, atol=1e-3)


@pytest.mark.parametrize("training", [False, True])
def test_instance_norm_equals_numpy_in_training_and_inference(training):
    x = image().astype("float64")
    expected = (x - x.mean((1, 2), keepdims=True)) / np.sqrt(x.var((1, 2), keepdims=True) + 1e-5)
    layer = InstanceNorm()
    kwargs = {"training": training} if layer._call_has_training_arg else {}
    np.testing.assert_allclose(ops.convert_to_numpy(layer(image(), **kwargs)), expected, atol=1e-5)
    assert not layer.variables


@pytest.mark.parametrize("norm", [BatchNorm, InstanceNorm])
def test_maps_that_are_constant_become_0(norm):
    """Where a variance is the difference of two means, rounding makes some of them negative."""
    values = np.random.default_rng(0).uniform(1, 400, 200).astype("float32")
    layer = norm()
    x = np.broadcast_to(values, (1, 64, 96, 200))
    y = ops.convert_to_numpy(layer(x, training=True) if norm is BatchNorm else layer(x))
    assert np.isfinite(y).all() and np.abs(y).max() < 1
    if norm is BatchNorm:
        assert ops.convert_to_numpy(layer.moving_variance).min() >= 0


@pytest.mark.parametrize("norm", [BatchNorm, InstanceNorm])
def test_maps_far_from_0_keep_their_variance(norm):
    x = (np.random.default_rng(0).standard_normal((1, 32, 32, 3)) + 1000).astype("float32")
    layer = norm()
    y = ops.convert_to_numpy(layer(x, training=True) if norm is BatchNorm else layer(x))
    exact = x.astype("float64")
    exact = (exact - exact.mean((0, 1, 2))) / np.sqrt(exact.var((0, 1, 2)) + 1e-5)
    np.testing.assert_allclose(y, exact, atol=5e-3)
