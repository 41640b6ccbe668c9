import numpy as np
import pytest
from keras import ops

from keras_semisis.losses import BalancedCrossEntropy, CycleLoss, FakeLoss, SegmentationLoss, class_balance
from tests.losses.gradients import value_and_gradients

RNG = np.random.default_rng(0)
LOGITS = RNG.standard_normal((2, 5, 6, 4)).astype("float32")
LABELS = RNG.integers(0, 3, (2, 5, 6)).astype("int32")


def log_softmax(x):
    x = x.astype("float64")
    return x - np.log(np.exp(x).sum(-1, keepdims=True))


@pytest.mark.parametrize("loss", [SegmentationLoss(255), CycleLoss(255), BalancedCrossEntropy(255), BalancedCrossEntropy(-1)])
def test_a_dont_care_id_that_is_no_class_is_refused(loss):
    channels = 3 if isinstance(loss, BalancedCrossEntropy) else 4
    with pytest.raises(ValueError, match=r"ignore_class=(255|-1) is none of the 3 classes of the logits"):
        loss(np.zeros((1, 2, 2), "int32"), np.zeros((1, 2, 2, channels), "float32"))


@pytest.mark.parametrize("loss", [SegmentationLoss(2), CycleLoss(2), FakeLoss(), BalancedCrossEntropy(2)])
def test_a_last_axis_of_1_is_dropped_and_other_ranks_are_refused(loss):
    for batch in (1, 5):  # at 5, as many as rows, all could be broadcast
        labels = RNG.integers(0, 3, (batch, 5, 5))
        logits = RNG.standard_normal((batch, 5, 5, 4)).astype("float32")
        assert float(loss(labels[..., None], logits)) == float(loss(labels, logits))
        for wrong in (np.eye(4)[labels], labels[0], labels[..., None, None]):
            with pytest.raises(ValueError, match=r"label map of the shape .* expected an id for each pixel, \(B, H, W\)"):
                loss(wrong, logits)


def balanced_cross_entropy(label_map, log_probability, ignore_class):
    """By a loop over the pixels, as the paper's eq. 1 reads."""
    classes = [c for c in np.unique(label_map) if c != ignore_class]
    total = 0.0
    for index in np.ndindex(*label_map.shape):
        c = label_map[index]
        if c != ignore_class:
            alpha = label_map.size / (len(classes) * (label_map == c).sum())
            total -= alpha * log_probability[(*index, c)]
    return total / label_map.size


