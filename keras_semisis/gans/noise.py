"""Noise that a generator is given: drawn by seeds, one vector for an image, or others at some of its pixels."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class NoiseField:
    """Noise that differs between regions, without a map of it.

    Args:
        vectors: ``(B, K, noise_channels)``, the vectors of each image.
        places: ``(B, H, W)``, which of them is at a pixel.
    """

    vectors: np.ndarray
    places: np.ndarray

    def maps(self) -> np.ndarray:
        """float32 ``(B, H, W, noise_channels)``."""
        return self.vectors[np.arange(len(self.vectors))[:, None, None], self.places]

    def part(self, image: int, rows: slice, columns: slice) -> np.ndarray:
        """The map of an image's rows and columns."""
        return self.vectors[image][self.places[image, rows, columns]]


def draw_noise(seed: int, first: int | str | Sequence[str], count: int, channels: int) -> np.ndarray:
    """Noise of label maps by their numbers or names, float32 ``(count, channels)``.

    Raises:
        ValueError: If there are not as many names as label maps.
    """
    draws = [np.random.default_rng((seed, number)).standard_normal(channels) for number in _numbers(first, count)]
    return np.asarray(draws, "float32").reshape(count, channels)


def between(start: np.ndarray, end: np.ndarray, count: int) -> np.ndarray:
    """Noise on the way from one vector to another, both included, along the arc on which standard normal vectors stay such.

    Args:
        start, end: ``(noise_channels,)``.
        count: How many, at least 2.

    Returns:
        float32 ``(count, noise_channels)``.

    Example:

    >>> between(np.array([2.0, 0.0]), np.array([0.0, 2.0]), 3).astype("float64").round(3).tolist()
    [[2.0, 0.0], [1.414, 1.414], [0.0, 2.0]]
    """
    cosine = np.dot(start, end) / max(np.linalg.norm(start) * np.linalg.norm(end), np.finfo("float32").tiny)
    angle = np.arccos(np.clip(cosine, -1, 1))
    shares = np.linspace(0, 1, count)[:, None]
    if np.sin(angle) < 1e-4:
        return ((1 - shares) * start + shares * end).astype("float32")
    return ((np.sin((1 - shares) * angle) * start + np.sin(shares * angle) * end) / np.sin(angle)).astype("float32")


def _numbers(first, count):
    """What the noise of each of so many label maps depends on."""
    if isinstance(first, int | np.integer):
        return range(first, first + count)
    names = [first] if isinstance(first, str) else list(first)
    if len(names) != count:
        raise ValueError(f"first: {len(names)} names for {count} label maps; give one for each, or the number of the first.")
    return [int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") for name in names]
