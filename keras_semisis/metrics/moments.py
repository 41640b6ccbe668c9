"""Mean and covariance of vectors that come in by batches, exact in any order."""

from collections.abc import Iterable, Mapping
from typing import Self

import numpy as np


class Moments:
    """Mean and covariance of feature vectors that arrive in batches, in float64.

    Up to D vectors of D features are kept as they are, because their covariance is singular and they are the
    smaller and more exact description of it. From then on only the mean and the D×D scatter matrix are kept,
    so that memory does not depend on the number of vectors.

    Reference:
        Chan, Golub and LeVeque, "Updating Formulae and a Pairwise Algorithm for Computing Sample Variances",
        1979, eq. 2.1 (for matrices).

    Example:

    >>> moments = Moments()
    >>> moments.update(np.array([[0.0, 1.0], [2.0, 1.0]]))
    >>> moments.update(np.array([[4.0, 4.0]]))
    >>> moments.mean.tolist(), moments.covariance().tolist()
    ([2.0, 2.0], [[4.0, 3.0], [3.0, 3.0]])
    """

    def __init__(self):
        self.count = 0
        self._rows: list[np.ndarray] = []
        self._mean: np.ndarray | None = None
        self._scatter: np.ndarray | None = None

    @property
    def dimension(self) -> int:
        """Number of features of a vector, 0 before the first."""
        return 0 if self._mean is None else len(self._mean)

    @property
    def mean(self) -> np.ndarray:
        """Mean vector (D,); one vector at least."""
        if self._rows:
            return np.concatenate(self._rows).mean(axis=0)
        if self._mean is None:
            raise ValueError("Moments: no vector was seen.")
        return self._mean

    def update(self, features: np.ndarray) -> None:
        """Takes in a batch of vectors.

        Args:
            features: Floats (B, D).

        Raises:
            ValueError: D is not that of the vectors before.
        """
        if not len(features):
            return
        features = np.asarray(features, np.float64)
        dimension = features.shape[1]
        if self._mean is None:
            self._mean = np.zeros(dimension)
        if dimension != self.dimension:
            raise ValueError(f"features: expected vectors of {self.dimension} features, found {dimension}.")
        if self._scatter is None and self.count + len(features) <= dimension:
            self._rows.append(features.copy())
            self.count += len(features)
            return
        for rows in self._take_rows():
            self._add(len(rows), rows.mean(axis=0), _scatter(rows))
        self._add(len(features), features.mean(axis=0), _scatter(features))

    def merge(self, others: Iterable[Self]) -> None:
        """Takes in what others have taken in.

        Args:
            others: Moments of vectors of the same length. They are left as they are.
        """
        for other in others:
            for rows in list(other._rows):
                self.update(rows)
            if other._scatter is not None:
                for rows in self._take_rows():
                    self._add(len(rows), rows.mean(axis=0), _scatter(rows))
                self._add(other.count, other.mean, other._scatter)

    def covariance(self) -> np.ndarray:
        """Unbiased covariance matrix (D, D); two vectors at least."""
        scatter = _scatter(np.concatenate(self._rows)) if self._rows else self._scatter
        if scatter is None or self.count < 2:
            raise ValueError(f"Moments: a covariance needs two vectors at least, {self.count} were seen.")
        return scatter / (self.count - 1)

    def factor(self) -> np.ndarray:
        """A matrix F (rank, D) with covariance = FᵀF; two vectors at least."""
        if self._rows:
            return centered(np.concatenate(self._rows))
        return covariance_factor(self.covariance())

    def state(self) -> dict[str, np.ndarray]:
        """Arrays from which `from_state` makes equal moments."""
        if self._scatter is None:
            return {"rows": np.concatenate(self._rows) if self._rows else np.zeros((0, 0))}
        return {"count": np.array(self.count, np.int64), "mean": self.mean, "scatter": self._scatter}

    @classmethod
    def from_state(cls, state: Mapping[str, np.ndarray]) -> Self:
        """Moments from the arrays of `state`.

        Raises:
            KeyError: an array is missing.
        """
        moments = cls()
        if "rows" in state:
            moments.update(state["rows"])
        else:
            moments._add(int(state["count"]), state["mean"], state["scatter"])
        return moments

    def _take_rows(self) -> list[np.ndarray]:
        rows, self._rows = self._rows, []
        if rows:
            self.count = 0
        return rows

    def _add(self, count: int, mean: np.ndarray, scatter: np.ndarray) -> None:
        if self._scatter is None:
            self.count, self._mean, self._scatter = count, mean.copy(), scatter.copy()
            return
        total = self.count + count
        difference = mean - self._mean
        self._scatter += scatter + np.outer(difference, difference) * (self.count * count / total)
        self._mean = self._mean + difference * (count / total)
        self.count = total


def centered(features: np.ndarray) -> np.ndarray:
    """Features less their mean, over √(n-1): a factor of their covariance.

    Args:
        features: Floats (n, D), n at least 2.

    Returns:
        float64 (n, D).

    Example:

    >>> factor = centered(np.array([[1.0], [3.0]]))
    >>> (factor.T @ factor).round(12).tolist()
    [[2.0]]
    """
    features = np.asarray(features, np.float64)
    return (features - features.mean(axis=0)) / np.sqrt(len(features) - 1)


def covariance_factor(covariance: np.ndarray) -> np.ndarray:
    """F with covariance = FᵀF, from its eigenvectors; directions without variance are left out.

    Args:
        covariance: Symmetric positive semi-definite (D, D).

    Returns:
        float64 (rank, D).

    Example:

    >>> np.abs(covariance_factor(np.diag([4.0, 0.0]))).tolist()
    [[2.0, 0.0]]
    """
    values, vectors = np.linalg.eigh(covariance)
    kept = values > max(values[-1], 0.0) * len(values) * np.finfo(np.float64).eps
    return np.sqrt(values[kept])[:, None] * vectors[:, kept].T


def _scatter(features: np.ndarray) -> np.ndarray:
    difference = features - features.mean(axis=0)
    return difference.T @ difference
