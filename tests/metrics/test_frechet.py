"""Fréchet distance against SciPy's matrix root, the reference values, and its own streaming form."""

import warnings

import numpy as np
import pytest
import scipy.linalg

from keras_semisis.gans.validation import rehearse
from keras_semisis.metrics import (
    Features,
    FrechetInceptionDistance,
    frechet_distance,
    frechet_distance_of_features,
)
from keras_semisis.metrics.feature_statistics import FeatureStatistics
from keras_semisis.metrics.moments import Moments
from tests.models.reference import Reference


def color_features(images):
    """Twelve features: mean colors of the four quarters."""
    h, w = images.shape[1] // 2, images.shape[2] // 2
    quarters = [images[:, :h, :w], images[:, :h, w:], images[:, h:, :w], images[:, h:, w:]]
    return np.concatenate([quarter.mean(axis=(1, 2)) for quarter in quarters], axis=1)


def images(count, seed, shift=0.0):
    return np.random.default_rng(seed).uniform(-0.9, 0.8, (count, 4, 4, 3)).astype("float32") + np.float32(shift)


def labels(count):
    return np.zeros((count, 4, 4), np.uint8)


def scipy_distance(mean1, cov1, mean2, cov2):
    root = scipy.linalg.sqrtm(cov1 @ cov2)
    return np.sum((mean1 - mean2) ** 2) + np.trace(cov1 + cov2 - 2.0 * root.real)


def moments_of(features):
    return features.mean(axis=0), np.cov(features, rowvar=False)


@pytest.mark.parametrize("n1, n2", [(200, 300), (40, 300), (10, 12)])
def test_agrees_with_the_matrix_root(n1, n2):
    random = np.random.default_rng(0)
    mixing = random.normal(size=(24, 24))
    a, b = random.normal(size=(n1, 24)), random.normal(size=(n2, 24)) @ mixing + 0.5
    expected = scipy_distance(*moments_of(a), *moments_of(b))
    # the matrix root of a singular product is itself only good to about 1e-6
    tolerance = 1e-9 if min(n1, n2) > 24 else 1e-5
    np.testing.assert_allclose(frechet_distance(*moments_of(a), *moments_of(b)), expected, rtol=tolerance)
    np.testing.assert_allclose(frechet_distance_of_features(a, b), expected, rtol=tolerance)


def test_closed_form_of_commuting_covariances():
    mean1, mean2 = np.array([0.0, 1.0, 2.0]), np.array([1.0, 1.0, 0.0])
    d1, d2 = np.array([4.0, 0.0, 9.0]), np.array([1.0, 5.0, 0.0])
    rotation = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
    expected = 5.0 + np.sum((np.sqrt(d1) - np.sqrt(d2)) ** 2)
    cov1, cov2 = rotation.T * d1 @ rotation, rotation.T * d2 @ rotation
    np.testing.assert_allclose(frechet_distance(mean1, cov1, mean2, cov2), expected, rtol=1e-12)


def test_reference_values():
    data = Reference("frechet").arrays
    one, two, three = data["in/feat1"], data["in/feat2"], data["in/feat3_rank_deficient"]
    # the reference's matrix root of a singular product (1_3) is good to 1e-8 itself
    for a, b, key, tolerance in ((one, two, "fid", 1e-10), (one, three, "fid_1_3", 1e-7)):
        expected = float(data[f"out/{key}"])
        np.testing.assert_allclose(frechet_distance_of_features(a, b), expected, rtol=tolerance)
        means_and_covs = (*moments_of(a.astype("float64")), *moments_of(b.astype("float64")))
        np.testing.assert_allclose(frechet_distance(*means_and_covs), expected, rtol=tolerance)
    # OASIS's program takes means and covariances in float32, which a singular covariance amplifies
    for b, key, tolerance in ((two, "fid_oasis_float32", 2e-6), (three, "fid_1_3_oasis_float32", 5e-4)):
        np.testing.assert_allclose(frechet_distance_of_features(one, b), float(data[f"out/{key}"]), rtol=tolerance)
    same = frechet_distance_of_features(one, one)
    assert same >= 0.0
    np.testing.assert_allclose(same, float(data["out/fid_1_1"]), atol=1e-10)


