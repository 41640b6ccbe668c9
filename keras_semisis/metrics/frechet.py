"""Fréchet distances between normal distributions of features."""

from collections.abc import Callable, Iterable
from typing import Any, Self

import numpy as np

from keras_semisis.data.argument_error import ArgumentError
from keras_semisis.data.remedy import Remedy
from keras_semisis.metrics.feature_metric import FeatureMetric
from keras_semisis.metrics.feature_statistics import FeatureStatistics
from keras_semisis.metrics.moments import Moments, centered, covariance_factor

STATISTICS = ("float64", "float32")


class FrechetInceptionDistance(FeatureMetric):
    """Fréchet distance between the features of real and of generated images.

    `<name>` compares the generated images with the real ones of the same batches. `<name>_real` compares the
    same real images with as many of `baseline`: what a perfect generator would score at this count. Only
    values of the same extractor, the same images and the same count can be compared with one another, and
    none of them with published FID unless the extractor is the published Inception network.

    Statistics are float64, and memory does not depend on the number of images, unless `statistics` says otherwise.

    Args:
        feature_extractor: keras.Model or callable from float32 images (B, H, W, 3) in [-1, 1] to features (B,
            D), or a `Features` that several metrics share.
        baseline: Re-iterable data set of (image, label_map) batches of real *training* images, or None to
            leave `<name>_real` out. As many images as were seen are taken, from its beginning; with fewer,
            `<name>_real` is left out with a warning. The statistics are kept for the next evaluation of the
            same count.
        name: Key of the score.
        statistics: ``"float64"``, or ``"float32"`` for mean and covariance as published programs compute them: see
            `frechet_distance_float32`. All features are then kept.

    Raises:
        ValueError: `statistics` is neither.

    Reference:
        Heusel et al., "GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash Equilibrium",
        2017, eq. 6.

    Example:

    >>> metric = FrechetInceptionDistance(lambda images: images.mean(axis=(1, 2)))
    >>> random = np.random.default_rng(0)
    >>> real, generated = random.uniform(-1, 1, (2, 16, 4, 4, 3)).astype("float32")
    >>> metric.update_state(np.zeros((16, 4, 4), int), real, generated)
    >>> list(metric.result()), bool(metric.result()["frechet"] > 0)
    (['frechet'], True)
    """

    def __init__(
        self,
        feature_extractor: Callable[[Any], Any],
        baseline: Iterable[Any] | None = None,
        name: str = "frechet",
        statistics: str = "float64",
    ):
        if statistics not in STATISTICS:
            raise ValueError(f"statistics={statistics!r}: expected {' or '.join(map(repr, STATISTICS))}.")
        in_float32 = statistics == "float32"
        super().__init__(feature_extractor, baseline, name, kept=None if in_float32 else 0, with_moments=not in_float32)
        self.statistics = statistics

    @classmethod
    def of_protocol(cls, judge: Any, protocol: Any, seed: int) -> Self:
        name = "fid" if protocol.features == "inception_v3_fid" else "frechet"
        return cls(judge, None, name, protocol.statistics)

    def compare(self, real: FeatureStatistics, other: FeatureStatistics) -> dict[str, float]:
        if self.statistics == "float32":
            return {self.name: frechet_distance_float32(real.features, other.features)}
        return {self.name: frechet_distance_of_moments(real.moments, other.moments)}

    def result(self) -> dict[str, float]:
        """Both distances.

        Returns:
            `<name>`, and `<name>_real` where the baseline has enough images.

        Raises:
            ValueError: fewer than two images were seen.
        """
        seen = min(self.real.count, self.generated.count)
        if seen < 2:
            raise ArgumentError(
                f"{self.name}: a covariance needs at least 2 images of each kind, found {seen}.", {}, *without_covariance()
            )
        if seen <= self.real.dimension:
            self._warn_once(
                f"{self.name}: {seen} images are too few for {self.real.dimension} features: the covariance "
                "is singular and the distance of equal distributions is far from 0. Compare it only with "
                f"{self.name}_real, and report KernelInceptionDistance beside it."
            )
        scores = self.compare(self.real, self.generated)
        if self.baseline is None:
            return scores
        count, baseline = self.real.count, self.of_baseline(self.real.count)
        if baseline.count < count:
            self._warn_once(
                f"{self.name}: {self.name}_real is left out, because the baseline has "
                f"{baseline.count} images and {count} were evaluated. Give a larger baseline or "
                "evaluate fewer images."
            )
            return scores
        return scores | {f"{self.name}_real": self.compare(baseline, self.real)[self.name]}


