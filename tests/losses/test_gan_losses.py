"""The losses of SPADE and pix2pixHD against the values of the published programs."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_semisis.losses.cross_entropy_gan import CrossEntropyGANLoss
from keras_semisis.losses.feature_matching import FeatureMatchingLoss
from keras_semisis.losses.hinge import HingeLoss
from keras_semisis.losses.kl_divergence import KLDivergenceLoss
from keras_semisis.losses.least_squares import LeastSquaresLoss
from keras_semisis.losses.wasserstein import WassersteinLoss
from tests.conftest import needs_shared
from tests.losses.gradients import value_and_gradients
from tests.models.reference import Reference, assert_close

LOSSES = {
    "hinge": (HingeLoss(), HingeLoss(generator=True)),
    "ls": (LeastSquaresLoss(),) * 2,
    "original": (CrossEntropyGANLoss(),) * 2,
    "w": (WassersteinLoss(),) * 2,
}


@pytest.fixture(scope="module")
def discriminator():
    return Reference("spade_multiscale_discriminator")


def layers(reference, mode, last):
    """For the generated and the real image, the outputs of each scale: the predictions, or all layers before them."""

    def outputs(k, part):
        names = [f"d{k}_layer4_{mode}"] if last else [f"d{k}_layer{i}_{mode}" for i in range(4)]
        arrays = [np.moveaxis(reference.output(name)[part], 1, -1) for name in names]
        return arrays[0] if last else arrays

    return [[outputs(k, part) for k in (0, 1)] for part in (slice(0, 1), slice(1, 2))]


@pytest.mark.parametrize("mode", ["eval", "train"])
@pytest.mark.parametrize("name", LOSSES)
def test_adversarial_losses_on_two_scales(discriminator, name, mode):
    fake, real = layers(discriminator, mode, last=True)
    of_discriminator, of_generator = LOSSES[name]
    for value, term in (
        (of_discriminator(1, real), "D_real"),
        (of_discriminator(0, fake), "D_fake"),
        (of_generator(1, fake), "G"),
    ):
        reference = discriminator.output(f"gan_{name}_{term}_{mode}")
        assert float(value) == pytest.approx(float(reference[0]), rel=1e-5), term


@pytest.mark.parametrize(
    ("name", "loss"), [("lsgan", LeastSquaresLoss()), ("vanilla", CrossEntropyGANLoss()), ("wgangp", WassersteinLoss())]
)
def test_adversarial_losses_on_one_scale(name, loss):
    reference = Reference("losses")
    for target, side in ((1, "real"), (0, "fake")):
        value = float(loss(target, reference.image("pred")))
        assert value == pytest.approx(float(reference.output(f"gan_{name}_{side}")), rel=1e-5)


@pytest.mark.parametrize(
    ("loss", "target", "slope"),
    [
        (HingeLoss(), 1, lambda p: -1 * (p < 1)),
        (HingeLoss(), 0, lambda p: 1 * (p > -1)),
        (HingeLoss(generator=True), 1, lambda p: 0 * p - 1),
        (LeastSquaresLoss(), 1, lambda p: 2 * (p - 1)),
        (LeastSquaresLoss(), 0, lambda p: 2 * p),
        (CrossEntropyGANLoss(), 1, lambda p: 1 / (1 + np.exp(-p)) - 1),
        (CrossEntropyGANLoss(), 0, lambda p: 1 / (1 + np.exp(-p))),
        (WassersteinLoss(), 1, lambda p: 0 * p - 1),
        (WassersteinLoss(), 0, lambda p: 0 * p + 1),
    ],
)
def test_gradients_reach_every_scale_alike(loss, target, slope):
    random = np.random.default_rng(0)
    scales = [2 * random.standard_normal((2, n, n, 1)).astype("float32") for n in (4, 2)]
    _, gradients = value_and_gradients(lambda *x: loss(target, list(x)), *scales)
    for gradient, prediction in zip(gradients, scales, strict=True):
        assert_close(gradient, (slope(prediction) / (2 * prediction.size)).astype("float32"), 1e-5)


def test_the_generator_has_no_hinge_for_fake():
    with pytest.raises(ValueError, match="y_true=0 with generator=True"):
        HingeLoss(generator=True)(0, np.zeros((1, 2, 2, 1), "float32"))


@pytest.mark.parametrize("mode", ["eval", pytest.param("train", marks=needs_shared("reference"))])
def test_feature_matching(discriminator, mode):
    fake, real = layers(discriminator, mode, last=False)
    expected = float(discriminator.output(f"gan_feat_{mode}"))
    loss = FeatureMatchingLoss(distance="l1")
    assert 10 / 2 * float(loss(real, fake)) == pytest.approx(expected, rel=1e-5)
    flat = [keras.tree.flatten(side) for side in (real, fake)]
    assert len(flat[0]) == 8
    assert 10 / 2 * float(loss(*flat)) == pytest.approx(expected, rel=1e-5)


def test_feature_matching_refuses_other_distances():
    with pytest.raises(ValueError, match="distance='l3': expected one of 'l1', 'mse'"):
        FeatureMatchingLoss(distance="l3")


def test_kl_divergence():
    reference = Reference("spade_encoder")
    value = float(KLDivergenceLoss()(None, (reference.output("mu_eval"), reference.output("logvar_eval"))))
    assert value == pytest.approx(float(reference.output("kld_eval")), rel=1e-5)
    assert 0.05 * value == pytest.approx(float(reference.output("kld_x_lambda_eval")), rel=1e-5)


def test_kl_divergence_gradients():
    mu, logvar = np.random.default_rng(0).standard_normal((2, 3, 4)).astype("float32")
    _, gradients = value_and_gradients(lambda *style: KLDivergenceLoss()(None, style), mu, logvar)
    assert_close(gradients[0], mu, 1e-5)
    assert_close(gradients[1], (np.exp(logvar) - 1) / 2, 1e-5)
    with pytest.raises(ValueError, match=r"a pair \(mu, logvar\) is expected"):  # its form of an earlier version
        KLDivergenceLoss()(mu, logvar)


@pytest.mark.parametrize(
    "loss",
    [
        HingeLoss(generator=True, name="a"),
        LeastSquaresLoss(name="a"),
        CrossEntropyGANLoss(name="a"),
        WassersteinLoss(name="a"),
        KLDivergenceLoss(name="a"),
        FeatureMatchingLoss(distance="l1", name="a"),
    ],
)
def test_config_round_trip(loss):
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(loss))
    assert type(again) is type(loss)
    assert again.get_config() == loss.get_config()
    assert all(getattr(again, key) == getattr(loss, key) for key in loss.get_config())


def test_losses_are_float32_for_half_precision_predictions():
    prediction = ops.cast(np.full((1, 2, 2, 1), 300.0), "float16")
    assert float(LeastSquaresLoss()(0, prediction)) == 90000.0
