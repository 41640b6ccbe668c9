"""The metrics by name: what each needs, and what its scores are called. A new metric is a file and a row here."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from keras_semisis.metrics.diversity import Diversity
from keras_semisis.metrics.frechet import FrechetInceptionDistance
from keras_semisis.metrics.generated_segmentation_scores import GeneratedSegmentationScores
from keras_semisis.metrics.generation_metric import GenerationMetric
from keras_semisis.metrics.kernel import KernelInceptionDistance
from keras_semisis.metrics.lpips import LPIPS
from keras_semisis.metrics.miou import GeneratedMeanIoU
from keras_semisis.metrics.nearest_neighbor import NearestNeighborLPIPS
from keras_semisis.metrics.precision_and_recall import PrecisionRecall


@dataclass(frozen=True)
class Score:
    """How a score is shown.

    Args:
        title: Its name in tables.
        better: ``"higher"`` or ``"lower"``; None where neither is.
    """

    title: str
    better: str | None = None

    @property
    def heading(self) -> str:
        """The title, and an arrow towards what is better.

        >>> Score("KID", "lower").heading
        'KID ↓'
        """
        return self.title + {"higher": " ↑", "lower": " ↓", None: ""}[self.better]


@dataclass(frozen=True)
class Row:
    """A metric.

    Args:
        metric: Its class.
        needs: What judges, the first argument of the class: ``"features"``, ``"segmenter"`` or ``"perceptual"``; None for a
            metric that comes with its own.
        scores: The keys of its result, those of real images left out.
        in_protocols: Whether `evaluate_protocol` computes it where it has what the metric needs, by `of_protocol` of the
            class.
        in_trainings: Whether `train` computes it where it has what the metric needs, by `of_training` of the class.
    """

    metric: type[GenerationMetric]
    needs: str | None
    scores: Mapping[str, Score]
    in_protocols: bool = False
    in_trainings: bool = False


_MIOU = {"miou": Score("mIoU", "higher")}
METRICS: Mapping[str, Row] = MappingProxyType(
    {
        "frechet": Row(
            FrechetInceptionDistance,
            "features",
            {"fid": Score("FID", "lower"), "frechet": Score("Fréchet distance", "lower")},
            in_protocols=True,
            in_trainings=True,
        ),
        "kid": Row(
            KernelInceptionDistance,
            "features",
            {"kid": Score("KID", "lower"), "kid_se": Score("  its standard error")},
            in_protocols=True,
            in_trainings=True,
        ),
        "precision_recall": Row(
            PrecisionRecall,
            "features",
            {"precision": Score("precision", "higher"), "recall": Score("recall", "higher")},
            in_protocols=True,
        ),
        "diversity": Row(Diversity, "perceptual", {"diversity": Score("diversity")}, in_protocols=True),
        "miou": Row(GeneratedMeanIoU, "segmenter", _MIOU, in_trainings=True),
        "segmentation": Row(
            GeneratedSegmentationScores,
            "segmenter",
            _MIOU | {"fwiou": Score("frequency-weighted IoU", "higher"), "pixel_accuracy": Score("pixel accuracy", "higher")},
            in_protocols=True,
        ),
        "lpips": Row(LPIPS, None, {"lpips": Score("LPIPS to the photo", "lower")}),
        "nearest_lpips": Row(NearestNeighborLPIPS, None, {"nearest_lpips": Score("LPIPS to the nearest training photo")}),
    }
)
"""The metrics by name; in this order their scores are shown."""

SCORES: Mapping[str, Score] = MappingProxyType({name: score for row in METRICS.values() for name, score in row.scores.items()})
"""The scores by their keys."""


def best_mode(name: str | None) -> str | None:
    """Which value of a score is the best one, in Keras's word; None where neither is, or it is not in the table.

    >>> best_mode("miou"), best_mode("kid"), best_mode("kid_se")
    ('max', 'min', None)
    """
    if name is None or name not in SCORES:
        return None
    return {"higher": "max", "lower": "min"}.get(SCORES[name].better or "")