def without_covariance() -> tuple[Remedy, ...]:
    """What an error advises where there is one image alone."""
    return (
        Remedy("Score more of them with {},", {"validation_data": "folder:PATH"}, "other data"),
        Remedy("or mIoU alone, by a segmenter, with {}.", {"features": "none"}, "no distance"),
    )


def frechet_distance(mean1: np.ndarray, cov1: np.ndarray, mean2: np.ndarray, cov2: np.ndarray) -> float:
    """Fréchet distance of two normal distributions, ‖μ₁-μ₂‖² + tr(Σ₁ + Σ₂ - 2 √(Σ₁Σ₂)).

    Computed in float64 through the factors Σ = FᵀF of a symmetric eigendecomposition: tr √(Σ₁Σ₂) is the sum
    of the singular values of F₁F₂ᵀ. Singular covariances are no special case.

    Args:
        mean1: Mean (D,).
        cov1: Covariance (D, D).
        mean2: Mean (D,).
        cov2: Covariance (D, D).

    Returns:
        The distance, at least 0 (a squared length in feature space).

    Raises:
        ValueError: shapes that do not fit, a covariance that is not symmetric, or a value that is not finite.

    Reference:
        Dowson and Landau, "The Fréchet Distance between Multivariate Normal Distributions", 1982, eq. 4.

    Example:

    >>> frechet_distance(np.zeros(2), np.eye(2), np.ones(2), 4 * np.eye(2))
    4.0
    """
    mean1, mean2 = _checked_mean(mean1, "mean1"), _checked_mean(mean2, "mean2")
    if len(mean1) != len(mean2):
        raise ValueError(f"mean2: expected {len(mean1)} features as in mean1, found {len(mean2)}.")
    factor1 = covariance_factor(_checked_covariance(cov1, "cov1", len(mean1)))
    factor2 = covariance_factor(_checked_covariance(cov2, "cov2", len(mean1)))
    return _from_factors(mean1, factor1, mean2, factor2)


def frechet_distance_of_features(features1: np.ndarray, features2: np.ndarray) -> float:
    """Fréchet distance of the normal distributions fitted to two sets of features (covariances over n-1).

    tr √(Σ₁Σ₂) is the sum of the singular values (nuclear norm) of A·Bᵀ, where A and B are the centered
    features over √(n-1): exact, and far faster than a D×D matrix root where there are fewer vectors than
    features.

    Args:
        features1: Floats (n₁, D), n₁ at least 2.
        features2: Floats (n₂, D), n₂ at least 2.

    Returns:
        The distance, at least 0.

    Raises:
        ValueError: not two axes, different D, fewer than two vectors, or a value that is not finite.

    Example:

    >>> features = np.random.default_rng(0).normal(size=(10, 64))
    >>> round(frechet_distance_of_features(features, features + 1.0), 9)
    64.0
    """
    _check_features(features1, features2)
    return _from_factors(
        features1.mean(axis=0, dtype=np.float64),
        centered(features1),
        features2.mean(axis=0, dtype=np.float64),
        centered(features2),
    )


