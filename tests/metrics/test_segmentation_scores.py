"""Scores of a segmentation against loops over pixels and values worked out by hand."""

import numpy as np
import pytest

from keras_semisis.metrics import GeneratedSegmentationScores, segmentation_scores


def brute_force(labels, answers, num_classes, ignore_class=None):
    counted = labels != ignore_class
    labels, answers = labels[counted], answers[counted]
    ious, weights = {}, {}
    for c in range(num_classes):
        both, either = np.sum((labels == c) & (answers == c)), np.sum((labels == c) | (answers == c))
        if either and c != ignore_class:
            ious[c] = both / either
        weights[c] = np.mean(labels == c)
    return {
        "miou": np.mean(list(ious.values())),
        "fwiou": sum(weights[c] * iou for c, iou in ious.items()),
        "pixel_accuracy": np.mean(labels == answers),
    }


@pytest.mark.parametrize("ignore_class", [None, 2, 255])
def test_agrees_with_loops(ignore_class):
    random = np.random.default_rng(0)
    labels = random.choice([0, 1, 2, 3, 5, ignore_class if ignore_class is not None else 0], (3, 8, 9))
    answers = np.where(random.uniform(size=labels.shape) < 0.5, labels % 7, random.integers(0, 6, labels.shape))
    metric = GeneratedSegmentationScores(lambda images: images[..., 0].round().astype(int), ignore_class, num_classes=7)
    for part in (slice(0, 1), slice(1, 3)):
        for update, seen in ((metric.update_generated, answers), (metric.update_real, labels % 7)):
            metric.segmenter = lambda images, seen=seen[part]: seen
            update(labels[part], np.zeros((*labels[part].shape, 3), "float32"))
    found, expected = metric.result(), brute_force(labels, answers, 7, ignore_class)
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=1e-12)
        assert found[f"{name}_real"] == pytest.approx(brute_force(labels, labels % 7, 7, ignore_class)[name], rel=1e-12)
    assert metric.confusion.dtype == np.int64


def test_two_segmenters_by_their_names():
    labels, images = np.array([[[0, 1, 1, 1]]]), np.zeros((1, 1, 4, 3), "float32")
    scores = {}
    for name, shown in (("miou", labels), ("other", 1 - labels)):
        metric = GeneratedSegmentationScores(lambda images, shown=shown: shown, num_classes=2, name=name)
        metric.update_state(labels, images, images)
        scores |= metric.result()
    first, second = ("miou", "fwiou", "pixel_accuracy"), ("other", "other_fwiou", "other_pixel_accuracy")
    expected = dict.fromkeys(first, 1.0) | dict.fromkeys(second, 0.0)
    assert scores == expected | {f"{name}_real": value for name, value in expected.items()}


def test_by_hand():
    """Rows: 10 pixels of class 0, 6 answered so; 4 of class 1, all answered so; none of 2 and 3, but 1 answer of 2."""
    confusion = [[6, 3, 1, 0], [0, 4, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]
    ious = [6 / 10, 4 / 7, 0.0]
    union, labeled, everything = (segmentation_scores(confusion, mean_over=m) for m in ("union", "labelled", "all"))
    assert union["miou"] == pytest.approx(sum(ious) / 3)
    assert labeled["miou"] == pytest.approx(sum(ious[:2]) / 2)
    assert everything["miou"] == pytest.approx(sum(ious) / 4)
    for scores in (union, labeled, everything):
        assert scores["fwiou"] == pytest.approx(10 / 14 * 6 / 10 + 4 / 14 * 4 / 7)
        assert scores["pixel_accuracy"] == pytest.approx(10 / 14)


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="no labeled pixel"):
        segmentation_scores(np.zeros((3, 3), int))
    with pytest.raises(ValueError, match=r"mean_over='pixels': expected one of 'union'"):
        segmentation_scores(np.eye(3, dtype=int), mean_over="pixels")
    with pytest.raises(ValueError, match="square"):
        segmentation_scores(np.ones((2, 3), int))
