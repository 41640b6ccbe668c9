"""What is kept of the features of a set of images."""

from collections.abc import Mapping
from typing import Self

import numpy as np

from keras_semisis.metrics.frechet import frechet_distance_float32, frechet_distance_of_moments
from keras_semisis.metrics.kernel import kernel_estimate
from keras_semisis.metrics.moments import Moments
from keras_semisis.metrics.precision_recall import precision_recall
from keras_semisis.metrics.protocols.protocol import Protocol


class FeatureStatistics:
    """Mean and covariance of all images in float64, and the features of the first ones in float32.

    Args:
        kept: Number of images whose features are kept; None for all.
    """

    def __init__(self, kept: int | None):
        self.kept = kept
        self.moments = Moments()
        self._parts: list[np.ndarray] = []

    @property
    def count(self) -> int:
        """Number of images."""
        return self.moments.count

    @property
    def features(self) -> np.ndarray:
        """Features (n, D) of the first images."""
        return np.concatenate(self._parts)

    def update(self, features: np.ndarray) -> None:
        """Takes in the features (B, D) of a batch."""
        room = len(features) if self.kept is None else max(0, self.kept - self.count)
        self._parts.append(features[:room].astype(np.float32))
        self.moments.update(features)

    def state(self) -> dict[str, np.ndarray]:
        """Arrays from which `from_state` makes equal statistics."""
        return self.moments.state() | {"features": self.features}

    @classmethod
    def from_state(cls, state: Mapping[str, np.ndarray], kept: int | None) -> Self:
        """Statistics from the arrays of `state`.

        Raises:
            KeyError: If an array is missing.
        """
        statistics = cls(kept)
        statistics.moments = Moments.from_state(state)
        statistics._parts = [state["features"]]
        return statistics


def distances(protocol: Protocol, real: FeatureStatistics, other: FeatureStatistics, seed: int) -> dict[str, float]:
    """Every score that the features of real and of other images give under a protocol."""
    key = "fid" if protocol.features == "inception_v3_fid" else "frechet"
    if protocol.statistics == "float32":
        scores = {key: frechet_distance_float32(real.features, other.features)}
    else:
        scores = {key: frechet_distance_of_moments(real.moments, other.moments)}
    kept = [statistics.features[: protocol.kept_images] for statistics in (real, other)]
    kid = kernel_estimate(*kept, protocol.kid_subset_size, protocol.kid_subsets, seed)
    scores |= {"kid": kid.value, "kid_std": kid.std, "kid_se": kid.standard_error}
    if min(map(len, kept)) > protocol.neighbours:
        scores["precision"], scores["recall"] = precision_recall(*kept, protocol.neighbours)
    return scores
