"""LPIPS: a perceptual distance that follows human judgment."""

from collections.abc import Iterable, Mapping
from typing import Any, Self

import numpy as np

from keras_semisis.distribution import predict
from keras_semisis.metrics.generation_metric import GenerationMetric, to_images
from keras_semisis.models.lpips import check_lpips_size, lpips_features


class LPIPS(GenerationMetric):
    """LPIPS, version 0.1: how different two images look.

    As a metric of a generator: the mean between each generated image and the photo of the same label map, whose vector is kept
    until the image comes. `distances` compares
    any images; `Diversity(LPIPS())` is the diversity that is published for multimodal image synthesis, and
    `NearestNeighborLPIPS` tells memorizing from learning. Float32, whatever the global dtype policy is.

    Args:
        network: ``"alexnet"``, as LPIPS is usually reported, or ``"vgg16"``.
        weights: ``"imagenet"`` (extra ``offline``), or None for random weights.
        name: Key of the score.

    Raises:
        ValueError, ModuleNotFoundError, FileNotFoundError, CheckpointError: As `models.lpips_features` raises them.

    Reference: Zhang et al., "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric", CVPR 2018. Equal to the
    PyPI package lpips 0.1.4 with the same trunk.

    Example:

    >>> metric = LPIPS(weights=None)
    >>> image = np.ones((2, 32, 32, 3), "float32")
    >>> metric.distances(image, image).tolist()
    [0.0, 0.0]
    """

    def __init__(self, network: str = "alexnet", weights: str | None = "imagenet", name: str = "lpips"):
        super().__init__(name)
        self.feature_model = lpips_features(network, weights)
        self.reset_state()

    @property
    def networks(self) -> tuple:
        return (self.feature_model,)

    def reset_state(self) -> None:
        self.values: list[float] = []
        self._waiting: list[np.ndarray] = []

    def update_real(self, label_maps: Any, images: Any) -> None:
        self._waiting.extend(self.embed(images, "real_images"))

    def update_generated(self, label_maps: Any, images: Any) -> None:
        generated = self.embed(images, "generated_images")
        if len(self._waiting) < len(generated):
            raise ValueError(
                f"{self.name}: {len(generated)} generated images for {len(self._waiting)} photos. Give "
                "update_real the photos of the same label maps, in the same order, before."
            )
        real, self._waiting = self._waiting[: len(generated)], self._waiting[len(generated) :]
        self.values.extend(_squared(np.reshape(real, generated.shape) - generated).tolist())

    def real_state(self) -> dict[str, np.ndarray]:
        return {"vectors": np.array(self._waiting, np.float32)}

    def load_real_state(self, state: Mapping[str, np.ndarray]) -> None:
        self._waiting = [*state["vectors"]]

    def merge_state(self, others: Iterable[Self]) -> None:
        for other in others:
            self.values.extend(other.values)
            self._waiting.extend(other._waiting)

    def result(self) -> dict[str, float]:
        """The mean over the images.

        Returns:
            `<name>`.

        Raises:
            ValueError: No images were seen.
        """
        if not self.values:
            raise ValueError(f"{self.name}: no images were seen.")
        return {self.name: float(np.mean(self.values))}

    def distances(self, images: Any, others: Any) -> np.ndarray:
        """LPIPS of two batches, image by image.

        Args:
            images: Float images ``(B, H, W, 3)`` in [-1, 1], H and W at least 31 (``"alexnet"``) or 16.
            others: Likewise.

        Returns:
            float64 ``(B,)``.

        Raises:
            ValueError: Images are smaller.
        """
        return _squared(self.embed(images, "images") - self.embed(others, "others"))

    def embed(self, images: Any, argument: str = "images") -> np.ndarray:
        """Vectors whose squared Euclidean distance is LPIPS.

        Args:
            images: Float images ``(B, H, W, 3)`` in [-1, 1].
            argument: Name of the argument that they came in by, for errors.

        Returns:
            float32 ``(B, D)``; D grows with the images.
        """
        images = to_images(images, argument)
        check_lpips_size(self.feature_model, images)
        maps = predict(self.feature_model, [images])
        return np.concatenate([x.reshape(len(x), -1) / np.float32(np.sqrt(x.shape[1] * x.shape[2])) for x in maps], axis=1)


def _squared(difference):
    return np.square(difference.astype(np.float64)).sum(axis=1)
