import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from keras_semisis.data import (
    CamVid,
    class_statistics,
    rare_class_probabilities,
    rejection_sample,
    stream_rejection_sample,
)
from keras_semisis.data.stream.rejection import rejection_draws
from tests.conftest import SHARED, needs_shared
from tests.data.array_source import ArraySource

# Chi-square tests reject a correct sampler with this probability (once: the draws are fixed by their seed).
ERROR_RATE = 1e-4

RNG = np.random.default_rng(0)
PROBABILITIES = {
    "even": np.full(5, 0.2),
    "long tail": np.array([0.9, 0.05, 0.03, 0.02]),
    "with zeros": np.array([0.0, 0.5, 0.0, 0.3, 0.2]),
    "hundreds": RNG.pareto(1.5, 300) / 40,
    "one": np.array([3.0]),
}


def tf_draws(probabilities, seed, first, stop):
    draws = tf.data.Dataset.range(first, stop).batch(1000).apply(rejection_sample(probabilities, seed))
    return np.concatenate(list(draws.as_numpy_iterator()))


def chi_square_p_value(drawn, probabilities):
    expected = probabilities / probabilities.sum() * len(drawn)
    counts = np.bincount(drawn, minlength=len(probabilities))
    assert counts[expected == 0].sum() == 0
    # Cells that expect fewer than five draws are pooled, as the test's approximation asks for.
    small = (expected < 5) & (expected > 0)
    counts = np.append(counts[expected >= 5], counts[small].sum())
    expected = np.append(expected[expected >= 5], expected[small].sum())
    if expected[-1] == 0:
        counts, expected = counts[:-1], expected[:-1]
    return 1.0 if len(counts) == 1 else stats.chisquare(counts, expected).pvalue


@pytest.mark.parametrize("name", PROBABILITIES)
@pytest.mark.parametrize(
    "draw",
    [tf_draws, lambda p, seed, first, stop: rejection_draws(p, seed, np.arange(first, stop))],
    ids=["tensorflow", "numpy"],
)
def test_draws_follow_the_probabilities(name, draw):
    probabilities = PROBABILITIES[name]
    assert chi_square_p_value(draw(probabilities, 11, 0, 20_000), probabilities) > ERROR_RATE


def test_chi_square_test_notices_a_wrong_sampler():
    wrong = tf_draws(np.array([0.85, 0.08, 0.04, 0.03]), 11, 0, 20_000)
    assert chi_square_p_value(wrong, PROBABILITIES["long tail"]) < ERROR_RATE


@pytest.mark.parametrize("name", PROBABILITIES)
def test_both_forms_draw_the_same(name):
    whole = rejection_draws(PROBABILITIES[name], 4, np.arange(3000))
    np.testing.assert_array_equal(tf_draws(PROBABILITIES[name], 4, 0, 3000), whole)
    np.testing.assert_array_equal(tf_draws(PROBABILITIES[name], 4, 1234, 2000), whole[1234:2000])


def test_a_draw_depends_on_its_number_alone_whatever_the_batching():
    p = PROBABILITIES["hundreds"]
    whole = rejection_draws(p, 0, np.arange(60))
    single = tf.data.Dataset.range(60).apply(rejection_sample(p, 0))
    assert list(single.as_numpy_iterator()) == whole.tolist()
    nested = tf.data.Dataset.range(60).batch(4).batch(5).apply(rejection_sample(p, 0))
    assert nested.element_spec.shape.rank == 2
    np.testing.assert_array_equal(np.concatenate(list(nested)).ravel(), whole)
    np.testing.assert_array_equal(rejection_draws(p, 0, np.array([[59], [7]])), whole[[[59], [7]]])
    assert (rejection_draws(p, 1, np.arange(60)) != whole).any()


def test_consecutive_draws_are_independent():
    # Pairs (draw 2k, draw 2k+1) over the product of their probabilities.
    p = PROBABILITIES["with zeros"]
    drawn = rejection_draws(p, 2, np.arange(40_000)).reshape(-1, 2)
    assert chi_square_p_value(drawn[:, 0] * 5 + drawn[:, 1], np.outer(p, p).ravel()) > ERROR_RATE


@pytest.mark.parametrize("bad", [[-0.1, 1.1], [0.0, 0.0], [[0.5, 0.5]], [np.nan, 1.0], []])
def test_what_is_no_probability_vector_is_refused(bad):
    with pytest.raises(ValueError, match="probabilities must be"):
        rejection_sample(bad)


def test_stream_form_follows_the_probabilities():
    label_maps = RNG.choice(4, p=[0.7, 0.2, 0.07, 0.03], size=(12, 5, 6))
    source = ArraySource(label_maps, num_classes=4)
    counts = np.asarray(class_statistics(source))
    totals = counts.sum(axis=0)
    p = rare_class_probabilities(counts, ignore_class=1)
    largest = (counts / totals)[:, [0, 2, 3]].sum(axis=1).max()
    images = np.arange(12)
    stream = tf.data.Dataset.from_tensor_slices((images, label_maps)).repeat(400)
    kept = stream.apply(stream_rejection_sample(totals, largest, ignore_class=1, seed=3))
    drawn = np.array([int(image) for image, _ in kept])
    # Each item passes a binomial number of times: a chi-square sum over items, of variance p(1-p) each.
    accept = p / p.max()
    n = np.bincount(drawn, minlength=12)
    free = accept < 1
    assert (n[~free] == 400).all()
    z = (n[free] - 400 * accept[free]) / np.sqrt(400 * accept[free] * (1 - accept[free]))
    assert stats.chi2.sf((z**2).sum(), free.sum()) > ERROR_RATE


@needs_shared("data/camvid")
def test_rare_classes_of_camvid_are_seen_more_often():
    source = CamVid(SHARED / "data" / "camvid").subset(range(0, 367, 10))
    counts = np.asarray(class_statistics(source))
    assert counts.sum() == len(source) * 192 * 256
    p = rare_class_probabilities(counts, source.label_space.ignore_class)
    bicyclist, road = (source.label_space.class_names.index(name) for name in ("bicyclist", "road"))
    uniform, rare = counts.mean(axis=0), p @ counts
    assert rare[bicyclist] > 1.5 * uniform[bicyclist]
    assert abs(rare[road] / uniform[road] - 1) < 0.5
    drawn = rejection_draws(p, 0, np.arange(20_000))
    np.testing.assert_allclose(counts[drawn, bicyclist].mean(), rare[bicyclist], rtol=0.1)
