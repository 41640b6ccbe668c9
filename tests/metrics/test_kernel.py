"""The kernel distance against loops over all pairs, and its unbiasedness as a statistical test."""

import numpy as np
import pytest

from keras_semisis.metrics import (
    Features,
    FrechetInceptionDistance,
    KernelInceptionDistance,
    kernel_distance,
    kernel_estimate,
)
from tests.metrics.test_frechet import color_features, images, labels


def brute_force(x, y):
    def kernel(a, b):
        return (sum(float(p) * float(q) for p, q in zip(a, b, strict=True)) / len(a) + 1) ** 3

    n, m = len(x), len(y)
    within_x = sum(kernel(x[i], x[j]) for i in range(n) for j in range(n) if i != j) / (n * (n - 1))
    within_y = sum(kernel(y[i], y[j]) for i in range(m) for j in range(m) if i != j) / (m * (m - 1))
    across = sum(kernel(a, b) for a in x for b in y) / (n * m)
    return within_x + within_y - 2 * across


@pytest.mark.parametrize("n, m", [(2, 2), (7, 7), (5, 9)])
def test_agrees_with_loops(n, m):
    random = np.random.default_rng(n)
    x, y = random.normal(size=(n, 4)), random.normal(size=(m, 4)) + 0.5
    np.testing.assert_allclose(kernel_distance(x, y), brute_force(x, y), rtol=1e-12)


def test_unbiased_and_its_spread_is_as_stated():
    """Two-sided tests on means of 2,000 independent estimates; each fails by chance once in 15,000 (4 σ).

    The expectation for normal vectors in one dimension is known: with k = (xy + 1)³ and X ~ N(μ, 1),
    E k(X, Y) = E(X³)E(Y³) + 3 E(X²)E(Y²) + 3 E(X)E(Y) + 1.
    """
    random = np.random.default_rng(0)

    def moments(mean):
        return mean, mean**2 + 1, mean**3 + 3 * mean

    def expected_kernel(p, q):
        return p[2] * q[2] + 3 * p[1] * q[1] + 3 * p[0] * q[0] + 1

    for shift in (0.0, 0.5):
        p, q = moments(0.0), moments(shift)
        truth = expected_kernel(p, p) + expected_kernel(q, q) - 2 * expected_kernel(p, q)
        estimates = np.array(
            [kernel_distance(random.normal(size=(6, 1)), random.normal(size=(9, 1)) + shift) for _ in range(2000)]
        )
        error = estimates.std(ddof=1) / np.sqrt(len(estimates))
        assert abs(estimates.mean() - truth) < 4 * error
        # a biased estimate (diagonals included) would be found
        assert 4 * error < 15 / 6 * 0.5


def test_full_sample_form_and_its_standard_deviation():
    """The stated deviation is that of repeated experiments, within a quarter (both are estimates)."""
    random = np.random.default_rng(1)
    values, deviations = [], []
    for _ in range(150):
        metric = KernelInceptionDistance(lambda batch: batch.mean(axis=1).reshape(len(batch), -1)[:, :2])
        real = random.uniform(-1, 0.4, (30, 1, 1, 3)).astype("float32")
        generated = random.uniform(-0.2, 1, (30, 1, 1, 3)).astype("float32")
        metric.update_state(np.zeros((30, 1, 1), int), real, generated)
        result = metric.result()
        values.append(result["kid"])
        deviations.append(result["kid_std"])
    assert 0.75 < np.mean(deviations) / np.std(values, ddof=1) < 1.25


def test_metric_batches_merge_and_baseline():
    real, generated, training = images(30, 0), images(30, 1, 0.1), images(50, 2)
    baseline = [(training[i : i + 8], labels(8)) for i in range(0, 50, 8)]
    whole = KernelInceptionDistance(color_features, baseline)
    parts = [KernelInceptionDistance(color_features, baseline) for _ in range(2)]
    whole.update_state(labels(30), real, generated)
    parts[0].update_state(labels(11), real[:11], generated[:11])
    parts[1].update_state(labels(19), real[11:], generated[11:])
    parts[0].merge_state(parts[1:])
    features = [color_features(x) for x in (real, generated, training[:30])]
    for result in (whole.result(), parts[0].result()):
        assert set(result) == {"kid", "kid_std", "kid_se", "kid_real", "kid_se_real"}
        np.testing.assert_allclose(result["kid"], brute_force(features[0], features[1]), rtol=1e-4)
        np.testing.assert_allclose(result["kid_real"], brute_force(features[0], features[2]), rtol=1e-3, atol=1e-7)
    whole.reset_state()
    with pytest.raises(ValueError, match="at least 2 real images"):
        whole.result()


def test_subsets_are_drawn_by_the_seed_and_average_to_the_full_estimate():
    real, generated = images(60, 0), images(60, 1, 0.1)
    results = []
    for seed in (0, 0, 1):
        metric = KernelInceptionDistance(color_features, subset_size=20, subsets=400, seed=seed)
        metric.update_state(labels(60), real, generated)
        results.append(metric.result())
    assert results[0] == results[1] != results[2]
    full = kernel_distance(color_features(real), color_features(generated))
    # the mean of 400 subsets, each an unbiased estimate of the full one: 4 σ
    assert abs(results[0]["kid"] - full) < 4 * results[0]["kid_std"] / np.sqrt(400)
    assert results[0]["kid_std"] > 0


def test_shares_one_pass_with_the_frechet_distance():
    calls = []

    def extractor(batch):
        calls.append(1)
        return color_features(batch)

    features = Features(extractor)
    for metric in (FrechetInceptionDistance(features), KernelInceptionDistance(features)):
        metric.update_state(labels(14), images(14, 0), images(14, 1))
    assert len(calls) == 2


@pytest.mark.parametrize("arguments", [dict(subset_size=1), dict(subsets=1)])
def test_bad_subsets_are_refused(arguments):
    with pytest.raises(ValueError, match="at least 2"):
        KernelInceptionDistance(color_features, **arguments)


@pytest.mark.parametrize(
    "x, y, message",
    [
        (np.zeros((1, 4)), np.zeros((3, 4)), r"x: expected at least 2 vectors \(n, D\), found the shape \(1, 4\)"),
        (np.zeros((3, 4)), np.full((3, 4), np.inf), "y: found values that are not finite"),
        (np.zeros((3, 4)), np.zeros((3, 5)), "y: expected 4 features, found 5"),
    ],
)
def test_bad_features_are_refused(x, y, message):
    for function in (kernel_distance, kernel_estimate):
        with pytest.raises(ValueError, match=message):
            function(x, y)


def test_the_standard_error_of_subsets_is_that_of_repeated_experiments():
    """Subsets overlap: their number alone says nothing of how far another sample would lie."""
    random = np.random.default_rng(2)
    found = [
        kernel_estimate(random.normal(size=(60, 2)), random.normal(size=(60, 2)) + 0.7, subset_size=20, subsets=30)
        for _ in range(200)
    ]
    ratio = np.mean([estimate.standard_error for estimate in found]) / np.std([estimate.value for estimate in found], ddof=1)
    assert 0.75 < ratio < 1.25


def test_a_subset_has_no_image_twice():
    """Subsets that leave one of twenty out are as good as the whole; twice the same one would be a bias."""
    x, y = np.random.default_rng(3).normal(size=(2, 20, 2))
    found = kernel_estimate(x, y, subset_size=19, subsets=200)
    assert abs(found.value - kernel_distance(x, y)) < 4 * found.std / np.sqrt(200)
