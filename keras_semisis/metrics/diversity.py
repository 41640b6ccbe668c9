"""How far apart images of one label map are."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import Any, Self

import keras
import numpy as np

from keras_semisis.distribution import predict
from keras_semisis.former_names import former_method
from keras_semisis.metrics.generation_metric import GenerationMetric, to_images, to_numpy
from keras_semisis.metrics.lpips import LPIPS
from keras_semisis.models.lpips import check_lpips_size


class Diversity(GenerationMetric):
    """How much the images of one label map differ under several noises: their mean pairwise perceptual distance.

    The distance of two images is that of LPIPS in form: features normalized to unit length over the
    channels, squared difference weighted per channel, summed over the channels, averaged over space, summed over
    the layers. With `metrics.LPIPS` it is LPIPS. Of another feature model without `channel_weights` every channel
    weighs 1, and the values are **not LPIPS**: they compare among themselves alone, for one feature model.

    0 means that the noise has no effect. The score of real images is the mean distance of one photo and the next, of other
    label maps. State is one number a label map, and one photo.

    Args:
        feature_model: `metrics.LPIPS`, whose distance is then taken, or a keras.Model from images (B, H, W, 3) in
            [-1, 1] to one feature map (B, h, w, C) or a list of them, such as `models.vgg16_features()`. It owns
            its preprocessing.
        channel_weights: A vector (C,) of weights for each feature map: LPIPS's, with LPIPS's feature network; None
            for 1.
        draws: Number of noises for each label map, at least 2.
        name: Key of the score.

    Attributes:
        is_lpips: Whether the distance is that of `metrics.LPIPS`.

    Raises:
        ValueError: the weights do not fit the features, or ``draws`` is below 2.

    Reference:
        Zhang et al., "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric", 2018, eq. 1; the score:
        Zhu et al., "Toward Multimodal Image-to-Image Translation", 2017, section 5.

    Example:

    >>> image = keras.Input((4, 4, 3))
    >>> metric = Diversity(keras.Model(image, [keras.layers.Identity()(image)]))
    >>> one, other = np.full((1, 4, 4, 3), [1, 0, 0], "float32"), np.full((1, 4, 4, 3), [0, 1, 0], "float32")
    >>> metric.update_generated(None, np.stack([one, one, other]))  # pairs: equal, differing, differing
    >>> round(metric.result()["diversity"], 5)
    1.33333
    """

    def __init__(
        self,
        feature_model: keras.Model | LPIPS,
        channel_weights: Sequence[np.ndarray] | None = None,
        draws: int = 5,
        name: str = "diversity",
    ):
        super().__init__(name)
        if draws < 2:
            raise ValueError(f"draws={draws}: expected 2 or more.")
        self.draws = draws
        self.is_lpips = isinstance(feature_model, LPIPS)
        if self.is_lpips and channel_weights is not None:
            raise ValueError("channel_weights: LPIPS has its own; leave them out.")
        self.feature_model = feature_model.feature_model if isinstance(feature_model, LPIPS) else feature_model
        channels = [output.shape[-1] for output in self.feature_model.outputs]
        self.channel_weights = (
            [np.ones(c) for c in channels]
            if channel_weights is None
            else [np.asarray(to_numpy(w), np.float64).reshape(-1) for w in channel_weights]
        )
        if [len(w) for w in self.channel_weights] != channels:
            raise ValueError(
                f"channel_weights: expected vectors of {channels} weights for the features of {self.feature_model.name!r}, "
                f"found {[len(w) for w in self.channel_weights]}."
            )
        self.reset_state()

    @classmethod
    def of_protocol(cls, judge: Any, protocol: Any, seed: int) -> Self:
        return cls(judge, draws=protocol.diversity_draws)

    @property
    def networks(self) -> tuple:
        return (self.feature_model,)

    def reset_state(self) -> None:
        self.values: list[float] = []
        self.real_values: list[float] = []
        self._previous: np.ndarray | None = None

    def update_real(self, label_maps: Any, images: Any) -> None:
        images = to_images(images, "real_images")
        run = images if self._previous is None else np.concatenate([self._previous, images])
        if len(run) > 1:
            self.real_values.extend(self.distances(run[1:], run[:-1]).tolist())
        self._previous = run[-1:].copy()

    def update_generated(self, label_maps: Any, images: Any) -> None:
        """Takes in several images of each label map of a batch.

        Args:
            label_maps: Not used.
            images: Float images (K, B, H, W, 3) in [-1, 1]: K noises for each of B label maps, K at least 2.

        Raises:
            ValueError: not five axes, or fewer than two noises.
        """
        if len(np.shape(images)) != 5:
            raise ValueError(f"generated_images: expected the shape (draws, B, H, W, 3), found {np.shape(images)}.")
        if len(images) < 2:
            raise ValueError(f"{self.name}: needs at least 2 images of a label map, found {len(images)}.")
        features = [self.normalized(draw) for draw in images]
        pairs = [self._distance(a, b) for a, b in combinations(features, 2)]
        self.values.extend(np.mean(pairs, axis=0).tolist())

    def real_state(self) -> dict[str, np.ndarray]:
        last = {} if self._previous is None else {"last": self._previous}
        return {"distances": np.array(self.real_values)} | last

    def load_real_state(self, state: Mapping[str, np.ndarray]) -> None:
        self.real_values, self._previous = state["distances"].tolist(), state.get("last")

    def merge_state(self, others: Iterable[Self]) -> None:
        """Takes in what other metrics of the same kind have seen, without pairs of one's photos and the next one's."""
        for other in others:
            self.values.extend(other.values)
            self.real_values.extend(other.real_values)

    def result(self) -> dict[str, float]:
        """The mean over the label maps.

        Returns:
            `<name>`, and `<name>_se`, the standard error of the mean over label maps (NaN for a single one); with two photos at
            least `<name>_real`.

        Raises:
            ValueError: no images were seen.
        """
        if not self.values:
            raise ValueError(f"{self.name}: no images were seen.")
        count = len(self.values)
        error = np.std(self.values, ddof=1) / np.sqrt(count) if count > 1 else np.nan
        real = {f"{self.name}_real": float(np.mean(self.real_values))} if self.real_values else {}
        return {self.name: float(np.mean(self.values)), f"{self.name}_se": float(error)} | real

    def distances(self, images: Any, others: Any) -> np.ndarray:
        """Perceptual distances of two batches, image by image.

        Args:
            images: Float images (B, H, W, 3) in [-1, 1].
            others: Likewise.

        Returns:
            float64 (B,).
        """
        return self._distance(self.normalized(images), self.normalized(others))

    def normalized(self, images: Any) -> list[np.ndarray]:
        """Feature maps of a batch, of unit length over the channels; weighted as well where they are LPIPS's."""
        images = to_images(images, "draws")
        check_lpips_size(self.feature_model, images)
        outputs = predict(self.feature_model, [images])
        maps = [x.astype(np.float32) for x in (outputs if isinstance(outputs, list) else [outputs])]
        if self.is_lpips:
            return maps
        return [x / (np.sqrt(np.sum(x**2, axis=-1, keepdims=True)) + 1e-10) for x in maps]

    normalised = former_method("normalised", "normalized")

    def _distance(self, features, others):
        return sum(
            np.mean((a - b) ** 2 @ weights, axis=(1, 2))
            for a, b, weights in zip(features, others, self.channel_weights, strict=True)
        )
