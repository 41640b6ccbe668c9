"""Precision and recall against loops over all pairs, and cases that are known."""

import sys

import numpy as np
import pytest

from keras_semisis.metrics import Features, KernelInceptionDistance, PrecisionRecall, precision_recall
from tests.metrics.test_frechet import color_features, images, labels


def brute_force(real, generated, k):
    def distance(a, b):
        return sum((float(p) - float(q)) ** 2 for p, q in zip(a, b, strict=True)) ** 0.5

    def share(points, sample):
        radii = [sorted(distance(a, b) for j, b in enumerate(sample) if j != i)[k - 1] for i, a in enumerate(sample)]
        return np.mean([any(distance(p, s) <= r for s, r in zip(sample, radii, strict=True)) for p in points])

    return share(generated, real), share(real, generated)


@pytest.mark.parametrize("k", [1, 3, 5])
@pytest.mark.parametrize("n, m, offset", [(30, 30, 0.0), (12, 40, 1.0), (25, 12, 100.0)])
def test_agrees_with_loops(k, n, m, offset):
    random = np.random.default_rng(n)
    real, generated = random.normal(size=(n, 3)) + offset, random.normal(size=(m, 3)) * 1.5 + offset
    found = precision_recall(real.astype("float32"), generated.astype("float32"), k)
    assert found == brute_force(real.astype("float32"), generated.astype("float32"), k)
    # neither everything nor nothing, so that the comparison says something
    assert any(0 < value < 1 for value in found)


def test_blocks_do_not_matter(monkeypatch):
    random = np.random.default_rng(0)
    real, generated = random.normal(size=(50, 4)), random.normal(size=(41, 4))
    whole = precision_recall(real, generated)
    # the module, whose name the package gives to its function
    monkeypatch.setattr(sys.modules["keras_semisis.metrics.precision_and_recall"], "_BLOCK", 7)
    assert precision_recall(real, generated) == whole


def test_known_cases():
    random = np.random.default_rng(1)
    sample = random.normal(size=(20, 5))
    assert precision_recall(sample, sample.copy()) == (1.0, 1.0)
    assert precision_recall(np.repeat(sample[:1], 9, axis=0), np.repeat(sample[:1], 9, axis=0)) == (1.0, 1.0)
    assert precision_recall(sample, sample + 1000.0) == (0.0, 0.0)
    # one mode of two: everything generated is real, half of what is real is generated
    modes = np.concatenate([sample, sample + 1000.0])
    assert precision_recall(modes, sample) == (1.0, 0.5)


def test_metric_merges_and_compares_training_images():
    real, generated, training = images(20, 0), images(20, 1, 0.1), images(30, 2)
    features = Features(color_features)
    baseline = [(training[i : i + 7], labels(7)) for i in range(0, 30, 7)]
    parts = [PrecisionRecall(features, baseline) for _ in range(2)]
    parts[0].update_state(labels(8), real[:8], generated[:8])
    parts[1].update_state(labels(12), real[8:], generated[8:])
    parts[0].merge_state(parts[1:])
    vectors = [color_features(x).astype("float32") for x in (real, generated, training[:20])]
    expected = (*brute_force(vectors[0], vectors[1], 3), *brute_force(vectors[0], vectors[2], 3))
    assert tuple(parts[0].result().values()) == expected
    assert list(parts[0].result()) == ["precision", "recall", "precision_real", "recall_real"]
    parts[0].reset_state()
    with pytest.raises(ValueError, match="no images"):
        parts[0].result()


@pytest.mark.parametrize("count", [3, 19])
def test_a_too_small_baseline_leaves_its_shares_out(count):
    metric = PrecisionRecall(color_features, [(images(count, 2), labels(count))])
    metric.update_state(labels(20), images(20, 0), images(20, 1, 0.1))
    with pytest.warns(UserWarning, match=f"recall_real are left out, because the baseline has {count} images and 20 were"):
        assert list(metric.result()) == ["precision", "recall"]
    kept = PrecisionRecall(color_features, [(images(19, 2), labels(19))], kept_images=19)
    kept.update_state(labels(20), images(20, 0), images(20, 1, 0.1))
    assert "recall_real" in kept.result()


@pytest.mark.parametrize(
    "real, generated, message",
    [
        (np.zeros((3, 2)), np.zeros((9, 2)), r"real: 3 nearest neighbors need at least 4 vectors"),
        (np.zeros((9, 2)), np.zeros((3, 2)), "generated: 3 nearest"),
        (np.zeros((9, 2)), np.zeros((9, 4)), "generated: expected 2 features, found 4"),
        (np.zeros((9, 2)), np.full((9, 2), np.nan), "generated: found values that are not finite"),
    ],
)
def test_bad_features_are_refused(real, generated, message):
    with pytest.raises(ValueError, match=message):
        precision_recall(real, generated)


def test_no_neighbors_are_refused():
    """Each image would be as near as itself."""
    with pytest.raises(ValueError, match="neighbors=0: expected 1 or more"):
        precision_recall(np.zeros((9, 2)), np.ones((9, 2)), 0)
    with pytest.raises(ValueError, match="neighbors=-1"):
        PrecisionRecall(lambda images: images, neighbors=-1)


def test_standard_error_of_the_kernel_distance_is_that_of_repeated_experiments():
    """Subsets overlap: s/√subsets would be several times too small. 60 experiments: the ratio is known to about a tenth."""
    random = np.random.default_rng(3)
    found = []
    for _ in range(60):
        metric = KernelInceptionDistance(lambda batch: batch.reshape(len(batch), -1), subset_size=15, subsets=40)
        real = random.uniform(-1, 0.4, (60, 1, 1, 3)).astype("float32")
        generated = random.uniform(-0.2, 1, (60, 1, 1, 3)).astype("float32")
        metric.update_state(np.zeros((60, 1, 1), int), real, generated)
        found.append(metric.result())
    spread = np.std([scores["kid"] for scores in found], ddof=1)
    assert 0.6 < np.mean([scores["kid_se"] for scores in found]) / spread < 1.5
    assert np.mean([scores["kid_std"] for scores in found]) / np.sqrt(40) < 0.5 * spread
