"""Details of wavelet coefficients at a gain of their own."""

import keras
import numpy as np
import pytest

from keras_semisis import layers, models


def image_of(generator):
    label_map = np.random.default_rng(0).integers(0, 3, (2, 16, 24))
    return keras.ops.convert_to_numpy(generator([label_map, np.ones((2, 4), "float32")], training=True))


def generator(**arguments):
    keras.utils.set_random_seed(0)
    return models.wavelet_spade_generator(3, (16, 24), 2, 4, num_blocks=3, hidden_channels=8, **arguments)


def test_ll_passes_and_the_details_are_multiplied():
    x = np.random.default_rng(0).standard_normal((2, 3, 4, 8)).astype("float32")
    found = keras.ops.convert_to_numpy(layers.DetailGain(0.25)(x))
    np.testing.assert_array_equal(found[..., :2], x[..., :2])
    np.testing.assert_allclose(found[..., 2:], x[..., 2:] / 4, rtol=1e-6)


def test_with_hardly_any_details_an_image_is_squares_of_one_color():
    squares = image_of(generator(detail_gain=1e-6)).reshape(2, 8, 2, 12, 2, 3)
    assert np.ptp(squares, axis=(2, 4)).max() < 1e-3
    assert np.ptp(squares, axis=(1, 3)).max() > 1e-2


def test_a_gain_adds_no_weights_and_a_generator_keeps_it_where_it_is_built_again():
    plain, made = generator(), generator(detail_gain=0.1)
    assert [v.shape for v in made.weights] == [v.shape for v in plain.weights]
    again = keras.Model.from_config(made.get_config())
    again.set_weights(made.get_weights())
    np.testing.assert_allclose(image_of(again), image_of(made), atol=1e-5)
    assert again.get_layer("body_1").detail_gain.gain == 0.1
    assert "detail_gain" not in [layer.name for layer in plain.layers]


@pytest.mark.parametrize("gain", [0.0, -0.1, 1.5])
def test_a_gain_outside_is_refused(gain):
    with pytest.raises(ValueError, match=rf"detail_gain={gain}.*\(0, 1\]"):
        generator(detail_gain=gain)


def test_a_block_makes_the_details_of_both_its_ways_quiet():
    x = np.random.default_rng(0).standard_normal((2, 4, 4, 8)).astype("float32")
    inputs = [x, np.random.default_rng(1).integers(0, 3, (2, 16, 16)).astype("int32")]
    plain, quiet = (layers.WaveletResidualBlock(12, 3, hidden_channels=4, upsample=False, detail_gain=g) for g in (1.0, 0.25))
    loud = plain(inputs)
    quiet(inputs)
    quiet.set_weights(plain.get_weights())
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(quiet(inputs)), keras.ops.convert_to_numpy(layers.DetailGain(0.25)(loud)), atol=1e-5
    )
