"""Noise that is found for a photo."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_semisis import models
from keras_semisis.gans import Sampler

SIZE, CLASSES, NOISE = (32, 32), 3, 4
LABEL_MAP = np.repeat(np.repeat(np.random.default_rng(0).integers(0, CLASSES, (4, 4)), 8, 0), 8, 1)


@pytest.fixture(scope="module")
def sampler():
    keras.utils.set_random_seed(0)
    generator = models.oasis_generator(CLASSES, SIZE, 2, noise_channels=NOISE, num_blocks=3, hidden_channels=8)
    inputs = [ops.convert_to_tensor(np.stack([LABEL_MAP] * 2).astype("int32")), ops.ones((2, NOISE))]
    for _ in range(3):  # spectral norms and statistics settle
        generator(inputs, training=True)
    return Sampler(generator)


@pytest.fixture(scope="module")
def features():
    keras.utils.set_random_seed(1)
    image = keras.Input((None, None, 3))
    return keras.Model(image, [image, keras.layers.AveragePooling2D(4)(image)])


def test_the_noise_of_a_photo_is_found(sampler, features):
    photo = sampler.generate(LABEL_MAP, seed=7)
    weights = sampler.ema_generator.get_weights()
    found = sampler.invert(photo, LABEL_MAP, steps=25, learning_rate=0.2, seed=1, features=features)
    assert found.noise.shape == (*SIZE, NOISE) and found.noise.dtype == "float32"
    assert 0 < found.after < 0.5 * found.before and found.gained == 1 - found.after / found.before
    np.testing.assert_array_equal(sampler.generate(LABEL_MAP, noise=found.noise), found.photo)
    for before, after in zip(weights, sampler.ema_generator.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)
    # what is told is the distance of the images themselves
    for noise, told in (
        (np.broadcast_to(sampler.noise_of_seed(1), found.noise.shape), found.before),
        (found.noise, found.after),
    ):
        difference = sampler.generate_floats(LABEL_MAP[None], noise=noise[None]) - (photo[None] / np.float32(127.5) - 1)
        cells = difference.reshape(1, 8, 4, 8, 4, 3).mean((2, 4))
        expected = np.square(difference).sum(-1).mean() + np.square(cells).sum(-1).mean()
        assert told == pytest.approx(expected, rel=1e-3)


def test_without_a_step_nothing_is_found(sampler, features):
    found = sampler.invert(np.zeros((*SIZE, 3), "uint8"), LABEL_MAP, steps=0, features=features)
    assert found.gained == 0 and found.before == found.after
    np.testing.assert_array_equal(found.noise[3, 5], sampler.noise_of_seed(0)[0])


def test_of_all_noise_that_was_met_the_nearest_is_found(sampler, features):
    """It begins at the photo's own, and steps that are too large lead away."""
    found = sampler.invert(sampler.generate(LABEL_MAP, seed=3), LABEL_MAP, 2, learning_rate=5.0, seed=3, features=features)
    assert found.gained == 0 and found.after == found.before < 1e-3
    np.testing.assert_array_equal(found.noise[3, 5], sampler.noise_of_seed(3)[0])


def test_a_style_is_one_vector(features):
    generator = models.spade_generator(CLASSES, SIZE, 1, latent_channels=NOISE, hidden_channels=4)
    found = Sampler(generator).invert(np.zeros((*SIZE, 3), "uint8"), LABEL_MAP, steps=1, features=features)
    assert found.noise.shape == (NOISE,) and found.after <= found.before


def test_what_cannot_be_inverted_is_said(sampler, features):
    photo = np.zeros((*SIZE, 3), "uint8")
    for size, message in (((32, 36), "the photo is"), ((30, 32), "the photo is")):
        with pytest.raises(ValueError, match=message):
            sampler.invert(photo, np.zeros(size, "uint8"), features=features)
    with pytest.raises(ValueError, match=r"\(30, 30\) \(height, width\): expected multiples of 4"):
        sampler.invert(photo[:30, :30], LABEL_MAP[:30, :30], features=features)
    silent = Sampler(models.oasis_generator(CLASSES, SIZE, 1, noise_channels=0, num_blocks=2, hidden_channels=4))
    with pytest.raises(ValueError, match="takes no noise"):
        silent.invert(photo, LABEL_MAP, features=features)
