"""Which images have rare classes: the probabilities of rare-class sampling."""

import numpy as np

from keras_semisis.data.data_error import DataError
from keras_semisis.data.statistics.class_counts import ClassStatistics

_ROWS = 1024


def rare_class_scores(counts: np.ndarray, totals: np.ndarray, ignore_class: int | None) -> np.ndarray:
    """p̂_i = Σ_c n_i^c / n^c over the classes that occur, ``(..., classes)`` → ``(...)``."""
    shares = np.divide(counts, totals, out=np.zeros(counts.shape, np.float64), where=np.asarray(totals) > 0)
    if ignore_class is not None:
        shares[..., ignore_class] = 0.0
    return shares.sum(axis=-1)


def rare_class_probabilities(statistics: ClassStatistics | np.ndarray, ignore_class: int | None = None) -> np.ndarray:
    """The probability of each image under rare-class sampling: p_i = p̂_i / Σ_j p̂_j, p̂_i = Σ_c n_i^c / n^c.

    A class that no image has contributes nothing; neither does the don't-care class.

    Args:
        statistics: n_i^c, ``(images, classes)``, from `class_statistics`, or an array.
        ignore_class: The don't-care class, or None.

    Returns:
        float64 ``(images,)``, of sum 1.

    Raises:
        DataError: If no pixel counts at all.

    Example:

    >>> rare_class_probabilities(np.array([[90, 10], [10, 0]])).tolist()
    [0.95, 0.05]

    Reference:
        Eskandar et al., "A Semi-Paired Approach for Label-to-Image Translation", arXiv 2306.13585,
        section 3.4.
    """
    if isinstance(statistics, ClassStatistics):
        totals, scores = statistics.totals, np.zeros(len(statistics))
        for first in range(0, len(statistics), _ROWS):
            rows = statistics.rows(first, min(first + _ROWS, len(statistics)))
            scores[first : first + _ROWS] = rare_class_scores(rows, totals, ignore_class)
    else:
        statistics = np.asarray(statistics)
        scores = rare_class_scores(statistics, statistics.sum(axis=0), ignore_class)
    if not scores.sum() > 0:
        raise DataError(
            f"The {len(statistics)} label maps hold no pixel of any class but don't-care, so "
            "no image can be preferred. Check ignore_class and the labels, or use "
            'sampler="uniform".'
        )
    return scores / scores.sum()