@pytest.mark.parametrize("ignore_class", [None, 0, 2])
def test_segmentation_loss_equals_its_equation(ignore_class):
    expected = balanced_cross_entropy(LABELS, log_softmax(LOGITS)[..., 1:], ignore_class)
    assert float(SegmentationLoss(ignore_class)(LABELS, LOGITS)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("gamma", [1.0, 2.0, 2.5])
def test_focal_weights_equal_their_equation(gamma):
    log_probability = log_softmax(LOGITS)
    focused = log_probability * (1 - np.exp(log_probability)) ** gamma
    loss = SegmentationLoss(2, focal_gamma=gamma)
    value, (gradient,) = value_and_gradients(lambda x: loss(LABELS, x), LOGITS)
    assert value == pytest.approx(balanced_cross_entropy(LABELS, focused[..., 1:], 2), rel=1e-5)
    assert np.isfinite(gradient).all() and vars(SegmentationLoss(**loss.get_config()))["focal_gamma"] == gamma
    told = np.zeros_like(LOGITS)
    np.put_along_axis(told, LABELS[..., None] + 1, 200.0, -1)
    value, (gradient,) = value_and_gradients(lambda x: loss(LABELS, x), told)
    assert value == 0 and np.isfinite(gradient).all()


@pytest.mark.parametrize("gamma", [-1.0, 0.5, np.nan])
def test_focal_weights_without_a_gradient_are_refused(gamma):
    with pytest.raises(ValueError, match=f"focal_gamma={gamma} is neither 0 nor at least 1"):
        SegmentationLoss(focal_gamma=gamma)


@pytest.mark.parametrize("ignore_class", [None, 0, 2])
def test_cycle_loss_leaves_the_fake_class_out_of_the_softmax(ignore_class):
    expected = balanced_cross_entropy(LABELS, log_softmax(LOGITS[..., 1:]), ignore_class)
    value, (gradient,) = value_and_gradients(lambda x: CycleLoss(ignore_class)(LABELS, x), LOGITS)
    assert value == pytest.approx(expected, rel=1e-5)
    np.testing.assert_array_equal(gradient[..., 0], 0)
    assert np.abs(gradient[..., 1:]).max() > 0


@pytest.mark.parametrize("loss", [SegmentationLoss, CycleLoss])
@pytest.mark.parametrize("class_balancing", [True, False])
def test_a_batch_of_nothing_but_dont_care_is_0_with_gradient_0(loss, class_balancing):
    labels = np.full((2, 5, 6), 1, "int32")
    value, (gradient,) = value_and_gradients(lambda x: loss(1, class_balancing)(labels, x), LOGITS)
    assert value == 0
    np.testing.assert_array_equal(gradient, 0)


@pytest.mark.parametrize("loss", [SegmentationLoss, CycleLoss])
@pytest.mark.parametrize("present", [[0], [0, 2], [2]])
def test_absent_classes_leave_value_and_gradient_finite(loss, present):
    labels = np.resize(present, (2, 5, 6)).astype("int32")
    value, (gradient,) = value_and_gradients(lambda x: loss(ignore_class=1)(labels, x), LOGITS)
    assert np.isfinite(value) and value > 0
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize("ignore_class", [None, 0, 2])
def test_the_mean_weight_over_all_pixels_is_1(ignore_class):
    weights = ops.convert_to_numpy(class_balance(LABELS, 5, ignore_class))
    assert weights[LABELS].mean() == pytest.approx(1, rel=1e-5)
    assert weights[3:].tolist() == [0, 0]


@pytest.mark.parametrize("dtype", ["uint8", "int64"])
def test_label_maps_of_any_integer_dtype(dtype):
    """255 classes: label + 1 must not wrap around in uint8."""
    labels = RNG.integers(250, 256, (1, 3, 3))
    logits = RNG.standard_normal((1, 3, 3, 257)).astype("float32")
    for loss in (SegmentationLoss(), CycleLoss(), FakeLoss()):
        assert float(loss(labels.astype(dtype), logits)) == float(loss(labels.astype("int32"), logits))
    expected = balanced_cross_entropy(labels, log_softmax(logits)[..., 1:], None)
    assert float(SegmentationLoss()(labels.astype(dtype), logits)) == pytest.approx(expected, rel=1e-5)


def test_fake_loss_equals_its_equation():
    assert float(FakeLoss()(LABELS, LOGITS)) == pytest.approx(-log_softmax(LOGITS)[..., 0].mean(), rel=1e-5)


@pytest.mark.parametrize("ignore_class", [None, 0, 2])
def test_the_loss_of_a_segmenter_equals_the_same_equation(ignore_class):
    expected = balanced_cross_entropy(LABELS, log_softmax(LOGITS[..., 1:]), ignore_class)
    assert float(BalancedCrossEntropy(ignore_class)(LABELS, LOGITS[..., 1:])) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("ignore_class", [None, 0, 2])
def test_without_balancing_every_pixel_but_those_of_dont_care_counts_alike(ignore_class):
    counted = np.ones(LABELS.shape) if ignore_class is None else LABELS != ignore_class
    for loss, answers in ((SegmentationLoss, log_softmax(LOGITS)[..., 1:]), (CycleLoss, log_softmax(LOGITS[..., 1:]))):
        entropy = -np.take_along_axis(answers, LABELS[..., None], -1)[..., 0]
        value = float(loss(ignore_class, class_balancing=False)(LABELS, LOGITS))
        assert value == pytest.approx((entropy * counted).mean(), rel=1e-5)
