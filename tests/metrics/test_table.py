"""The table of metrics: every metric has a row, its scores are those of the result, and a new row joins the protocols."""

import inspect
from types import MappingProxyType

import pytest

from keras_semisis import metrics
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
    with pytest.raises(ValueError, match=r"metrics: the protocol has scores named miou\. Give name="):
        evaluate_protocol(gan, VAL, segmenter=segmenter, metrics=[metrics.GeneratedMeanIoU(segmenter, 10)])
