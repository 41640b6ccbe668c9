"""Mean IoU against loops over pixels."""

import keras
import numpy as np
import pytest

from keras_semisis.metrics import GeneratedMeanIoU, iou_from_confusion

COLORS = np.random.default_rng(7).uniform(-1, 1, (6, 3)).astype("float32")


def paint(label_maps):
    return COLORS[label_maps]


def logits_of(images):
    """Logits of six classes: minus the distance to each class's color."""
    return -np.square(images[..., None, :] - COLORS).sum(axis=-1)


def answers_of(images):
    return logits_of(images).argmax(axis=-1)


def random_maps(seed, ids, shape=(3, 8, 9)):
    return np.random.default_rng(seed).choice(ids, shape)


def brute_force(labels, answers, classes, ignored=None):
    """IoU by sets of pixels, class by class; None where the class occurs nowhere."""
    scores = {}
    for c in range(classes):
        if c == ignored:
            continue
        labeled = {i for i, y in np.ndenumerate(labels) if y == c}
        answered = {i for i, y in np.ndenumerate(answers) if y == c and labels[i] != ignored}
        if labeled | answered:
            scores[c] = len(labeled & answered) / len(labeled | answered)
    return scores


def check(result, per_class, name, scores):
    np.testing.assert_allclose(result[name], np.mean(list(scores.values())), rtol=1e-12)
    for c, value in enumerate(per_class[name]):
        assert value == pytest.approx(scores[c]) if c in scores else np.isnan(value)


def test_agrees_with_sets_of_pixels_and_leaves_absent_classes_out():
    labels = random_maps(0, [0, 1, 2, 4])
    shown, real = random_maps(1, [0, 1, 2, 5]), np.where(random_maps(2, [0, 1]), labels, 2)
    metric = GeneratedMeanIoU(logits_of)
    metric.update_state(labels, paint(real), paint(shown))
    assert set(metric.result()) == {"miou", "miou_real"}
    check(metric.result(), metric.per_class(), "miou", brute_force(labels, shown, 6))
    check(metric.result(), metric.per_class(), "miou_real", brute_force(labels, real, 6))
    assert np.isnan(metric.per_class()["miou"][3])
    assert metric.per_class()["miou"][5] == 0


@pytest.mark.parametrize("dtype", ["uint8", "int32", "int64"])
def test_dont_care_is_neither_counted_nor_answered(dtype):
    labels = random_maps(3, [0, 1, 2, 3]).astype(dtype)
    shown = random_maps(4, [0, 1, 2, 3])
    masked = logits_of(paint(shown))
    masked[..., 0] = -np.inf
    answers = masked.argmax(axis=-1)
    assert (answers != shown).any()
    metric = GeneratedMeanIoU(logits_of, ignore_class=0)
    metric.update_state(labels, paint(labels), paint(shown))
    check(metric.result(), metric.per_class(), "miou", brute_force(labels, answers, 6, ignored=0))
    assert metric.result()["miou_real"] == 1.0


def test_answered_dont_care_of_a_label_map_segmenter_is_a_miss():
    labels = random_maps(5, [0, 1, 2, 3])
    shown = random_maps(6, [0, 1, 2, 3])
    metric = GeneratedMeanIoU(answers_of, ignore_class=0, num_classes=6)
    metric.update_state(labels, paint(labels), paint(shown))
    check(metric.result(), metric.per_class(), "miou", brute_force(labels, shown, 6, ignored=0))


def test_dont_care_outside_the_classes():
    labels = random_maps(7, [0, 1, 2, 255]).astype("uint8")
    shown = random_maps(8, [0, 1, 2])
    metric = GeneratedMeanIoU(logits_of, ignore_class=255)
    metric.update_state(labels, paint(shown), paint(shown))
    check(metric.result(), metric.per_class(), "miou", brute_force(labels, shown, 6, ignored=255))


