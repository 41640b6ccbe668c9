"""Precision and recall of generated images."""

from collections.abc import Iterable
from typing import Any, Self

import numpy as np

from keras_semisis.former_names import former_argument
from keras_semisis.metrics.feature_metric import FeatureMetric
from keras_semisis.metrics.feature_statistics import FeatureStatistics

# Rows of a distance matrix that are held at once
_BLOCK = 512


class PrecisionRecall(FeatureMetric):
    """Improved precision and recall: how much of what is generated looks real, and how much of what is real is generated.

    A sample's manifold is the union of balls around its images, each as wide as the distance to its k-th
    nearest neighbor. Precision is the share of generated images inside the real manifold, recall that of
    real images inside the generated one. Both depend on the number of images and on the features: compare
    them at equal ones. All features are kept, in float32; time grows with the square of their number.

    Args:
        feature_extractor: keras.Model or callable from float32 images (B, H, W, 3) in [-1, 1] to features (B,
            D), or a `Features` that several metrics share.
        baseline: Re-iterable data set of (image, label_map) batches of real *training* images, which take
            the place of generated ones in `precision_real` and `recall_real`; None to leave these out. As
            many images as are compared are taken, from its beginning; with fewer, both are left out with a warning.
        neighbors: k, at least 1.
        kept_images: Number of images, from the first on, that are compared; None for all.
        name: Key of the precision. Another than `precision` is also the beginning of that of the recall, `<name>_recall`.

    Raises:
        ValueError: `neighbors` is below 1.

    Reference:
        Kynkäänniemi et al., "Improved Precision and Recall Metric for Assessing Generative Models", 2019,
        eq. 1 and 2 (there with VGG16 features and k = 3).

    Example:

    >>> metric = PrecisionRecall(lambda images: images.mean(axis=(1, 2)))
    >>> random = np.random.default_rng(0)
    >>> real, generated = random.uniform(-1, 1, (2, 16, 4, 4, 3)).astype("float32")
    >>> metric.update_state(np.zeros((16, 4, 4), int), real, generated)
    >>> list(metric.result())
    ['precision', 'recall']
    """

    @former_argument(neighbours="neighbors")
    def __init__(
        self,
        feature_extractor: Any,
        baseline: Iterable[Any] | None = None,
        neighbors: int = 3,
        kept_images: int | None = None,
        name: str = "precision",
    ):
        super().__init__(feature_extractor, baseline, name, kept_images)
        _check_neighbors(neighbors)
        self.neighbors = neighbors
        self.least_images = neighbors + 1

    @classmethod
    def of_protocol(cls, judge: Any, protocol: Any, seed: int) -> Self:
        return cls(judge, None, protocol.neighbours, protocol.kept_images)

    @property
    def score_names(self) -> tuple[str, ...]:
        return self._names_with("precision", "recall")

    def compare(self, real: FeatureStatistics, other: FeatureStatistics) -> dict[str, float]:
        shares = precision_recall(real.features[: self.kept], other.features[: self.kept], self.neighbors)
        return dict(zip(self.score_names, shares, strict=True))

    def result(self) -> dict[str, float]:
        """Both shares.

        Returns:
            `precision` and `recall` in [0, 1], with a name of its own `<name>` and `<name>_recall`; also those of `_real` where
            the baseline has enough images.

        Raises:
            ValueError: a sample has no more than `neighbors` images.
        """
        if not self.real.count:
            raise ValueError(f"{self.name}: no images were seen.")
        scores = self.compare(self.real, self.generated)
        if self.baseline is None:
            return scores
        count = len(self.real.features[: self.kept])
        baseline = self.of_baseline(count)
        if baseline.count < count:
            self._warn_once(
                f"{self.name}: {' and '.join(f'{name}_real' for name in scores)} are left out, because the baseline has "
                f"{baseline.count} images and {count} were compared. Give a larger baseline or evaluate fewer images."
            )
            return scores
        return scores | {f"{name}_real": value for name, value in self.compare(self.real, baseline).items()}


@former_argument(neighbours="neighbors")
def precision_recall(real: np.ndarray, generated: np.ndarray, neighbors: int = 3) -> tuple[float, float]:
    """Improved precision and recall of two sets of features.

    Args:
        real: Floats (n, D).
        generated: Floats (m, D).
        neighbors: k, at least 1; an image is not its own neighbor.

    Returns:
        (precision, recall): the share of `generated` within the manifold of `real`, and the reverse.

    Raises:
        ValueError: a set has no more than `neighbors` vectors, values that are not finite, or another D; `neighbors` is
            below 1.

    Example:

    >>> precision_recall(np.array([[0.0], [1.0], [2.0]]), np.array([[1.5], [1.6], [9.0]]), neighbors=1)
    (0.6666666666666666, 0.3333333333333333)
    """
    _check_neighbors(neighbors)
    for features, argument in ((real, "real"), (generated, "generated")):
        if np.ndim(features) != 2 or len(features) <= neighbors:
            raise ValueError(
                f"{argument}: {neighbors} nearest neighbors need at least {neighbors + 1} vectors (n, D), found "
                f"the shape {np.shape(features)}."
            )
        if not np.isfinite(features).all():
            raise ValueError(f"{argument}: found values that are not finite; check the feature network.")
    if real.shape[1] != generated.shape[1]:
        raise ValueError(f"generated: expected {real.shape[1]} features, found {generated.shape[1]}.")
    # distances do not change, and lose fewer digits in |a|² + |b|² - 2ab
    center = real.mean(axis=0, dtype=np.float64)
    real, generated = real - center, generated - center
    return _share_inside(generated, real, neighbors), _share_inside(real, generated, neighbors)


def _check_neighbors(neighbors):
    if neighbors < 1:
        raise ValueError(f"neighbors={neighbors}: expected 1 or more.")


def _share_inside(points: np.ndarray, sample: np.ndarray, neighbors: int) -> float:
    radii = np.concatenate(
        [
            np.partition(_squared_distances(sample[i : i + _BLOCK], sample), neighbors, axis=1)[:, neighbors]
            for i in range(0, len(sample), _BLOCK)
        ]
    )
    inside = [(_squared_distances(points[i : i + _BLOCK], sample) <= radii).any(axis=1) for i in range(0, len(points), _BLOCK)]
    return float(np.concatenate(inside).mean())


def _squared_distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    lengths = np.sum(a**2, axis=1)[:, None] + np.sum(b**2, axis=1)
    distances = lengths - 2.0 * (a @ b.T)
    # equal vectors: what rounding leaves is no distance
    distances[distances < 1e-12 * lengths] = 0.0
    return distances