@pytest.mark.parametrize(
    "change, message",
    [
        (dict(mean2=np.zeros(4)), "mean2"),
        (dict(cov1=np.eye(4)), "cov1"),
        (dict(cov2=np.triu(np.ones((3, 3)))), "symmetric"),
        (dict(cov2=np.full((3, 3), np.nan)), "not finite"),
        (dict(mean1=np.full(3, np.inf)), "mean1"),
    ],
)
def test_bad_moments_are_refused(change, message):
    arguments = dict(mean1=np.zeros(3), cov1=np.eye(3), mean2=np.ones(3), cov2=np.eye(3)) | change
    with pytest.raises(ValueError, match=message):
        frechet_distance(**arguments)


@pytest.mark.parametrize("sizes", [[1] * 5, [3, 4, 2], [8, 8, 8], [30], [5, 40, 1], [7, 1, 60, 2]])
def test_moments_of_any_batches_equal_those_of_all(sizes):
    """Below and above the dimension, where rows give way to the scatter matrix."""
    features = np.random.default_rng(2).normal(size=(sum(sizes), 8)) * 10 + 1000
    moments = Moments()
    for part in np.split(features, np.cumsum(sizes)[:-1]):
        moments.update(part)
    assert moments.count == sum(sizes)
    mean, covariance = moments_of(features)
    np.testing.assert_allclose(moments.mean, mean, rtol=1e-12)
    np.testing.assert_allclose(moments.covariance(), covariance, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(moments.factor().T @ moments.factor(), covariance, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("sizes", [(3, 4), (3, 40), (40, 3), (40, 50), (0, 40), (40, 0), (6, 6)])
def test_merged_moments_equal_a_single_pass(sizes):
    features = np.random.default_rng(3).normal(size=(sum(sizes), 8)) + 5
    parts = [Moments(), Moments()]
    parts[0].update(features[: sizes[0]])
    parts[1].update(features[sizes[0] :])
    other_mean = None if sizes[1] == 0 else parts[1].mean.copy()
    parts[0].merge([parts[1]])
    mean, covariance = moments_of(features)
    np.testing.assert_allclose(parts[0].mean, mean, rtol=1e-12)
    np.testing.assert_allclose(parts[0].covariance(), covariance, rtol=1e-10, atol=1e-12)
    if other_mean is not None:
        np.testing.assert_array_equal(parts[1].mean, other_mean)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_is_kept_is_not_the_callers(dtype):
    buffer = np.random.default_rng(0).normal(size=(3, 8)).astype(dtype)
    before, statistics = buffer.copy(), FeatureStatistics(kept=2)
    statistics.update(buffer)
    buffer[:] = 0
    np.testing.assert_array_equal(statistics.features, before[:2].astype("float32"))
    np.testing.assert_array_equal(statistics.moments.mean, before.astype("float64").mean(axis=0))


def test_memory_does_not_grow_with_the_count():
    moments = Moments()
    for seed in range(20):
        moments.update(np.random.default_rng(seed).normal(size=(50, 6)))
    held = sum(np.size(value) for value in (*moments._rows, moments._mean, moments._scatter))
    assert moments.count == 1000
    assert held == 6 + 36


def test_metric_equals_the_pure_functions_and_merges():
    real, generated, training = images(40, 0), images(40, 1, 0.1), images(60, 2)
    baseline = [(training[i : i + 7], labels(7)) for i in range(0, 60, 7)]
    whole = FrechetInceptionDistance(color_features, baseline)
    parts = [FrechetInceptionDistance(color_features, baseline) for _ in range(3)]
    whole.update_state(labels(40), real, generated)
    for part, rows in zip(parts, (slice(0, 5), slice(5, 33), slice(33, 40)), strict=True):
        part.update_state(labels(40)[rows], real[rows], generated[rows])
    parts[0].merge_state(parts[1:])
    features = [color_features(x).astype("float64") for x in (real, generated, training[:40])]
    expected = {
        "frechet": scipy_distance(*moments_of(features[0]), *moments_of(features[1])),
        "frechet_real": scipy_distance(*moments_of(features[0]), *moments_of(features[2])),
    }
    for result in (whole.result(), parts[0].result()):
        assert list(result) == list(expected)
        for name, value in expected.items():
            # float32 features of different batch sizes differ in their last bits
            np.testing.assert_allclose(result[name], value, rtol=1e-5)


def test_reset_forgets_the_images_but_not_the_baseline():
    passes = []

    class Baseline:
        def __iter__(self):
            passes.append(1)
            return iter([(images(30, 5), labels(30))])

    metric = FrechetInceptionDistance(color_features, Baseline(), name="fid")
    metric.update_state(labels(20), images(20, 0), images(20, 1))
    first = metric.result()
    metric.reset_state()
    with pytest.raises(ValueError, match="at least 2 images"):
        metric.result()
    metric.update_state(labels(20), images(20, 0), images(20, 1))
    assert metric.result() == first
    assert set(first) == {"fid", "fid_real"}
    assert len(passes) == 1


def test_too_small_baseline_leaves_the_key_out_with_one_warning():
    metric = FrechetInceptionDistance(color_features, [(images(19, 5), labels(19))])
    metric.update_state(labels(20), images(20, 0), images(20, 1))
    with pytest.warns(UserWarning, match="has 19 images and 20 were evaluated"):
        assert list(metric.result()) == ["frechet"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        metric.result()


def test_few_images_warn_once_and_stay_finite():
    metric = FrechetInceptionDistance(color_features)
    metric.update_state(labels(12), images(12, 0), images(12, 1))
    with pytest.warns(UserWarning, match="KernelInceptionDistance"):
        value = metric.result()["frechet"]
    assert np.isfinite(value) and value > 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert metric.result()["frechet"] == value
        enough = FrechetInceptionDistance(color_features)
        enough.update_state(labels(13), images(13, 0), images(13, 1))
        enough.result()


def test_a_rehearsal_swallows_no_warning():
    metric = FrechetInceptionDistance(color_features)
    rehearse([metric], [(images(12, 0), labels(12))], "val_ds")
    metric.update_state(labels(12), images(12, 0), images(12, 1))
    with pytest.warns(UserWarning, match="KernelInceptionDistance"):
        metric.result()


def test_shared_features_pass_each_batch_once():
    calls = []

    def extractor(batch):
        calls.append(len(batch))
        return color_features(batch)

    features = Features(extractor)
    metrics = [FrechetInceptionDistance(features), FrechetInceptionDistance(features)]
    buffer = np.empty((14, 4, 4, 3), "float32")
    for seed in range(2):
        # the same buffer with new contents is a new batch
        buffer[:] = images(14, seed)
        for metric in metrics:
            metric.update_state(labels(14), buffer, images(14, seed + 10))
    assert calls == [14] * 4
    assert metrics[0].result() == metrics[1].result()
    fresh = FrechetInceptionDistance(color_features)
    for seed in range(2):
        fresh.update_state(labels(14), images(14, seed), images(14, seed + 10))
    assert fresh.result() == metrics[0].result()


@pytest.mark.parametrize(
    "bad, message",
    [
        (np.full((2, 4, 4, 3), 200, np.int32), "found int32"),
        (np.full((2, 4, 4, 3), 200.0, np.float32), "to 200.0"),
        (np.full((2, 4, 4, 3), np.nan, np.float32), "nan"),
        (np.zeros((2, 3, 4, 4), np.float32), r"\(2, 3, 4, 4\)"),
    ],
)
def test_images_that_are_not_images_are_refused(bad, message):
    metric = FrechetInceptionDistance(color_features)
    with pytest.raises(ValueError, match=f"generated_images: .*{message}"):
        metric.update_state(labels(2), images(2, 0), bad)


def test_extractors_that_give_no_vectors_are_refused():
    with pytest.raises(ValueError, match="Pool its output"):
        Features(lambda batch: batch)(images(2, 0))
    with pytest.raises(ValueError, match="not finite"):
        Features(lambda batch: np.full((len(batch), 3), np.inf))(images(2, 0))
    with pytest.raises(TypeError, match="baseline"):
        list(Features(color_features).of_first([images(2, 0)], 2))