def test_batches_and_merging_equal_one_batch():
    labels, shown = random_maps(9, range(6), (10, 4, 4)), random_maps(10, range(6), (10, 4, 4))
    whole, parts = GeneratedMeanIoU(logits_of), [GeneratedMeanIoU(logits_of) for _ in range(3)]
    whole.update_state(labels, paint(labels), paint(shown))
    parts[1].update_state(labels[:3], paint(labels[:3]), paint(shown[:3]))
    parts[2].update_state(labels[3:8], paint(labels[3:8]), paint(shown[3:8]))
    parts[2].update_state(labels[8:], paint(labels[8:]), paint(shown[8:]))
    parts[0].merge_state(parts[1:])
    assert parts[0].result() == whole.result()
    np.testing.assert_array_equal(parts[0].confusion, whole.confusion)
    assert whole.confusion.dtype == np.int64 and whole.confusion.sum() == labels.size
    whole.reset_state()
    with pytest.raises(ValueError, match="no labeled pixel"):
        whole.result()


def test_keras_model_and_backend_tensors():
    image = keras.Input((None, None, 3))
    convolution = keras.layers.Conv2D(6, 1, name="to_logits")
    model = keras.Model(image, convolution(image))
    # -|x - c|² less the part that is the same for every class
    convolution.set_weights([2 * COLORS.T[None, None], -np.square(COLORS).sum(axis=1)])
    labels, shown = random_maps(11, range(6)), random_maps(12, range(6))
    metric, expected = GeneratedMeanIoU(model), GeneratedMeanIoU(logits_of)
    metric.update_state(*(keras.ops.convert_to_tensor(x) for x in (labels.astype("int32"), paint(labels), paint(shown))))
    expected.update_state(labels, paint(labels), paint(shown))
    assert metric.result() == expected.result()


def test_channels_one_less_than_classes_are_refused():
    """Channel c of published segmenters is class c + 1: perfect answers would score next to nothing."""
    labels, images = np.arange(1, 101).reshape(1, 10, 10), np.zeros((1, 10, 10, 3), "float32")
    for channels in (150, 182):

        def perfect(_, channels=channels):
            return np.eye(channels)[labels - 1]

        for num_classes in (None, channels + 1):
            with pytest.raises(ValueError, match=r"channel c is class c \+ 1, as .* evaluate_protocol"):
                GeneratedMeanIoU(perfect, 0, num_classes).update_state(labels, images, images)
        metric = GeneratedMeanIoU(perfect, 255)
        metric.update_state(labels - 1, images, images)
        assert metric.result()["miou"] == 1.0
        GeneratedMeanIoU(perfect, 0, channels).update_state(labels, images, images)


def test_logits_that_are_no_numbers_are_refused():
    """Their arg max is class 0."""
    labels = np.zeros((1, 4, 4), int)
    metric = GeneratedMeanIoU(lambda images: np.full((1, 4, 4, 3), np.nan))
    with pytest.raises(ValueError, match="not a number; check its weights"):
        metric.update_state(labels, np.zeros((1, 4, 4, 3)), np.zeros((1, 4, 4, 3)))


def test_errors_name_what_was_found():
    labels = random_maps(13, range(6))
    with pytest.raises(ValueError, match=r"label_maps: found the ids \[7\]"):
        GeneratedMeanIoU(logits_of).update_state(np.where(labels == 5, 7, labels), paint(labels), paint(labels))
    with pytest.raises(ValueError, match=r"answers: found the ids \[4, 5\]"):
        GeneratedMeanIoU(answers_of, num_classes=4).update_state(labels % 4, paint(labels), paint(labels))
    with pytest.raises(ValueError, match="num_classes"):
        GeneratedMeanIoU(answers_of).update_state(labels, paint(labels), paint(labels))
    with pytest.raises(ValueError, match="one size"):
        GeneratedMeanIoU(logits_of).update_state(labels[:, ::2], paint(labels), paint(labels))
    with pytest.raises(ValueError, match="label_maps: expected integers"):
        GeneratedMeanIoU(logits_of).update_state(labels.astype("float32"), paint(labels), paint(labels))
    with pytest.raises(ValueError, match="expected logits"):
        GeneratedMeanIoU(logits_of, num_classes=5).update_state(labels, paint(labels), paint(labels))
    with pytest.raises(ValueError, match="no labeled pixel"):
        metric = GeneratedMeanIoU(logits_of, ignore_class=0)
        metric.update_state(labels * 0, paint(labels), paint(labels))
        metric.result()
    with pytest.raises(ValueError, match="square"):
        iou_from_confusion(np.zeros((2, 3)))
