"""What scores of features have in common."""

import warnings
from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Self

import numpy as np

from keras_semisis.data.labels.label_space import LabelSpace
from keras_semisis.metrics.feature_statistics import FeatureStatistics
from keras_semisis.metrics.features import Features
from keras_semisis.metrics.generation_metric import GenerationMetric


class FeatureMetric(GenerationMetric):
    """A score that compares the features of two sets of images: the base class of the distances, of precision and recall.

    A subclass says by `compare` what the score is, and here what it keeps of the images.

    Args:
        feature_extractor: keras.Model or callable from float32 images (B, H, W, 3) in [-1, 1] to features (B,
            D), or a `Features` that several metrics share.
        baseline: Re-iterable data set of (image, label_map) batches of real training images, or None.
        name: Key of the score.
        kept: Number of images, from the first on, whose features are kept; None for all.
        with_moments: Whether mean and covariance of all are wanted.

    Attributes:
        least_images: Number of images that either set needs.
        biased: Whether the score depends on how many images there are, so that sets of two sizes do not compare.
    """

    least_images: int = 2
    biased: bool = True

    def __init__(
        self,
        feature_extractor: Callable[[Any], Any],
        baseline: Iterable[Any] | None,
        name: str,
        kept: int | None = None,
        with_moments: bool = False,
    ):
        super().__init__(name)
        self.features = Features.shared(feature_extractor)
        self.baseline = baseline
        self.kept = kept
        self.with_moments = with_moments
        self._of_baseline: tuple[int, FeatureStatistics] | None = None
        self._warned: set[str] = set()
        self.reset_state()

    @classmethod
    def of_training(cls, judge: Any, photos: Any, label_space: LabelSpace) -> Self:
        return cls(judge, photos)  # type: ignore[call-arg]  # of a subclass, which has its name

    @property
    def networks(self) -> tuple:
        return (self.features.extractor,)

    @abstractmethod
    def compare(self, real: FeatureStatistics, other: FeatureStatistics) -> dict[str, float]:
        """The scores of other images beside real ones, of which at least as much is kept as this metric keeps."""

    def reset_state(self) -> None:
        self.real, self.generated = self._statistics(), self._statistics()

    def update_real(self, label_maps: Any, images: Any) -> None:
        self.real.update(self.features(images, "real_images"))

    def update_generated(self, label_maps: Any, images: Any) -> None:
        self.generated.update(self.features(images, "generated_images"))

    def real_state(self) -> dict[str, np.ndarray]:
        return self.real.state()

    def load_real_state(self, state: Mapping[str, np.ndarray]) -> None:
        self.real = FeatureStatistics.from_state(state, self.kept, self.with_moments)

    def merge_state(self, others: Iterable[Self]) -> None:
        for other in others:
            self.real.merge([other.real])
            self.generated.merge([other.generated])

    def of_baseline(self, count: int) -> FeatureStatistics:
        """Statistics of the first images of the baseline, which are kept for the next evaluation of as many."""
        if self.baseline is None:
            raise ValueError(f"{self.name}: there is no baseline.")
        if self._of_baseline is None or self._of_baseline[0] != count:
            statistics = self._statistics()
            for features in self.features.of_first(self.baseline, count):
                statistics.update(features)
            self._of_baseline = count, statistics
        return self._of_baseline[1]

    def forget_warnings(self) -> None:
        """Gives each warning once more, after a rehearsal in which none could be seen."""
        self._warned.clear()

    def _warn_once(self, message: str) -> None:
        if message not in self._warned:
            self._warned.add(message)
            warnings.warn(message, stacklevel=3)

    def _statistics(self):
        return FeatureStatistics(self.kept, self.with_moments)
