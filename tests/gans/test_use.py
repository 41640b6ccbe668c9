"""Noise by number or name, the verbs of a Keras model, and what is refused in a sentence."""

import keras
import numpy as np
import pytest

import keras_semisis as ks
from keras_semisis.data import DataError
from keras_semisis.gans.engines import engine
from tests.gans.test_fit import MAPS, tiny_oasis
from tests.gans.tiny import CLASSES, SIZE

pytestmark = pytest.mark.usefixtures("eager_tensorflow")


@pytest.fixture(scope="module")
def gan():
    return tiny_oasis()


def test_a_map_has_the_noise_of_its_number_or_of_its_name(gan, monkeypatch):
    monkeypatch.setattr(engine, "predict", lambda network, inputs, batch_size: np.tanh(inputs[1]))
    noise = gan.generate_floats(MAPS, seed=7, first=5)
    # as it was before there were names: photos of models and seeds that are published stay
    expected = [np.random.default_rng((7, i)).standard_normal(4).astype("float32") for i in (5, 6)]
    np.testing.assert_array_equal(noise, np.tanh(expected))
    for i in range(2):
        np.testing.assert_array_equal(gan.generate_floats(MAPS[i : i + 1], seed=7, first=5 + i)[0], noise[i])
        np.testing.assert_array_equal(gan.generate(MAPS[i], seed=7, first=5 + i), gan.generate(MAPS, seed=7, first=5)[i])
    named = gan.generate_floats(MAPS, first=["a", "b"])
    np.testing.assert_array_equal(gan.generate_floats(MAPS[:1], first="b")[0], named[1])
    assert not np.array_equal(named[0], named[1])
    assert not np.array_equal(gan.generate_floats(MAPS[:1], seed=1, first="b")[0], named[1])
    with pytest.raises(ValueError, match="1 names for 2 label maps"):
        gan.generate(MAPS, first="a")


def test_nothing_to_draw_or_to_see_is_said(gan):
    with pytest.raises(DataError, match="there are no label maps"):
        gan.generate(MAPS[:0])
    with pytest.raises(DataError, match="there are no photos"):
        gan.segment(np.zeros((0, *SIZE, 3), "uint8"))
    for region in (CLASSES, -1):
        with pytest.raises(ValueError, match=f"resample: {region} is no class; they are 0 to {CLASSES - 1}"):
            gan.generate(MAPS, resample=[(region, 1)])


def test_predict_and_call_take_noise_or_say_what_draws_it(gan):
    noise = np.random.default_rng((0, 0)).standard_normal((1, 4)).astype("float32")
    images = gan.predict([MAPS[:1].astype("int32"), noise], verbose=0)
    # two programs, which XLA may round differently: an eighth of a gray level
    np.testing.assert_allclose(images, gan.generate_floats(MAPS[:1]), atol=1e-3)
    for verb in (gan.predict, gan):
        with pytest.raises(ValueError, match=r"takes \[label_map, noise\].*call generate\(label_maps, seed=0\)"):
            verb(MAPS.astype("int32"))


def test_verbs_that_cannot_work_say_what_does(gan):
    with pytest.raises(NotImplementedError, match=r"call fit\(..., steps_per_epoch=1\)"):
        gan.train_on_batch(MAPS)
    with pytest.raises(NotImplementedError, match="call evaluate"):
        gan.test_on_batch(MAPS)


@pytest.mark.parametrize("set_back", [False, True])
@pytest.mark.parametrize("policy", ["float16", "bfloat16", "float64", "mixed_float16"])
def test_a_precision_that_cannot_train_is_refused_in_a_sentence(policy, set_back):
    keras.config.set_dtype_policy(policy)
    try:
        networks = (
            ks.models.oasis_generator(CLASSES, SIZE, 1, noise_channels=4, num_blocks=2, hidden_channels=4),
            ks.models.oasis_discriminator(CLASSES, SIZE, channels=(4,), final_channels=4),
        )
        if set_back:
            keras.config.set_dtype_policy("float32")
        with pytest.raises(ValueError, match=rf"is of {policy}, but training is in float32 or mixed_bfloat16"):
            ks.OASIS(CLASSES, SIZE, None, *networks).compile()
    finally:
        keras.config.set_dtype_policy("float32")


@pytest.mark.parametrize(
    "build",
    [
        lambda: tiny_oasis(),
        lambda: ks.models.unet_segmenter(CLASSES, SIZE, (4,), 4),
        lambda: ks.models.multiscale_discriminator(CLASSES, (32, 64), base_channels=4, num_layers=3),
        lambda: ks.models.wavelet_discriminator(SIZE, {4: 4, 8: 4, 32: 4}),
        lambda: ks.models.spade_encoder((32, 64), base_channels=1, latent_channels=3),
        lambda: ks.models.vgg16_features(weights=None),
        lambda: ks.models.alexnet_features(weights=None),
        lambda: ks.models.efficientnet_lite0_features(weights=None),
        lambda: ks.models.FrozenFeatures(weights=None),
        lambda: ks.metrics.LPIPS(weights=None),
    ],
)
def test_channels_first_is_refused_in_a_sentence(build):
    keras.config.set_image_data_format("channels_first")
    try:
        with pytest.raises(ValueError, match=r"call keras.config.set_image_data_format\(\"channels_last\"\)"):
            build()
    finally:
        keras.config.set_image_data_format("channels_last")


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="of TensorFlow")
def test_a_strategy_of_tensorflow_is_refused_in_a_sentence():
    import tensorflow as tf

    refused = pytest.raises(ValueError, match=r"MirroredStrategy of tf\.distribute is not supported")
    with tf.distribute.MirroredStrategy(["CPU:0"]).scope(), refused:
        tiny_oasis()
