"""Pixels of generated photos that do not show the class of their label map."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

# Of cross-entropies in files
_DIGITS = 6


def cross_entropy(label_maps: np.ndarray, logits: np.ndarray, ignore_class: int | None) -> np.ndarray:
    """What a segmenter that is trained on photos and their label maps would learn from, pixel by pixel.

    Args:
        label_maps: Integers ``(B, H, W)``.
        logits: Float ``(B, H, W, C)``; -∞ for the don't-care class.
        ignore_class: That class, or None.

    Returns:
        float64 ``(B, H, W)``; NaN at don't-care pixels.

    Example:

    >>> cross_entropy(np.array([[[0, 1, 2]]]), np.array([[[[0, 0, -np.inf]] * 3]]), ignore_class=2).round(4).tolist()
    [[[0.6931, 0.6931, nan]]]
    """
    counts = np.ones(label_maps.shape, bool) if ignore_class is None else label_maps != ignore_class
    logits = logits.astype("float64")
    own = np.take_along_axis(logits, np.where(counts, label_maps, 0)[..., None].astype("int64"), -1)[..., 0]
    return np.where(counts, np.logaddexp.reduce(logits, axis=-1) - own, np.nan)


def pixels_of(label_map: np.ndarray, costs: np.ndarray, class_names: Sequence[str]) -> dict[str, dict[str, float]]:
    """The mean cross-entropy and the number of pixels of each class of a label map, ready for JSON.

    Args:
        label_map: Integers ``(H, W)``.
        costs: `cross_entropy` ``(H, W)``.
        class_names: Of all classes.

    Example:

    >>> pixels_of(np.array([[0, 0, 1]]), np.array([[0.5, 1.5, np.nan]]), ("sky", "void"))
    {'sky': {'cross_entropy': 1.0, 'drawn': 2}}
    """
    counted = ~np.isnan(costs)
    found = {}
    for number in np.unique(label_map[counted]).tolist():
        of_class = costs[counted & (label_map == number)]
        found[class_names[number]] = {"cross_entropy": round(float(of_class.mean()), _DIGITS), "drawn": of_class.size}
    return found


def limits(found: Iterable[Mapping[str, Mapping[str, float]]], class_names: Sequence[str], tolerance: float) -> np.ndarray:
    """The cross-entropy above which a pixel of each class is taken for noise: a multiple of the class's mean.

    Args:
        found: `pixels_of` each photo.
        class_names: Of all classes.
        tolerance: The multiple.

    Returns:
        float64 ``(C,)``; NaN for classes without a pixel.

    Reference: Yang et al. (FreeMask), NeurIPS 2023, arXiv 2310.15160: its filter of noisy synthetic regions.

    Example:

    >>> found = [{"sky": {"cross_entropy": 1.0, "drawn": 3}}, {"sky": {"cross_entropy": 2.0, "drawn": 1}}]
    >>> limits(found, ("sky", "road"), 2.0).tolist()
    [2.5, nan]
    """
    sums, numbers = np.zeros((2, len(class_names)))
    for classes in found:
        for name, pixels in classes.items():
            sums[class_names.index(name)] += pixels["cross_entropy"] * pixels["drawn"]
            numbers[class_names.index(name)] += pixels["drawn"]
    return np.divide(tolerance * sums, numbers, out=np.full(len(class_names), np.nan), where=numbers > 0)


def without_noise(label_maps: np.ndarray, costs: np.ndarray, limits: np.ndarray, ignore_class: int) -> np.ndarray:
    """Label maps whose noisy pixels are don't-care.

    Args:
        label_maps: Integers ``(B, H, W)``.
        costs: `cross_entropy` ``(B, H, W)``.
        limits: As `limits` has them, ``(C,)``.
        ignore_class: The don't-care class.

    Example:

    >>> without_noise(np.array([[[0, 0, 1]]]), np.array([[[0.1, 3.0, 3.0]]]), np.array([1.0, 4.0, np.nan]), 2).tolist()
    [[[0, 2, 1]]]
    """
    return np.where(costs > limits[label_maps], np.asarray(ignore_class, label_maps.dtype), label_maps)
