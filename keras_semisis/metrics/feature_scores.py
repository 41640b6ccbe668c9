"""Several scores of the same features."""

from collections.abc import Sequence

from keras_semisis.gans.validation import check_score_names
from keras_semisis.metrics.feature_metric import FeatureMetric
from keras_semisis.metrics.feature_statistics import FeatureStatistics


class FeatureScores(FeatureMetric):
    """Several scores of the same features, which pass the network and are kept once for all of them.

    Args:
        metrics: `FrechetInceptionDistance`, `KernelInceptionDistance`, `PrecisionRecall` or others, which share one `Features`
            and have no baseline.
        name: Name of the group.

    Raises:
        ValueError: If they are of several, one has a baseline, or two give a score of one name.

    Example:

    >>> import numpy as np
    >>> from keras_semisis.metrics import Features, KernelInceptionDistance, PrecisionRecall
    >>> features = Features(lambda images: images.mean(axis=(1, 2)))
    >>> metric = FeatureScores([KernelInceptionDistance(features), PrecisionRecall(features)])
    >>> real, generated = np.random.default_rng(0).uniform(-1, 1, (2, 16, 4, 4, 3)).astype("float32")
    >>> metric.update_state(None, real, generated)
    >>> list(metric.result())
    ['kid', 'kid_std', 'kid_se', 'precision', 'recall']
    """

    def __init__(self, metrics: Sequence[FeatureMetric], name: str = "features"):
        features = metrics[0].features
        if any(metric.features is not features or metric.baseline is not None for metric in metrics):
            raise ValueError("FeatureScores: the metrics are to share one Features, and to have no baseline.")
        check_score_names(metrics)
        self.metrics = list(metrics)
        kept = [metric.kept for metric in metrics if metric.kept is not None]
        most = max(kept) if len(kept) == len(metrics) else None
        super().__init__(features, None, name, most, any(metric.with_moments for metric in metrics))

    @property
    def score_names(self) -> tuple[str, ...]:
        return tuple(name for metric in self.metrics for name in metric.score_names)

    def compare(self, real: FeatureStatistics, other: FeatureStatistics) -> dict[str, float]:
        return {name: value for metric in self.metrics for name, value in metric.compare(real, other).items()}

    def result(self) -> dict[str, float]:
        """The scores of all of them, those of generated images alone.

        Raises:
            ValueError: As the metrics raise it, such as for too few images.
        """
        scores: dict[str, float] = {}
        for metric in self.metrics:
            metric.real, metric.generated = self.real, self.generated
            scores |= metric.result()
        return scores
