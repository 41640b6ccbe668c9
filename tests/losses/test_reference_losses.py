"""Values and gradients of the published programs' losses."""

import numpy as np
import pytest
from keras import ops

from keras_semisis.losses import (
    FakeLoss,
    FeatureMatchingLoss,
    LabelMixLoss,
    NonSaturatingLoss,
    SegmentationLoss,
    class_balance,
    r1_penalty,
)
from tests.losses.gradients import value_and_gradients
from tests.models.reference import Reference, assert_close, channels_last


@pytest.fixture(scope="module")
def reference():
    return Reference("losses")


def label_map(reference):
    """Class 5 of the seven is absent."""
    return reference.input("label").astype("int32")


@pytest.mark.parametrize(("case", "ignore_class"), [("dc0", None), ("dc1", 0)])
def test_weight_map(reference, case, ignore_class):
    labels = label_map(reference)
    weights = ops.convert_to_numpy(class_balance(labels, 7, ignore_class))
    assert_close(weights[labels][..., None], channels_last(reference.output(f"weight_map_{case}")), 1e-6)
    assert weights[5] == 0


@pytest.mark.parametrize(
    ("case", "loss"),
    [
        ("dc0", SegmentationLoss()),
        ("dc1", SegmentationLoss(ignore_class=0)),
        ("dc0_nobal", SegmentationLoss(class_balancing=False)),
        # the published program does not leave don't-care out where it does not balance
        ("dc1_nobal", SegmentationLoss(class_balancing=False)),
    ],
)
@pytest.mark.parametrize("dtype", ["uint8", "int32", "int64"])
def test_segmentation_loss(reference, case, loss, dtype):
    labels = label_map(reference).astype(dtype)
    value, (gradient,) = value_and_gradients(lambda x: loss(labels, x), reference.image("logits"))
    assert value == pytest.approx(float(reference.output(f"loss_real_{case}")), rel=1e-6)
    assert_close(gradient, channels_last(reference.output(f"grad_logits_real_{case}")), 1e-5)


@pytest.mark.parametrize("case", ["dc0", "dc1", "dc0_nobal", "dc1_nobal"])
def test_fake_loss(reference, case):
    labels = label_map(reference)
    value, (gradient,) = value_and_gradients(lambda x: FakeLoss()(labels, x), reference.image("logits"))
    assert value == pytest.approx(float(reference.output(f"loss_fake_{case}")), rel=1e-6)
    assert_close(gradient, channels_last(reference.output(f"grad_logits_fake_{case}")), 1e-5)


def test_label_mix_loss(reference):
    mask = channels_last(reference.input("mask"))
    real, fake, mixed = (reference.image(f"logits_{name}") for name in ("real", "fake", "mixed"))
    loss = LabelMixLoss()
    value, gradients = value_and_gradients(lambda *x: loss((ops.convert_to_tensor(mask), x[0], x[1]), x[2]), real, fake, mixed)
    assert value == pytest.approx(float(reference.output("labelmix_loss")), rel=1e-6)
    # no side is held fixed
    difference = 2 * (mask * real + (1 - mask) * fake - mixed) / mixed.size
    for gradient, factor in zip(gradients, (mask, 1 - mask, -1.0), strict=True):
        assert_close(gradient, (difference * factor).astype("float32"), 1e-5)


def test_non_saturating_loss(reference):
    """The published program averages per image first, all images being of one size."""
    logits = reference.image("pred").reshape(-1, 1)
    for target, name in ((1, "real"), (0, "fake")):
        value, (gradient,) = value_and_gradients(lambda x, t=target: NonSaturatingLoss()(t, x), logits)
        assert value == pytest.approx(float(reference.output(f"gan_nonsaturating_{name}").mean()), rel=1e-6)
        sigmoid = 1 / (1 + np.exp(-logits))
        assert_close(gradient, ((sigmoid - target) / logits.size).astype("float32"), 1e-5)


def test_r1_penalty(reference):
    """Averaged over the two images, not the eight tiles that this discriminator cuts them into."""
    value = float(r1_penalty(channels_last(reference.output("r1_grad_image"))))
    assert value == pytest.approx(float(reference.output("r1")), rel=1e-5)


def test_feature_matching(reference):
    real, fake = ([reference.image(f"fm_{side}{i}") for i in range(3)] for side in "ab")
    assert float(FeatureMatchingLoss()(real, fake)) == pytest.approx(float(reference.output("fm_mse_sum")), rel=1e-6)
    for i in range(3):
        value = float(FeatureMatchingLoss()([real[i]], [fake[i]]))
        assert value == pytest.approx(float(reference.output(f"fm_mse{i}")), rel=1e-6)
