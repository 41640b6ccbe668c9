"""What every metric promises: photos and generated images come in apart, in any batches, and states are kept and merged."""

import inspect
import io

import keras
import numpy as np
import pytest

from keras_semisis import metrics
from keras_semisis.metrics import GenerationMetric, split_scores

RANDOM = np.random.default_rng(0)
LABELS = RANDOM.integers(0, 2, (12, 32, 32))
REAL, GENERATED = RANDOM.uniform(-1, 1, (2, 12, 32, 32, 3)).astype("float32")
DRAWS = RANDOM.uniform(-1, 1, (3, 12, 32, 32, 3)).astype("float32")
BASELINE = [(RANDOM.uniform(-1, 1, (12, 32, 32, 3)).astype("float32"), None)]


def colors(images):
    return np.concatenate([images.mean(axis=(1, 2)), images.std(axis=(1, 2))], axis=1)


def is_bright(images):
    return (images.mean(axis=-1) > 0).astype(int)


@pytest.fixture(scope="module")
def build():
    lpips = metrics.LPIPS(weights=None)
    image = keras.Input((32, 32, 3))
    flat = keras.Model(image, [keras.layers.AveragePooling2D(8)(image)])

    def new_lpips():
        metric = metrics.LPIPS(weights=None)
        metric.feature_model.set_weights(lpips.feature_model.get_weights())
        return metric

    def group():
        features = metrics.Features(colors)
        return metrics.FeatureScores(
            [
                metrics.FrechetInceptionDistance(features),
                metrics.PrecisionRecall(features, kept_images=10),
                metrics.KernelInceptionDistance(features, subset_size=4, kept_images=9),
            ]
        )

    return {
        "FrechetInceptionDistance": lambda: metrics.FrechetInceptionDistance(colors, BASELINE),
        "float32": lambda: metrics.FrechetInceptionDistance(colors, statistics="float32"),
        "KernelInceptionDistance": lambda: metrics.KernelInceptionDistance(colors, BASELINE, subset_size=5),
        "PrecisionRecall": lambda: metrics.PrecisionRecall(colors, BASELINE, kept_images=10),
        "FeatureScores": group,
        "GeneratedMeanIoU": lambda: metrics.GeneratedMeanIoU(is_bright, num_classes=2),
        "GeneratedSegmentationScores": lambda: metrics.GeneratedSegmentationScores(is_bright, num_classes=2, mean_over="all"),
        "Diversity": lambda: metrics.Diversity(flat, draws=3),
        "LPIPS": new_lpips,
        "NearestNeighborLPIPS": lambda: metrics.NearestNeighborLPIPS(lpips, BASELINE),
    }


NAMES = (
    "FrechetInceptionDistance",
    "float32",
    "KernelInceptionDistance",
    "PrecisionRecall",
    "FeatureScores",
    "GeneratedMeanIoU",
    "GeneratedSegmentationScores",
    "Diversity",
    "LPIPS",
    "NearestNeighborLPIPS",
)


def feed(metric, kind, rows):
    if kind == "real":
        metric.update_real(LABELS[rows], REAL[rows])
    else:
        metric.update_generated(LABELS[rows], GENERATED[rows] if metric.draws == 1 else DRAWS[:, rows])


def expected(metric):
    metric.update_state(LABELS, REAL, GENERATED if metric.draws == 1 else DRAWS)
    return metric.result()


def assert_equal(found, wanted):
    assert found.keys() == wanted.keys()
    for name, value in wanted.items():
        assert found[name] == pytest.approx(value, rel=1e-4, abs=1e-7), name


def test_every_metric_is_tried():
    known = {
        name
        for name in metrics.__all__
        if inspect.isclass(cls := getattr(metrics, name)) and issubclass(cls, GenerationMetric) and not inspect.isabstract(cls)
    }
    assert known == {*NAMES} - {"float32"}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.filterwarnings("ignore:.*images are too few")
