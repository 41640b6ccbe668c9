import keras
import numpy as np
import pytest
from keras import ops

from keras_semisis.losses import FeatureMatchingLoss, LPIPSLoss, PerceptualLoss
from tests.losses.gradients import value_and_gradients

RNG = np.random.default_rng(0)
REAL, FAKE = (RNG.uniform(-1, 1, (2, 8, 8, 3)).astype("float32") for _ in range(2))


def feature_model(count):
    image = keras.Input((8, 8, 3))
    return keras.Model(image, [keras.layers.Rescaling(i + 1.0)(image) for i in range(count)])


@pytest.mark.parametrize(
    ("count", "weights", "total"),
    [
        (5, None, 1 / 32 + 2 / 16 + 3 / 8 + 4 / 4 + 5),
        (2, None, 1 + 2),
        (1, None, 1),
        (2, (0.5, 0.25), 0.5 + 0.5),
    ],
)
def test_weights(count, weights, total):
    """Feature i is (i + 1) · image, so that its L1 distance is (i + 1) times that of the images."""
    loss = PerceptualLoss(feature_model(count), weights)
    assert float(loss(REAL, FAKE)) == pytest.approx(total * np.abs(REAL - FAKE).mean(), rel=1e-5)


def test_a_wrong_number_of_weights_is_refused():
    with pytest.raises(ValueError, match="2 weights for 3 features"):
        PerceptualLoss(feature_model(3), (1.0, 1.0))


def test_only_the_generated_side_gets_a_gradient():
    value, (real, fake) = value_and_gradients(PerceptualLoss(feature_model(2)), REAL, FAKE)
    assert value > 0
    np.testing.assert_array_equal(real, 0)
    np.testing.assert_allclose(fake, 3 * np.sign(FAKE - REAL) / FAKE.size, rtol=1e-5)


def test_feature_matching_gives_no_gradient_to_the_real_side():
    def loss(real, fake):
        return FeatureMatchingLoss()([real, 2 * real], [fake, 2 * fake])

    _, (real, fake) = value_and_gradients(loss, REAL, FAKE)
    np.testing.assert_array_equal(real, 0)
    np.testing.assert_allclose(fake, 2 * (1 + 4) * (FAKE - REAL) / FAKE.size, rtol=1e-4, atol=1e-8)


def test_losses_are_float32_for_bfloat16_features():
    real, fake = ops.cast(REAL, "bfloat16"), ops.cast(FAKE, "bfloat16")
    loss = FeatureMatchingLoss()([real], [fake])
    expected = np.square(ops.convert_to_numpy(ops.cast(real, "float32")) - ops.convert_to_numpy(ops.cast(fake, "float32")))
    assert keras.backend.standardize_dtype(loss.dtype) == "float32"
    assert float(loss) == pytest.approx(expected.mean(), rel=1e-5)
    image = keras.Input((8, 8, 3))
    loss = LPIPSLoss(keras.Model(image, [keras.layers.Identity(dtype="bfloat16")(image) for _ in range(2)]))(REAL, FAKE)
    assert keras.backend.standardize_dtype(loss.dtype) == "float32"
    assert float(loss) == pytest.approx(6 * expected.mean(), rel=1e-5)
