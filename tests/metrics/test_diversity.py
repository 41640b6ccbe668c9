"""The diversity score against a loop over pairs and pixels, and the cases at its ends."""

from itertools import combinations

import keras
import numpy as np
import pytest

from keras_semisis.metrics import Diversity


@pytest.fixture(scope="module")
def feature_model():
    """Two feature maps without weights: the image, and its halves."""
    image = keras.Input((4, 6, 3))
    return keras.Model(image, [keras.layers.Identity()(image), keras.layers.AveragePooling2D(2)(image)])


def brute_force(a, b, weights):
    total = 0.0
    halves = [x.reshape(2, 2, 3, 2, 3).mean(axis=(1, 3)) for x in (a, b)]
    for (x, y), w in zip(((a, b), halves), weights, strict=True):
        values = []
        for p, q in zip(x.reshape(-1, 3), y.reshape(-1, 3), strict=True):
            p, q = p / np.linalg.norm(p), q / np.linalg.norm(q)
            values.append(sum(w[c] * (p[c] - q[c]) ** 2 for c in range(3)))
        total += np.mean(values)
    return total


@pytest.mark.parametrize("weights", [None, [np.array([0.5, 0.0, 2.0]), np.array([1.0, 3.0, 0.1])]])
def test_agrees_with_loops(feature_model, weights):
    draws = np.random.default_rng(0).uniform(-1, 1, (3, 2, 4, 6, 3)).astype("float32")
    whole, parts = Diversity(feature_model, weights), [Diversity(feature_model, weights) for _ in range(2)]
    whole.update_generated(None, draws)
    for part, b in zip(parts, range(2), strict=True):
        part.update_generated(None, draws[:, b : b + 1])
    parts[0].merge_state(parts[1:])
    weights = weights or [np.ones(3)] * 2
    of_maps = [
        np.mean(
            [
                brute_force(draws[i, b].astype("float64"), draws[j, b].astype("float64"), weights)
                for i, j in combinations(range(3), 2)
            ]
        )
        for b in range(2)
    ]
    for result in (whole.result(), parts[0].result()):
        assert result["diversity"] == pytest.approx(np.mean(of_maps), rel=1e-5)
        assert result["diversity_se"] == pytest.approx(np.std(of_maps, ddof=1) / np.sqrt(2), rel=1e-3)


def test_the_score_of_photos_is_of_each_and_the_next(feature_model):
    photos = np.random.default_rng(2).uniform(-1, 1, (5, 4, 6, 3)).astype("float32")
    metric = Diversity(feature_model)
    for part in (photos[:2], photos[2:3], photos[3:]):
        metric.update_real(None, part)
    metric.update_generated(None, np.stack([photos, photos]))
    expected = [brute_force(a, b, [np.ones(3)] * 2) for a, b in zip(photos.astype("float64"), photos[1:], strict=False)]
    assert metric.result()["diversity_real"] == pytest.approx(np.mean(expected), rel=1e-5)


def test_equal_images_have_none(feature_model):
    metric = Diversity(feature_model)
    images = np.random.default_rng(1).uniform(-1, 1, (1, 2, 4, 6, 3)).astype("float32")
    metric.update_generated(None, np.repeat(images, 4, axis=0))
    assert metric.result() == {"diversity": 0.0, "diversity_se": 0.0}
    metric.reset_state()
    with pytest.raises(ValueError, match="no images"):
        metric.result()
    with pytest.raises(ValueError, match="at least 2 images of a label map, found 1"):
        metric.update_generated(None, np.zeros((1, 2, 4, 6, 3), "float32"))
    with pytest.raises(ValueError, match=r"the shape \(draws, B, H, W, 3\), found \(2, 4, 6, 3\)"):
        metric.update_generated(None, np.zeros((2, 4, 6, 3), "float32"))
    with pytest.raises(ValueError, match="draws=1: expected 2 or more"):
        Diversity(feature_model, draws=1)


def test_weights_of_another_network_are_refused(feature_model):
    with pytest.raises(ValueError, match=r"expected vectors of \[3, 3\] weights .* found \[64\]"):
        Diversity(feature_model, [np.ones(64)])
