"""Features of images by a network that judges."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Self

import keras
import numpy as np

from keras_semisis.distribution import predict
from keras_semisis.metrics.generation_metric import to_images, to_numpy

# real and generated images of the current batch, and one batch more
_KEPT_BATCHES = 4


class Features:
    """A feature extractor that computes the features of a batch once for all metrics that share it.

    Give the same object to `FrechetInceptionDistance` and `KernelInceptionDistance` and each batch passes the
    network once. The last batches are recognized by their content.

    Args:
        extractor: keras.Model or any callable from float32 images (B, H, W, 3) in [-1, 1] to features (B, D).

    Example:

    >>> features = Features(lambda images: images.mean(axis=(1, 2)))
    >>> features(np.zeros((5, 8, 8, 3), "float32")).shape
    (5, 3)
    """

    def __init__(self, extractor: Callable[[Any], Any]):
        self.extractor = extractor
        self._recent: OrderedDict[tuple, np.ndarray] = OrderedDict()

    @classmethod
    def shared(cls, extractor: Callable[[Any], Any]) -> Self:
        """The extractor itself if it is a `Features` already, else a new one around it."""
        return extractor if isinstance(extractor, cls) else cls(extractor)

    def __call__(self, images: Any, argument: str = "images") -> np.ndarray:
        """Features of a batch.

        Args:
            images: Float images (B, H, W, 3) in [-1, 1].
            argument: Name of the argument that they came in by, for errors.

        Returns:
            Features (B, D), float32 or float64.

        Raises:
            ValueError: the images are not as said, or the extractor does not give finite features (B, D).
        """
        images = self.seen(images, argument)
        # Content, not identity: a loop may fill one buffer again and again.
        key = (images.shape, hashlib.sha256(np.ascontiguousarray(images).data).digest())
        if key not in self._recent:
            self._recent[key] = self._checked(run(self.extractor, images), len(images))
            if len(self._recent) > _KEPT_BATCHES:
                self._recent.popitem(last=False)
        return self._recent[key]

    def seen(self, images: Any, argument: str) -> np.ndarray:
        """The images as the network sees them, float32 (B, H, W, 3) in [-1, 1]."""
        return to_images(images, argument)

    def _checked(self, features: np.ndarray, batch: int) -> np.ndarray:
        if features.ndim != 2 or len(features) != batch:
            raise ValueError(
                f"The feature extractor gave an array of the shape {features.shape} for {batch} images; "
                f"expected ({batch}, D). Pool its output over the spatial axes."
            )
        if features.dtype != np.float64:
            features = features.astype(np.float32)
        if not np.isfinite(features).all():
            raise ValueError("The feature extractor gave values that are not finite; check its weights.")
        return features

    def of_first(self, batches: Iterable[Any], count: int) -> Iterator[np.ndarray]:
        """Features of the first images of a data set.

        Args:
            batches: Iterable of (image, label_map) batches; the images float (B, H, W, 3) in [-1, 1].
            count: Number of images to take.

        Yields:
            Features (B, D), batch by batch, at most `count` in all.

        Raises:
            TypeError: a batch is no (image, label_map) pair.
        """
        left = count
        for batch in batches:
            if not isinstance(batch, (tuple, list)) or len(batch) != 2:
                raise TypeError(
                    f"baseline: expected batches of (image, label_map), found a {type(batch).__name__}. "
                    "Give the data set of real training images."
                )
            images = to_numpy(batch[0])[:left]
            left -= len(images)
            yield self(images, "baseline")
            if left <= 0:
                return


def run(model: Callable[[Any], Any], images: np.ndarray) -> np.ndarray:
    """Output of a network for a batch, on the host.

    Args:
        model: keras.Model (compiled for its backend, in inference mode) or any callable.
        images: Float32 images (B, H, W, 3).

    Returns:
        The output as NumPy.

    Example:

    >>> run(lambda images: images[..., 0], np.ones((1, 2, 2, 3), "float32")).shape
    (1, 2, 2)
    """
    return predict(model, [images]) if isinstance(model, keras.Model) else to_numpy(model(images))
