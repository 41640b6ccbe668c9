"""What is kept of the features of a set of images."""

from collections.abc import Iterable, Mapping
from typing import Self

import numpy as np

from keras_semisis.metrics.moments import Moments


class FeatureStatistics:
    """Mean and covariance of all vectors in float64, and the first vectors in float32.

    Args:
        kept: Number of vectors that are kept; None for all.
        with_moments: Whether mean and covariance are wanted.

    Attributes:
        count: Number of vectors that have come in.
        dimension: Length of a vector, 0 before the first.
        moments: Their `Moments`; empty where these are not wanted.

    Example:

    >>> statistics = FeatureStatistics(kept=1)
    >>> statistics.update(np.array([[0.0, 1.0], [2.0, 1.0]]))
    >>> statistics.count, statistics.features.tolist(), statistics.moments.mean.tolist()
    (2, [[0.0, 1.0]], [1.0, 1.0])
    """

    def __init__(self, kept: int | None = None, with_moments: bool = True):
        self.kept = kept
        self.with_moments = with_moments
        self.count = self.dimension = 0
        self.moments = Moments()
        self._parts: list[np.ndarray] = []

    @property
    def features(self) -> np.ndarray:
        """The vectors that are kept, (n, D)."""
        return np.concatenate(self._parts) if self._parts else np.zeros((0, self.dimension), np.float32)

    def update(self, features: np.ndarray) -> None:
        """Takes in the features (B, D) of a batch."""
        self._keep(features)
        if self.with_moments:
            self.moments.update(features)
        self.count += len(features)

    def merge(self, others: Iterable[Self]) -> None:
        """Takes in what others have taken in, as if it had come in after its own. They are left as they are."""
        for other in others:
            self._keep(other.features)
            self.moments.merge([other.moments])
            self.count += other.count

    def state(self) -> dict[str, np.ndarray]:
        """Arrays from which `from_state` makes equal statistics."""
        return self.moments.state() | {"features": self.features, "seen": np.array(self.count, np.int64)}

    @classmethod
    def from_state(cls, state: Mapping[str, np.ndarray], kept: int | None = None, with_moments: bool = True) -> Self:
        """Statistics from the arrays of `state`.

        Raises:
            KeyError: If an array is missing.
            ValueError: If fewer vectors were kept than are wanted, or no moments.
        """
        statistics = cls(kept, with_moments)
        statistics.moments = Moments.from_state(state)
        statistics._keep(state["features"])
        statistics.count = int(state["seen"])
        wanted = statistics.count if kept is None else min(kept, statistics.count)
        if len(statistics.features) < wanted or (with_moments and statistics.moments.count != statistics.count):
            raise ValueError("These statistics are of a metric that keeps less.")
        return statistics

    def _keep(self, features):
        held = sum(map(len, self._parts))
        room = len(features) if self.kept is None else max(0, self.kept - held)
        self.dimension = self.dimension or features.shape[1]
        if room:
            self._parts.append(features[:room].astype(np.float32))
