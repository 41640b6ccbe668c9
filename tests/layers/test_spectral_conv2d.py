import keras
import numpy as np
import pytest
from keras import ops

from keras_semisis.gans.engines import engine
from keras_semisis.layers import SpectralConv2D


def built(kernel_size=3, **kwargs):
    layer = SpectralConv2D(5, kernel_size, **kwargs)
    layer.build((None, 7, 6, 4))
    rng = np.random.default_rng(0)
    layer.kernel.assign(rng.standard_normal(layer.kernel.shape).astype("float32"))
    # drawn ones can be almost orthogonal to what the kernel maps, and σ almost 0
    for vector in (layer.u, layer.v):
        drawn = rng.standard_normal(vector.shape)
        vector.assign((drawn / np.linalg.norm(drawn)).astype("float32"))
    return layer


def matrix(layer):
    return ops.convert_to_numpy(layer.kernel).reshape(-1, layer.filters).T.astype("float64")


def state(layer):
    return {name: ops.convert_to_numpy(getattr(layer, name)).copy() for name in ("kernel", "u", "v")}


def image(seed=1):
    return np.random.default_rng(seed).standard_normal((2, 7, 6, 4)).astype("float32")


def convolve(x, kernel, strides=1, padding=0):
    """Cross-correlation, loop over the output pixels."""
    x = np.pad(x.astype("float64"), ((0, 0), (padding, padding), (padding, padding), (0, 0)))
    k = kernel.shape[0]
    rows, columns = ((n - k) // strides + 1 for n in x.shape[1:3])
    out = np.empty((len(x), rows, columns, kernel.shape[-1]))
    for i in range(rows):
        for j in range(columns):
            window = x[:, i * strides : i * strides + k, j * strides : j * strides + k]
            out[:, i, j] = np.einsum("bklc,klcf->bf", window, kernel)
    return out


def test_power_iteration_finds_the_largest_singular_value():
    layer = built()
    for _ in range(200):
        layer(image(), training=True)
    largest = np.linalg.svd(matrix(layer), compute_uv=False)[0]
    u, v = (ops.convert_to_numpy(x).astype("float64") for x in (layer.u, layer.v))
    assert u @ matrix(layer) @ v == pytest.approx(largest, rel=1e-5)
    assert np.linalg.norm(u) == pytest.approx(1, rel=1e-5)


def test_one_training_call_is_one_power_iteration_v_then_u():
    layer = built()
    before, w = state(layer), matrix(layer)
    layer(image(), training=True)
    v = w.T @ before["u"]
    v /= np.linalg.norm(v)
    u = w @ v
    u /= np.linalg.norm(u)
    np.testing.assert_allclose(state(layer)["v"], v, atol=1e-6)
    np.testing.assert_allclose(state(layer)["u"], u, atol=1e-6)


@pytest.mark.parametrize(("kernel_size", "strides", "padding"), [(3, 1, None), (1, 1, None), (4, 2, 1), (3, 2, 1)])
def test_output_is_the_convolution_with_the_kernel_over_sigma(kernel_size, strides, padding):
    layer = built(kernel_size, strides=strides, padding=padding)
    layer.bias.assign(np.arange(5.0, dtype="float32"))
    y = ops.convert_to_numpy(layer(image(), training=True))
    after = state(layer)
    sigma = after["u"] @ matrix(layer) @ after["v"]
    expected = convolve(image(), after["kernel"] / sigma, strides, layer.padding) + np.arange(5.0)
    np.testing.assert_allclose(y, expected, atol=1e-4)
    assert layer.compute_output_shape((2, 7, 6, 4)) == expected.shape


def test_inference_uses_the_stored_vectors_and_changes_nothing():
    layer = built()
    before = state(layer)
    y = ops.convert_to_numpy(layer(image(), training=False))
    sigma = before["u"] @ matrix(layer) @ before["v"]  # not the largest singular value: no iteration was done
    assert abs(sigma) < 0.9 * np.linalg.svd(matrix(layer), compute_uv=False)[0]
    expected = convolve(image(), before["kernel"] / sigma, 1, 1)
    np.testing.assert_allclose(y, expected, atol=2e-6 * np.abs(expected).max())
    for name, value in state(layer).items():
        np.testing.assert_array_equal(value, before[name])


def test_the_kernel_is_never_modified():
    layer = built()
    before = state(layer)
    for _ in range(3):
        layer(image(), training=True)
    np.testing.assert_array_equal(state(layer)["kernel"], before["kernel"])
    assert not np.array_equal(state(layer)["u"], before["u"])


def test_the_gradient_goes_through_sigma():
    """d sum(p · conv(x, W/σ)) / dW, u and v constant: (A - uvᵀ · ⟨A, W⟩/σ) / σ, A the plain gradient."""
    layer = built(use_bias=False)
    for _ in range(3):
        layer(image(), training=True)
    projection = np.random.default_rng(3).standard_normal((2, 7, 6, 5)).astype("float32")

    def fn(values):
        with keras.StatelessScope([(layer.kernel, values[0])]):
            return ops.sum(layer(ops.convert_to_tensor(image()), training=False) * ops.convert_to_tensor(projection)), ()

    _, _, (gradient,) = engine.value_and_gradients(fn, [layer.kernel])
    after, w = state(layer), matrix(layer)
    sigma = after["u"] @ w @ after["v"]
    padded = np.pad(image().astype("float64"), ((0, 0), (1, 1), (1, 1), (0, 0)))
    plain = np.stack(
        [[np.einsum("bhwc,bhwf->cf", padded[:, i : i + 7, j : j + 6], projection) for j in range(3)] for i in range(3)]
    )
    outer = np.outer(after["v"], after["u"]).reshape(plain.shape)
    expected = (plain - outer * (plain * after["kernel"]).sum() / sigma) / sigma
    np.testing.assert_allclose(ops.convert_to_numpy(gradient), expected, atol=1e-5 * np.abs(expected).max())


def test_the_gradient_in_training_is_that_of_finite_differences_with_the_vectors_held():
    layer = built(use_bias=False)
    layer(image(), training=True)
    fixed = state(layer)
    projection = np.random.default_rng(3).standard_normal((2, 7, 6, 5)).astype("float32")

    def fn(values):
        with keras.StatelessScope([(layer.kernel, values[0])]):
            return ops.sum(layer(ops.convert_to_tensor(image()), training=True) * ops.convert_to_tensor(projection)), ()

    _, _, (gradient,) = engine.value_and_gradients(fn, [layer.kernel])
    # the training call does one more iteration from the stored vectors
    w = matrix(layer)
    v = w.T @ fixed["u"]
    v /= np.linalg.norm(v)
    u = w @ v
    u /= np.linalg.norm(u)

    def value(kernel):
        sigma = u @ kernel.reshape(-1, 5).T @ v
        return (convolve(image(), kernel / sigma, 1, 1) * projection).sum()

    kernel = fixed["kernel"].astype("float64")
    rng = np.random.default_rng(4)
    for _ in range(3):
        direction = rng.standard_normal(kernel.shape)
        numeric = (value(kernel + 1e-5 * direction) - value(kernel - 1e-5 * direction)) / 2e-5
        assert (ops.convert_to_numpy(gradient) * direction).sum() == pytest.approx(numeric, rel=1e-3, abs=1e-3)
