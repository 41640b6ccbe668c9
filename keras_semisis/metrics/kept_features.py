from collections.abc import Callable, Iterable
from typing import Any, Self

import numpy as np

from keras_semisis.metrics.features import Features
from keras_semisis.metrics.generation_metric import GenerationMetric


class KeptFeatures(GenerationMetric):
    """A metric that keeps the features of all images, in float32, since it compares one image with another.

    Args:
        feature_extractor: keras.Model or callable from float32 images (B, H, W, 3) in [-1, 1] to features (B,
            D), or a `Features` that several metrics share.
        baseline: Re-iterable data set of (image, label_map) batches of real training images, or None.
        name: Key of the score.
    """

    def __init__(self, feature_extractor: Callable[[Any], Any], baseline: Iterable[Any] | None, name: str):
        super().__init__(name)
        self.features = Features.shared(feature_extractor)
        self.baseline = baseline
        self.reset_state()

    @property
    def networks(self) -> tuple:
        return (self.features.extractor,)

    def reset_state(self) -> None:
        self.real: list[np.ndarray] = []
        self.generated: list[np.ndarray] = []

    def update_state(self, label_maps: Any, real_images: Any, generated_images: Any) -> None:
        self.real.append(self.features(real_images, "real_images").astype(np.float32))
        self.generated.append(self.features(generated_images, "generated_images").astype(np.float32))

    def merge_state(self, others: Iterable[Self]) -> None:
        for other in others:
            self.real.extend(other.real)
            self.generated.extend(other.generated)
