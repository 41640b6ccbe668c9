import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from scipy import stats

from keras_semisis.data import (
    CamVid,
    DataError,
    Folder,
    class_statistics,
    rare_class_probabilities,
    rejection_sample,
    stream_rejection_sample,
)
from keras_semisis.data.stream.rare_classes import rejection_draws
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


def brute_force_probabilities(label_maps, num_classes, ignore_class):
    scores = []
    for m in label_maps:
        score = 0.0
        for c in range(num_classes):
            total = sum((other == c).sum() for other in label_maps)
            if c != ignore_class and (m == c).any():
                score += (m == c).sum() / total
        scores.append(score)
    return np.array(scores) / sum(scores)


@pytest.mark.parametrize("ignore_class", [None, 0, 3])
def test_probabilities_by_brute_force(ignore_class):
    label_maps = RNG.choice(6, p=[0.5, 0.3, 0.1, 0.07, 0.03, 0.0], size=(9, 8, 10))  # class 5 is nowhere
    source = ArraySource(label_maps, num_classes=6)
    counts = class_statistics(source)
    np.testing.assert_array_equal(counts, [[(m == c).sum() for c in range(6)] for m in label_maps])
    np.testing.assert_allclose(
        rare_class_probabilities(counts, ignore_class), brute_force_probabilities(label_maps, 6, ignore_class), rtol=1e-12
    )


def test_label_maps_of_dont_care_alone_are_refused():
    with pytest.raises(DataError, match="no pixel of any class but don't-care"):
        rare_class_probabilities(np.array([[0, 7], [0, 3]]), ignore_class=1)


def write_folder(root, label_maps):
    (root / "labels").mkdir(parents=True, exist_ok=True)
    for i, label_map in enumerate(label_maps):
        Image.fromarray(np.asarray(label_map, np.uint8)).save(root / "labels" / f"{i}.png")
    return Folder(root, images=None, palette=[(i, 0, 0) for i in range(4)])


def reads_of(source, monkeypatch):
    reads = []
    original = type(source).load_label_map
    monkeypatch.setattr(type(source), "load_label_map", lambda self, index: reads.append(index) or original(self, index))
    return reads


def test_statistics_cache_is_used_while_the_data_is_the_same(tmp_path, monkeypatch):
    source = write_folder(tmp_path / "data", RNG.integers(0, 4, (5, 6, 7)))
    cache = tmp_path / "run" / "statistics.npz"
    counts = class_statistics(source, cache=cache)
    reads = reads_of(source, monkeypatch)
    np.testing.assert_array_equal(class_statistics(source, cache=cache), counts)
    assert not reads and [path.name for path in cache.parent.iterdir()] == ["statistics.npz"]


@pytest.mark.parametrize("change", ["content", "fewer", "order", "id_map", "damaged cache", "other file"])
def test_statistics_cache_is_renewed_when_the_data_has_changed(tmp_path, change):
    label_maps = RNG.integers(0, 4, (5, 6, 7))
    source = write_folder(tmp_path, label_maps)
    cache = tmp_path / "statistics.npz"
    class_statistics(source, cache=cache)
    if change == "content":
        label_maps[2] = 3
        source = write_folder(tmp_path, label_maps)
    elif change == "fewer":
        label_maps = label_maps[:4]
        source = source.subset(range(4))
    elif change == "order":
        label_maps = label_maps[::-1]
        source = source.subset([4, 3, 2, 1, 0])
    elif change == "id_map":
        label_maps = np.where(label_maps == 3, 0, label_maps)
        source = Folder(tmp_path, images=None, palette=[(i, 0, 0) for i in range(4)], id_map={3: 0})
    elif change == "damaged cache":
        cache.write_bytes(cache.read_bytes()[:100])
    else:
        cache.write_text("not an npz")
    expected = [[(m == c).sum() for c in range(4)] for m in label_maps]
    np.testing.assert_array_equal(class_statistics(source, cache=cache), expected)
    np.testing.assert_array_equal(class_statistics(source, cache=cache), expected)


def test_statistics_without_a_fingerprint_are_not_cached(tmp_path):
    class_statistics(ArraySource(np.zeros((2, 3, 3))), cache=tmp_path / "statistics.npz")
    assert not list(tmp_path.iterdir())


def test_statistics_report_progress():
    seen = []
    class_statistics(ArraySource(np.zeros((3, 2, 2))), progress=lambda *numbers: seen.append(numbers))
    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_statistics_raise_what_reading_raises(tmp_path):
    source = write_folder(tmp_path, np.zeros((3, 4, 4)))
    (tmp_path / "labels" / "1.png").write_bytes(b"nothing")
    with pytest.raises(DataError, match=r"1\.png"):
        class_statistics(source, cache=tmp_path / "cache.npz")
    assert not (tmp_path / "cache.npz").exists()


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