def _check_features(features1: np.ndarray, features2: np.ndarray) -> None:
    for features, argument in ((features1, "features1"), (features2, "features2")):
        if np.ndim(features) != 2 or len(features) < 2 or not np.isfinite(features).all():
            raise ValueError(
                f"{argument}: expected finite values of the shape (n, D) with n at least 2, found the shape "
                f"{np.shape(features)} or values that are not finite."
            )
    if features1.shape[1] != features2.shape[1]:
        raise ValueError(f"features2: expected {features1.shape[1]} features, found {features2.shape[1]}.")


def frechet_distance_float32(features1: np.ndarray, features2: np.ndarray) -> float:
    """Fréchet distance as the published programs of OASIS and USIS compute it: mean and covariance in float32.

    The rounding of the covariances, and of their product, adds to the trace of its root where they are
    singular: with 500 images and 2048 features the value is about 1 below that of float64. It is for comparison with
    published figures, and good to about 1e-4 of itself: the rounding depends on the machine.

    Args:
        features1: Floats (n₁, D), n₁ at least 2.
        features2: Floats (n₂, D), n₂ at least 2.

    Returns:
        The distance; rounding can leave it below 0.

    Raises:
        ValueError: not two axes, different D, fewer than two vectors, or a value that is not finite.

    Example:

    >>> features = np.random.default_rng(0).normal(size=(100, 4))
    >>> abs(frechet_distance_float32(features, features + 1.0) - 4.0) < 1e-4
    True
    """
    _check_features(features1, features2)
    (mean1, cov1), (mean2, cov2) = _float32_moments(features1), _float32_moments(features2)
    eigenvalues = np.linalg.eigvals((cov1 @ cov2).astype(np.float64))
    root = np.sqrt(eigenvalues.astype(np.complex128)).real.sum()
    return float(np.sum((mean1 - mean2) ** 2) + np.trace(cov1) + np.trace(cov2) - 2.0 * root)


def _float32_moments(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    features = np.asarray(features, np.float32)
    mean = features.mean(axis=0)
    difference = features - mean
    return mean, difference.T @ difference / np.float32(len(features) - 1)


def frechet_distance_of_moments(moments1: Moments, moments2: Moments) -> float:
    """Fréchet distance of the normal distributions with these moments, each of two vectors at least.

    Args:
        moments1, moments2: `Moments` of vectors of one length.

    Returns:
        The distance, at least 0.
    """
    return _from_factors(moments1.mean, moments1.factor(), moments2.mean, moments2.factor())


def _from_factors(mean1: np.ndarray, factor1: np.ndarray, mean2: np.ndarray, factor2: np.ndarray) -> float:
    nuclear_norm = np.linalg.svd(factor1 @ factor2.T, compute_uv=False).sum()
    distance = np.sum((mean1 - mean2) ** 2) + np.sum(factor1**2) + np.sum(factor2**2) - 2.0 * nuclear_norm
    # rounding can leave equal distributions a little below 0
    return max(float(distance), 0.0)


def _checked_mean(mean: np.ndarray, argument: str) -> np.ndarray:
    mean = np.asarray(mean, np.float64)
    if mean.ndim != 1 or not np.isfinite(mean).all():
        raise ValueError(f"{argument}: expected a finite vector (D,), found the shape {mean.shape} or other values.")
    return mean


def _checked_covariance(covariance: np.ndarray, argument: str, dimension: int) -> np.ndarray:
    covariance = np.asarray(covariance, np.float64)
    if covariance.shape != (dimension, dimension):
        raise ValueError(f"{argument}: expected the shape {(dimension, dimension)}, found {covariance.shape}.")
    if not np.isfinite(covariance).all():
        raise ValueError(f"{argument}: found values that are not finite.")
    if not np.allclose(covariance, covariance.T, rtol=1e-5, atol=1e-8 * np.abs(covariance).max(initial=0.0)):
        raise ValueError(f"{argument}: a covariance is symmetric, this matrix is not.")
    return (covariance + covariance.T) / 2.0
