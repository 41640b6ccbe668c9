import keras
import numpy as np
import pytest

from keras_semisis import models
from keras_semisis.data import SyntheticScenes, paired_dataset
from keras_semisis.recipes.segmenter import has_features, train_segmenter
from tests.conftest import not_on_jax


@pytest.mark.parametrize(("size", "trunk"), [((16, 24), (192, 288)), ((48, 64), (192, 256)), ((200, 300), (224, 320))])
def test_sizes(size, trunk):
    model = models.efficientnet_lite0_segmenter(5, size, weights=None)
    assert model.input_shape == (None, *size, 3) and model.output_shape == (None, *size, 5)
    assert [tuple(shape[1:]) for shape in model.get_layer("trunk").output_shape] == [
        (trunk[0] // stride, trunk[1] // stride, channels) for stride, channels in ((4, 24), (8, 40), (16, 112), (32, 320))
    ]
    assert not has_features(model) and not has_features(None)
    assert has_features(models.unet_segmenter(5, (16, 16), (4, 4), 4))


def test_the_trunk_sees_the_enlarged_image_as_the_feature_network_does():
    """Its deepest features, pooled after the feature network's own head."""
    model = models.efficientnet_lite0_segmenter(3, (32, 48), weights=None)
    whole = models.efficientnet_lite0_features(weights=None, image_size=(192, 288))
    whole.set_weights([*model.get_layer("trunk").get_weights(), *whole.get_weights()[-5:]])
    image = np.random.default_rng(0).uniform(-1, 1, (1, 32, 48, 3)).astype("float32")
    deepest = model.get_layer("trunk").predict_on_batch(image)[-1].astype("float64")
    kernel, gamma, beta, mean, variance = (w.astype("float64") for w in whole.get_weights()[-5:])
    head = (deepest @ kernel[0, 0] - mean) / np.sqrt(variance + 1e-3) * gamma + beta
    expected = head.clip(0, 6).mean(axis=(1, 2))
    np.testing.assert_allclose(whole.predict_on_batch(image), expected, atol=1e-5)


@not_on_jax
def test_the_decoder_alone_learns(tmp_path):
    scenes = SyntheticScenes(num_scenes=8, image_size=(32, 48))
    model = models.efficientnet_lite0_segmenter(scenes.label_space.num_classes, (32, 48), weights=None)
    trunk = model.get_layer("trunk")
    before = [w.copy() for w in trunk.get_weights()], [w.copy() for w in model.get_weights()]
    train_segmenter(model, paired_dataset(scenes, (32, 48), 4), steps=2)
    assert all(np.array_equal(a, b) for a, b in zip(before[0], trunk.get_weights(), strict=True))
    changed = sum(not np.array_equal(a, b) for a, b in zip(before[1], model.get_weights(), strict=True))
    # six convolutions with gamma, beta, moving mean and variance of their norms, kernel and bias of the logits
    assert changed == 6 * 5 + 2
    model.save(tmp_path / "segmenter.keras")
    loaded = keras.saving.load_model(tmp_path / "segmenter.keras", compile=False)
    assert len(loaded.trainable_variables) == len(model.trainable_variables) == 6 * 3 + 2
    image = np.zeros((1, 32, 48, 3), "float32")
    np.testing.assert_allclose(loaded.predict_on_batch(image), model.predict_on_batch(image), atol=1e-6)
