"""The table of metrics: every metric has a row, its scores are those of the result, and a new row joins the protocols."""

import inspect
from types import MappingProxyType

import numpy as np
import pytest

from keras_semisis import metrics
from keras_semisis.gans.validation import rehearse
from keras_semisis.metrics import METRICS, GenerationMetric, evaluate_protocol
from keras_semisis.metrics.protocols import protocol_features
from keras_semisis.metrics.table import Row, Score
from tests.metrics.protocols.test_evaluation import VAL, batches, features, gan, segmenter  # noqa: F401
from tests.metrics.test_contract import build, expected  # noqa: F401


def test_every_metric_has_a_row():
    known = {
        cls
        for name in metrics.__all__
        if inspect.isclass(cls := getattr(metrics, name)) and issubclass(cls, GenerationMetric) and not inspect.isabstract(cls)
    }
    assert {row.metric for row in METRICS.values()} == known - {metrics.FeatureScores}


@pytest.mark.parametrize("name", METRICS)
@pytest.mark.filterwarnings("ignore:.*images are too few")
def test_scores_are_those_of_the_result(build, name):  # noqa: F811
    row = METRICS[name]
    generated, _ = metrics.split_scores(expected(build[row.metric.__name__]()))
    shown = {score for score in generated if not score.endswith(("_std", "_se"))}
    assert shown == {score for score in row.scores if not score.endswith("_se")} - {"fid"}


class MeanColor(metrics.FeatureMetric):
    """Squared distance of the mean features."""

    def __init__(self, extractor, weight):
        super().__init__(extractor, None, "mean_color", with_moments=True)
        self.weight = weight

    @classmethod
    def of_protocol(cls, judge, protocol, seed):
        return cls(judge, protocol.neighbours)

    def compare(self, real, other):
        return {self.name: self.weight * float(((real.moments.mean - other.moments.mean) ** 2).sum())}

    def result(self):
        return self.compare(self.real, self.generated)


def test_a_new_row_joins_the_protocols(gan, features, monkeypatch):  # noqa: F811
    before = evaluate_protocol(gan, VAL, features=features, batch_size=4)["generated"]
    row = Row(MeanColor, "features", {"mean_color": Score("mean color", "lower")}, in_protocols=True)
    monkeypatch.setattr(protocol_features, "METRICS", MappingProxyType({**METRICS, "mean_color": row}))
    after = evaluate_protocol(gan, VAL, features=features, batch_size=4)["generated"]
    assert after.keys() - before.keys() == {"mean_color"} and {**after, **before} == after
    alone = MeanColor(features, 3)
    gan.evaluate(batches(VAL), metrics=[alone], verbose=0)
    assert after["mean_color"] == pytest.approx(alone.result()["mean_color"], rel=1e-3)


def test_a_name_that_is_taken_is_refused(gan, segmenter):  # noqa: F811
    with pytest.raises(ValueError, match=r"metrics: two of them give the score miou\. Give name="):
        evaluate_protocol(gan, VAL, segmenter=segmenter, metrics=[metrics.GeneratedMeanIoU(segmenter, 10)])


def test_two_scores_of_one_name_are_refused_before_the_work(gan, features, segmenter, monkeypatch):  # noqa: F811
    def by_color(images):
        return np.asarray(images).mean(axis=(1, 2))

    kernel = metrics.KernelInceptionDistance(by_color)
    group = metrics.FeatureScores([metrics.KernelInceptionDistance(kernel.features)], name="mine")
    distances = [metrics.FrechetInceptionDistance(judge) for judge in (features, by_color)]
    shares = [metrics.PrecisionRecall(judge) for judge in (features, by_color)]
    with monkeypatch.context() as patch:
        patch.setattr(gan, "generate_floats", None)
        for twice, names in (([kernel, group], "kid"), (distances, "frechet"), (shares, "precision and the score recall")):
            words = rf"metrics: two of them give the score {names}\. Give name= to one"
            with pytest.raises(ValueError, match=words):
                gan.evaluate(batches(VAL), metrics=twice, verbose=0)
            with pytest.raises(ValueError, match=words):
                evaluate_protocol(gan, VAL, features=features, metrics=twice[1:])
        with pytest.raises(ValueError, match="two of them give the score kid"):
            metrics.FeatureScores([group.metrics[0]] * 2)
    found = evaluate_protocol(gan, VAL, segmenter=segmenter, metrics=shares[:1], batch_size=4)["generated"]
    assert {"precision", "recall", "miou"} <= found.keys()
    named = metrics.PrecisionRecall(by_color, name="colors")
    scores = gan.evaluate(batches(VAL), metrics=[shares[0], named], verbose=0)
    assert list(scores) == ["precision", "recall", "colors", "colors_recall"] and scores["recall"] == found["recall"]
    alone = metrics.PrecisionRecall(by_color)
    assert gan.evaluate(batches(VAL), metrics=[alone], verbose=0) == {
        "precision": scores["colors"],
        "recall": scores["colors_recall"],
    }


class Unforeseen(MeanColor):
    """A score that its name does not foresee."""

    def compare(self, real, other):
        return super().compare(real, other) | {"extra": 1.0}


def test_two_scores_of_one_name_that_were_not_known_before(gan, features):  # noqa: F811
    twice = [Unforeseen(features, 3), Unforeseen(features, 3)]
    twice[1].name = "another"
    words = r"metrics: two of them give the score extra\."
    with pytest.raises(ValueError, match=words):
        gan.evaluate(batches(VAL), metrics=twice, verbose=0)
    with pytest.raises(ValueError, match=words):
        evaluate_protocol(gan, VAL, metrics=twice, batch_size=4)
    with pytest.raises(ValueError, match=words):
        rehearse(twice, [next(iter(batches(VAL)))], "data")