def test_photos_and_generated_images_come_in_apart_and_in_any_batches(build, name):
    wanted, metric = expected(build[name]()), build[name]()
    for rows in (slice(0, 5), slice(5, 12)):
        feed(metric, "real", rows)
    for rows in (slice(0, 2), slice(2, 9), slice(9, 12)):
        feed(metric, "generated", rows)
    assert_equal(metric.result(), wanted)
    assert all(np.isfinite(value) for value in wanted.values())
    metric.reset_state()
    with pytest.raises((ValueError, KeyError)):
        metric.result()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.filterwarnings("ignore:.*images are too few")
def test_a_buffer_may_be_filled_again(build, name):
    wanted, metric = expected(build[name]()), build[name]()
    photos, draws = np.empty_like(REAL[:3]), np.empty_like(DRAWS[:, :3])
    for start in range(0, 12, 3):
        rows = slice(start, start + 3)
        photos[:], draws[:] = REAL[rows], DRAWS[:, rows]
        metric.update_real(LABELS[rows], photos)
        photos[:] = GENERATED[rows]
        metric.update_generated(LABELS[rows], photos if metric.draws == 1 else draws)
    assert_equal(metric.result(), wanted)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.filterwarnings("ignore:.*images are too few")
def test_the_state_of_photos_is_kept_in_a_file(build, name):
    """And one that is loaded takes the place of what was there."""
    wanted, first, second = expected(build[name]()), build[name](), build[name]()
    feed(first, "real", slice(0, 12))
    file = io.BytesIO()
    np.savez(file, **first.real_state())
    file.seek(0)
    feed(second, "real", slice(3, 5))
    second.load_real_state(dict(np.load(file)))
    feed(second, "generated", slice(0, 12))
    feed(first, "generated", slice(0, 12))
    assert second.result() == first.result()
    assert_equal(second.result(), wanted)
    with pytest.raises(KeyError):
        second.load_real_state({})


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.filterwarnings("ignore:.*images are too few")
def test_merged_metrics_are_one(build, name):
    wanted, parts = expected(build[name]()), [build[name]() for _ in range(3)]
    for part, rows in zip(parts, (slice(0, 0), slice(0, 5), slice(5, 12)), strict=True):
        if rows.stop:
            feed(part, "real", rows)
            feed(part, "generated", rows)
    parts[0].merge_state(parts[1:])
    if name == "Diversity":  # the pair of photos at the seam is missing
        real = parts[0].result().pop("diversity_real")
        run = build[name]().distances(REAL[1:], REAL[:-1])
        assert real == pytest.approx(np.delete(run, 4).mean(), rel=1e-4)
        wanted["diversity_real"] = real
    assert_equal(parts[0].result(), wanted)


def test_lpips_needs_the_photos_first(build):
    metric = build["LPIPS"]()
    feed(metric, "real", slice(0, 2))
    with pytest.raises(ValueError, match="lpips: 3 generated images for 2 photos"):
        feed(metric, "generated", slice(0, 3))


def test_a_state_of_other_classes_is_refused():
    one, other = metrics.GeneratedMeanIoU(is_bright, num_classes=2), metrics.GeneratedMeanIoU(is_bright, num_classes=3)
    feed(one, "real", slice(0, 2))
    with pytest.raises(ValueError, match="miou: this state is of 2 classes, the metric of 3"):
        other.load_real_state(one.real_state())


def test_a_group_shares_one_extractor():
    one, other = metrics.KernelInceptionDistance(colors), metrics.PrecisionRecall(colors)
    with pytest.raises(ValueError, match="share one Features"):
        metrics.FeatureScores([one, other])
    with pytest.raises(ValueError, match="no baseline"):
        metrics.FeatureScores([metrics.KernelInceptionDistance(colors, BASELINE)])


def test_names_of_real_scores():
    assert split_scores({"a": 1.0, "a_real": 2.0, "b_se": 3.0, "b_se_real": 4.0}) == (
        {"a": 1.0, "b_se": 3.0},
        {"a": 2.0, "b_se": 4.0},
    )
