"""Kernel distances between distributions of features."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, Self

import numpy as np

from keras_semisis.metrics.feature_metric import FeatureMetric
from keras_semisis.metrics.feature_statistics import FeatureStatistics


class KernelInceptionDistance(FeatureMetric):
    """Kernel distance (KID) between the features of real and of generated images.

    The unbiased estimate of the squared maximum mean discrepancy with the kernel (x·y/D + 1)³: its
    expectation is 0 for equal distributions at any number of images, and single values can be negative.

    With more images than `subset_size`, the mean over random subsets; otherwise the one estimate from all of
    them. `<name>_std` is the standard deviation of an estimate of that many images, which the literature
    prints behind "±"; `<name>_se` is the standard error of the value itself: see `kernel_estimate`. All
    features are kept, in float32.

    Args:
        feature_extractor: keras.Model or callable from float32 images (B, H, W, 3) in [-1, 1] to features (B,
            D), or a `Features` that several metrics share.
        baseline: Re-iterable data set of (image, label_map) batches of real *training* images, or None to
            leave `<name>_real` out. As many images as were seen are taken, from its beginning; with fewer of
            them, all.
        subset_size: Images of each kind in a subset.
        subsets: Number of subsets.
        seed: Seed of the subsets' draw.
        name: Key of the score.
        kept_images: Number of images, from the first on, that are compared; None for all.

    Raises:
        ValueError: `subset_size` is below 2 or `subsets` below 2.

    Reference:
        Bińkowski et al., "Demystifying MMD GANs", 2018, section 4.

    Example:

    >>> metric = KernelInceptionDistance(lambda images: images.mean(axis=(1, 2)))
    >>> random = np.random.default_rng(0)
    >>> real, generated = random.uniform(-1, 1, (2, 16, 4, 4, 3)).astype("float32")
    >>> metric.update_state(np.zeros((16, 4, 4), int), real, generated)
    >>> list(metric.result())
    ['kid', 'kid_std', 'kid_se']
    """

    biased = False

    def __init__(
        self,
        feature_extractor: Callable[[Any], Any],
        baseline: Iterable[Any] | None = None,
        subset_size: int = 1000,
        subsets: int = 100,
        seed: int = 0,
        name: str = "kid",
        kept_images: int | None = None,
    ):
        super().__init__(feature_extractor, baseline, name, kept_images)
        if subset_size < 2 or subsets < 2:
            raise ValueError(f"subset_size and subsets must be at least 2, found subset_size={subset_size}, subsets={subsets}.")
        self.subset_size = subset_size
        self.subsets = subsets
        self.seed = seed

    @classmethod
    def of_protocol(cls, judge: Any, protocol: Any, seed: int) -> Self:
        return cls(judge, None, protocol.kid_subset_size, protocol.kid_subsets, seed, kept_images=protocol.kept_images)

    def compare(self, real: FeatureStatistics, other: FeatureStatistics) -> dict[str, float]:
        found = kernel_estimate(
            real.features[: self.kept], other.features[: self.kept], self.subset_size, self.subsets, self.seed
        )
        return {self.name: found.value, f"{self.name}_std": found.std, f"{self.name}_se": found.standard_error}

    def result(self) -> dict[str, float]:
        """Both distances.

        Returns:
            `<name>`, `<name>_std`, `<name>_se`, and with a baseline `<name>_real` and `<name>_se_real`.

        Raises:
            ValueError: fewer than two images were seen, or the baseline has fewer than two.
        """
        self._check_count(self.real, "real images")
        self._check_count(self.generated, "generated images")
        scores = self.compare(self.real, self.generated)
        if self.baseline is not None:
            baseline = self.of_baseline(self.real.count)
            self._check_count(baseline, "baseline images")
            found = self.compare(baseline, self.real)
            scores |= {f"{name}_real": found[name] for name in (self.name, f"{self.name}_se")}
        return scores

    def _check_count(self, statistics: FeatureStatistics, words: str) -> None:
        count = len(statistics.features)
        if count < 2:
            raise ValueError(f"{self.name}: an unbiased estimate needs at least 2 {words}, found {count}.")


class KernelEstimate(NamedTuple):
    """A kernel distance and how sure it is.

    Attributes:
        value: The estimate.
        std: Standard deviation of an estimate of one subset.
        standard_error: Standard error of `value`.
    """

    value: float
    std: float
    standard_error: float


def kernel_estimate(x: np.ndarray, y: np.ndarray, subset_size: int = 1000, subsets: int = 100, seed: int = 0) -> KernelEstimate:
    """KID with its standard error.

    Up to `subset_size` vectors of the smaller sample: `kernel_distance` of all of them, and the first-order
    (Hoeffding) standard error of this U-statistic, which is both `std` and `standard_error`.

    More of them: the mean over random subsets of b = `subset_size` drawn without replacement. `std` is the
    standard deviation s over the subsets. These overlap, so that s/√subsets would be far too small: the
    standard error is √(s²·b/(n-b) + s²/subsets), n the size of the smaller sample. The first term is the
    delete-d jackknife with d = n-b, for the draw of the images; the second is for the draw of the subsets.

    Args:
        x: Features (n, D) of one sample.
        y: Features (m, D) of the other.
        subset_size: Vectors of each sample in a subset.
        subsets: Number of subsets.
        seed: Seed of their draw.

    Returns:
        A `KernelEstimate`, in float64.

    Raises:
        ValueError: a sample has fewer than two vectors, values that are not finite, or another D.

    Reference:
        Bińkowski et al., "Demystifying MMD GANs", 2018, section 4; Shao and Wu, "A General Theory for
        Jackknife Variance Estimation", 1989, eq. 2.2.

    Example:

    >>> x, y = np.random.default_rng(0).normal(size=(2, 40, 3))
    >>> found = kernel_estimate(x, y, subset_size=20)
    >>> found.std < found.standard_error < 1.1 * found.std  # half of the images: b / (n - b) = 1
    True
    """
    size = min(len(x), len(y))
    if size <= subset_size:
        value, deviation = kernel_distance(x, y), _standard_deviation(x, y)
        return KernelEstimate(value, deviation, deviation)
    random = np.random.default_rng(seed)
    values = []
    for _ in range(subsets):
        subset_x = x[random.choice(len(x), subset_size, replace=False)]
        subset_y = y[random.choice(len(y), subset_size, replace=False)]
        values.append(kernel_distance(subset_x, subset_y))
    deviation = float(np.std(values, ddof=1))
    factor = subset_size / (size - subset_size) + 1.0 / subsets
    return KernelEstimate(float(np.mean(values)), deviation, deviation * float(np.sqrt(factor)))


def kernel_distance(x: np.ndarray, y: np.ndarray) -> float:
    """Unbiased estimate of the squared maximum mean discrepancy with the kernel (x·y/D + 1)³.

    Args:
        x: Features (n, D) of one sample, n at least 2.
        y: Features (m, D) of the other, m at least 2.

    Returns:
        The estimate in float64; it can be negative.

    Raises:
        ValueError: a sample has fewer than two vectors, values that are not finite, or another D.

    Reference:
        Gretton et al., "A Kernel Two-Sample Test", 2012, eq. 3; the kernel of Bińkowski et al., 2018, section
        4.

    Example:

    >>> kernel_distance(np.array([[1.0], [1.0]]), np.array([[0.0], [0.0]]))
    7.0
    """
    for features, argument in ((x, "x"), (y, "y")):
        if np.ndim(features) != 2 or len(features) < 2:
            raise ValueError(f"{argument}: expected at least 2 vectors (n, D), found the shape {np.shape(features)}.")
        if not np.isfinite(features).all():
            raise ValueError(f"{argument}: found values that are not finite; check the feature network.")
    if np.shape(x)[1] != np.shape(y)[1]:
        raise ValueError(f"y: expected {np.shape(x)[1]} features, found {np.shape(y)[1]}.")
    within_x, within_y, across = _kernel(x, x), _kernel(y, y), _kernel(x, y)
    return float(_mean_off_diagonal(within_x) + _mean_off_diagonal(within_y) - 2.0 * across.mean())


def _kernel(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    return (x @ y.T / x.shape[1] + 1.0) ** 3


def _mean_off_diagonal(kernel: np.ndarray) -> float:
    n = len(kernel)
    return (kernel.sum() - np.trace(kernel)) / (n * (n - 1))


def _standard_deviation(x: np.ndarray, y: np.ndarray) -> float:
    """First-order standard deviation of the estimate: each image's own share, as if the others were fixed."""
    within_x, within_y, across = _kernel(x, x), _kernel(y, y), _kernel(x, y)
    n, m = across.shape
    share_x = (within_x.sum(axis=1) - np.diag(within_x)) / (n - 1) - across.mean(axis=1)
    share_y = (within_y.sum(axis=1) - np.diag(within_y)) / (m - 1) - across.mean(axis=0)
    return float(np.sqrt(4.0 * share_x.var(ddof=1) / n + 4.0 * share_y.var(ddof=1) / m))
