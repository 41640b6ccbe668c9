"""The training photo that is nearest to a generated one."""

from collections.abc import Iterable, Mapping
from typing import Any, Self

import numpy as np

from keras_semisis.data.labels.label_space import LabelSpace
from keras_semisis.metrics.generation_metric import GenerationMetric, to_numpy
from keras_semisis.metrics.lpips import LPIPS


class NearestNeighborLPIPS(GenerationMetric):
    """LPIPS from each generated image to the nearest training photo: tells memorizing from learning.

    A generator that draws its training photos has a small `<name>`, whatever its other scores are. `<name>_real` is the same of
    unseen real photos: what a generator has that learned what photos look like and none of them by heart.

    Args:
        lpips: The distance.
        training_photos: Re-iterable data set of ``(image, label_map)`` batches, of which all images are taken once, as they
            are. Their vectors are kept: at 48×64 pixels and AlexNet 90 kilobytes a photo, growing with the pixels.
        name: Key of the score.

    Reference: the check for memorization of Sauer et al., "Projected GANs Converge Faster", NeurIPS 2021, and others, with
    LPIPS (Zhang et al., CVPR 2018).

    Example:

    >>> photos = np.linspace(-1, 1, 2 * 32 * 32 * 3).reshape(2, 32, 32, 3).astype("float32")
    >>> metric = NearestNeighborLPIPS(LPIPS(weights=None), [(photos, None)])
    >>> metric.update_state(None, real_images=-photos, generated_images=photos)
    >>> {name: round(value, 3) > 0 for name, value in metric.result().items()}
    {'nearest_lpips': False, 'nearest_lpips_real': True}
    """

    def __init__(self, lpips: LPIPS, training_photos: Iterable[Any], name: str = "nearest_lpips"):
        super().__init__(name)
        self.lpips = lpips
        self.training_photos = training_photos
        self._training: tuple[np.ndarray, np.ndarray] | None = None
        self.reset_state()

    @classmethod
    def of_training(cls, judge: LPIPS | None, photos: Any, label_space: LabelSpace) -> Self:
        return cls(LPIPS() if judge is None else judge, photos)

    @property
    def networks(self) -> tuple:
        return (self.lpips.feature_model,)

    def reset_state(self) -> None:
        self.generated: list[float] = []
        self.real: list[float] = []

    def update_real(self, label_maps: Any, images: Any) -> None:
        self.real.extend(self.nearest(images, "real_images").tolist())

    def update_generated(self, label_maps: Any, images: Any) -> None:
        self.generated.extend(self.nearest(images, "generated_images").tolist())

    def real_state(self) -> dict[str, np.ndarray]:
        return {"distances": np.array(self.real)}

    def load_real_state(self, state: Mapping[str, np.ndarray]) -> None:
        self.real = state["distances"].tolist()

    def merge_state(self, others: Iterable[Self]) -> None:
        for other in others:
            self.generated.extend(other.generated)
            self.real.extend(other.real)

    def result(self) -> dict[str, float]:
        """The means over the images.

        Returns:
            `<name>`, and `<name>_real` where photos were seen.

        Raises:
            ValueError: No images were seen.
        """
        if not self.generated:
            raise ValueError(f"{self.name}: no images were seen.")
        real = {f"{self.name}_real": float(np.mean(self.real))} if self.real else {}
        return {self.name: float(np.mean(self.generated))} | real

    def nearest(self, images: Any, argument: str = "images") -> np.ndarray:
        """LPIPS from each image to the nearest training photo.

        Args:
            images: Float images ``(B, H, W, 3)`` in [-1, 1], of the training photos' size.
            argument: Name of the argument that they came in by, for errors.

        Returns:
            float64 ``(B,)``.

        Raises:
            ValueError: There are no training photos, or they are of another size.
        """
        vectors = self.lpips.embed(images, argument)
        training, squares = self._embedded()
        if vectors.shape[1] != training.shape[1]:
            raise ValueError(f"{argument}: images of another size than the training photos'. Give both in one size.")
        squared = squares + np.square(vectors, dtype=np.float64).sum(axis=1)[:, None] - 2.0 * (vectors @ training.T)
        # by difference, which has no cancellation, once it is known which
        return np.square((vectors - training[squared.argmin(axis=1)]).astype(np.float64)).sum(axis=1)

    def _embedded(self):
        if self._training is None:
            parts = [self.lpips.embed(to_numpy(image), "training_photos") for image, _ in self.training_photos]
            if not parts:
                raise ValueError("training_photos: there are none.")
            training = np.concatenate(parts)
            self._training = training, np.square(training, dtype=np.float64).sum(axis=1)
        return self._training
