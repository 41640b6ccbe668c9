import keras
import numpy as np
import pytest
from keras import ops

from keras_semisis.gans.engines import engine
from keras_semisis.layers.spectral_conv2d_transpose import SpectralConv2DTranspose


def built(kernel_size=4, strides=2, **kwargs):
    layer = SpectralConv2DTranspose(5, kernel_size, strides, **kwargs)
    layer.build((None, 3, 4, 6))
    rng = np.random.default_rng(0)
    layer.kernel.assign(rng.standard_normal(layer.kernel.shape).astype("float32"))
    for vector in (layer.u, layer.v):
        value = rng.standard_normal(vector.shape)
        vector.assign((value / np.linalg.norm(value)).astype("float32"))
    return layer


def matrix(kernel):
    """Outputs × (height, width, inputs)."""
    return np.moveaxis(kernel, 2, 0).reshape(kernel.shape[2], -1)


def state(layer):
    return {name: ops.convert_to_numpy(getattr(layer, name)).astype("float64") for name in ("kernel", "u", "v")}


def image(seed=1):
    return np.random.default_rng(seed).standard_normal((2, 3, 4, 6)).astype("float32")


def spread(x, kernel, strides):
    """Transposed convolution: every input pixel adds its multiple of the kernel to the output."""
    batch, height, width, _ = x.shape
    size, outputs = kernel.shape[1:3]
    full = np.zeros((batch, (height - 1) * strides + size, (width - 1) * strides + size, outputs))
    for i in range(height):
        for j in range(width):
            patch = np.einsum("bc,klfc->bklf", x[:, i, j].astype("float64"), kernel)
            full[:, i * strides : i * strides + size, j * strides : j * strides + size] += patch
    cut = (size - strides) // 2
    return full[:, cut : full.shape[1] - cut, cut : full.shape[2] - cut]


@pytest.mark.parametrize(("kernel_size", "strides"), [(4, 2), (3, 1), (2, 2), (5, 3)])
def test_output_is_the_transposed_convolution_with_the_kernel_over_sigma(kernel_size, strides):
    layer = built(kernel_size, strides)
    layer.bias.assign(np.arange(5.0, dtype="float32"))
    y = ops.convert_to_numpy(layer(image(), training=True))
    after = state(layer)
    sigma = after["u"] @ matrix(after["kernel"]) @ after["v"]
    expected = spread(image(), after["kernel"] / sigma, strides) + np.arange(5.0)
    assert expected.shape == (2, 3 * strides, 4 * strides, 5) == layer.compute_output_shape((2, 3, 4, 6))
    np.testing.assert_allclose(y, expected, atol=1e-5)


def test_power_iteration_finds_the_largest_singular_value():
    layer = built()
    for _ in range(60):
        layer(image(), training=True)
    after = state(layer)
    w = matrix(after["kernel"])
    assert after["u"] @ w @ after["v"] == pytest.approx(np.linalg.svd(w, compute_uv=False)[0], rel=1e-5)


def test_one_training_call_is_one_power_iteration_v_then_u_and_leaves_the_kernel():
    layer = built()
    before = state(layer)
    w = matrix(before["kernel"])
    layer(image(), training=True)
    v = w.T @ before["u"]
    v /= np.linalg.norm(v)
    u = w @ v
    u /= np.linalg.norm(u)
    np.testing.assert_allclose(state(layer)["v"], v, atol=1e-6)
    np.testing.assert_allclose(state(layer)["u"], u, atol=1e-6)
    np.testing.assert_array_equal(state(layer)["kernel"], before["kernel"])


def test_inference_uses_the_stored_vectors_and_changes_nothing():
    layer = built(use_bias=False)
    before = state(layer)
    y = ops.convert_to_numpy(layer(image(), training=False))
    sigma = before["u"] @ matrix(before["kernel"]) @ before["v"]
    expected = spread(image(), before["kernel"] / sigma, 2)
    np.testing.assert_allclose(y, expected, atol=2e-6 * np.abs(expected).max())
    for name, value in state(layer).items():
        np.testing.assert_array_equal(value, before[name])


def test_the_gradient_goes_through_sigma():
    """That of finite differences with u and v held."""
    layer = built(use_bias=False)
    for _ in range(3):
        layer(image(), training=True)
    fixed = state(layer)
    projection = np.random.default_rng(3).standard_normal((2, 6, 8, 5)).astype("float32")

    def fn(values):
        with keras.StatelessScope([(layer.kernel, values[0])]):
            y = layer(ops.convert_to_tensor(image()), training=False)
            return ops.sum(y * ops.convert_to_tensor(projection)), ()

    _, _, (gradient,) = engine.value_and_gradients(fn, [layer.kernel])

    def value(kernel):
        return (spread(image(), kernel / (fixed["u"] @ matrix(kernel) @ fixed["v"]), 2) * projection).sum()

    rng = np.random.default_rng(4)
    for _ in range(3):
        direction = rng.standard_normal(fixed["kernel"].shape)
        numeric = (value(fixed["kernel"] + 1e-5 * direction) - value(fixed["kernel"] - 1e-5 * direction)) / 2e-5
        assert (ops.convert_to_numpy(gradient) * direction).sum() == pytest.approx(numeric, rel=1e-3, abs=1e-3)


def test_config_round_trip():
    layer = SpectralConv2DTranspose(5, 6, strides=2, use_bias=False, name="up")
    expected = layer(image())
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert type(again) is SpectralConv2DTranspose and again.get_config() == layer.get_config()
    again(image())
    again.set_weights(layer.get_weights())
    np.testing.assert_array_equal(ops.convert_to_numpy(again(image())), ops.convert_to_numpy(expected))


def test_mixed_bfloat16_keeps_the_kernel_and_its_vectors_in_float32():
    layer, reference = built(dtype="mixed_bfloat16"), built(dtype="float32")
    reference.set_weights(layer.get_weights())
    y = layer(image(), training=True)
    expected = ops.convert_to_numpy(reference(image(), training=True))
    assert keras.backend.standardize_dtype(y.dtype) == "bfloat16"
    np.testing.assert_allclose(ops.convert_to_numpy(ops.cast(y, "float32")), expected, atol=0.02 * np.abs(expected).max())
    np.testing.assert_allclose(state(layer)["u"], state(reference)["u"], atol=1e-6)


@pytest.mark.parametrize(("kernel_size", "strides"), [(3, 2), (2, 3), (1, 3)])
def test_a_kernel_that_cannot_be_cut_evenly_is_refused(kernel_size, strides):
    with pytest.raises(ValueError, match=f"kernel_size={kernel_size}, strides={strides}: expected a kernel_size of {strides}"):
        SpectralConv2DTranspose(5, kernel_size, strides)
