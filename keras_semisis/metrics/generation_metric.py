"""The contract of every metric."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any, Self

import numpy as np
from keras import ops

from keras_semisis.data.eight_bit import from_8_bit
from keras_semisis.data.labels.label_space import LabelSpace


class GenerationMetric(ABC):
    """A score of generated images beside the same score of real images: the base class of every metric.

    A score of generated images alone says little: a segmenter or a feature space has its own bias. Therefore
    every metric reports `<name>` for the generated images and `<name>_real` for real ones.

    The two kinds of images come in apart, by `update_real` and `update_generated`, so that what real images leave
    behind can be kept and used again (`real_state`, `load_real_state`); `update_state` takes a batch of both. Images of
    one label map come in the same order on both sides. `AdversarialModel.evaluate`, `evaluate_protocol` and
    `callbacks.PeriodicEvaluation` take any subclass.

    State is NumPy on the host, in float64 or int64: a float64 Keras variable would silently be float32 on
    JAX.

    Args:
        name: Key of the score in the result.

    Attributes:
        draws: Number of images of each label map, by as many noises, that the metric takes.

    docs/metrics.md has a metric of your own in full.
    """

    draws: int = 1

    def __init__(self, name: str):
        self.name = name

    @classmethod
    def of_protocol(cls, judge: Any, protocol: Any, seed: int) -> Self:
        """The metric with the numbers of a protocol, for those that `evaluate_protocol` computes by itself.

        Args:
            judge: What the metric needs: features, a segmenter, a perceptual network.
            protocol: A `Protocol`.
            seed: Of what the metric draws.
        """
        return cls(judge)

    @classmethod
    def of_training(cls, judge: Any, photos: Any, label_space: LabelSpace) -> Self:
        """The metric with the numbers of a training, for those that score one.

        Args:
            judge: As in `of_protocol`; None for a metric that comes with its own.
            photos: Re-iterable data set of (image, label_map) batches of photos that are trained on.
            label_space: What the label maps mean.
        """
        return cls(judge)

    @property
    def score_names(self) -> tuple[str, ...]:
        """Keys of the scores of generated images, as far as they are known before there are any."""
        return (self.name,)

    def _names_with(self, usual, *others):
        """The name and those of other scores, which begin with it where it is not the usual one."""
        return self.name, *(other if self.name == usual else f"{self.name}_{other}" for other in others)

    @property
    def networks(self) -> tuple:
        """The networks that judge, so that none judges a model that a relative of it has trained."""
        return ()

    @abstractmethod
    def reset_state(self) -> None:
        """Forgets every image."""

    @abstractmethod
    def update_real(self, label_maps: Any, images: Any) -> None:
        """Takes in a batch of photos.

        Args:
            label_maps: Integers (B, H, W): what they show.
            images: Floats (B, H, W, 3) in [-1, 1], or uint8.
        """

    @abstractmethod
    def update_generated(self, label_maps: Any, images: Any) -> None:
        """Takes in a batch of generated images.

        Args:
            label_maps: Integers (B, H, W): what they were generated from.
            images: Floats (B, H, W, 3) in [-1, 1]; (draws, B, H, W, 3) where `draws` is above 1.
        """

    def update_state(self, label_maps: Any, real_images: Any, generated_images: Any) -> None:
        """Takes in a batch of both.

        Args:
            label_maps: Integers (B, H, W): what the images show.
            real_images: Float images (B, H, W, 3) in [-1, 1], the photos that belong to the label maps.
            generated_images: As `update_generated` takes them, generated from the label maps.
        """
        self.update_real(label_maps, real_images)
        self.update_generated(label_maps, generated_images)

    @abstractmethod
    def real_state(self) -> dict[str, np.ndarray]:
        """What the photos have left behind, as arrays by name."""

    @abstractmethod
    def load_real_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Takes over what `real_state` of an equal metric has given, in place of its own photos.

        Raises:
            KeyError, ValueError: If it is not that of an equal metric.
        """

    @abstractmethod
    def merge_state(self, others: Iterable[Self]) -> None:
        """Takes in what other metrics of the same kind have seen, as if this one had seen it."""

    @abstractmethod
    def result(self) -> dict[str, float]:
        """Scores of all images so far: `<name>`, and `<name>_real` where it can be had."""


def split_scores(scores: Mapping[str, float]) -> tuple[dict[str, float], dict[str, float]]:
    """Scores of the generated images, and those of the real ones under the same names.

    >>> split_scores({"miou": 0.4, "miou_real": 0.5})
    ({'miou': 0.4}, {'miou': 0.5})
    """
    generated = {name: value for name, value in scores.items() if not name.endswith("_real")}
    real = {name.removesuffix("_real"): value for name, value in scores.items() if name.endswith("_real")}
    return generated, real


def to_images(images: Any, argument: str) -> np.ndarray:
    """Images as float32 on the host, their form and range checked.

    Args:
        images: Array or tensor of any backend, (B, H, W, 3): floats in [-1, 1], or uint8, which is converted.
        argument: Name of the argument that they came in by, for errors.

    Returns:
        The images as float32.

    Raises:
        ValueError: not four axes, not three channels, other integers, a value outside [-1, 1] or not a number.

    Example:

    >>> to_images(np.full((1, 1, 1, 3), 255, np.uint8), "real_images").tolist()
    [[[[1.0, 1.0, 1.0]]]]
    >>> to_images(np.full((1, 2, 2, 3), 255), "real_images")
    Traceback (most recent call last):
    ...
    ValueError: real_images: expected floats in [-1, 1], or uint8, found int64. Use images / 127.5 - 1.
    """
    images = to_numpy(images)
    if images.ndim != 4 or images.shape[-1] != 3:
        raise ValueError(f"{argument}: expected the shape (B, H, W, 3), found {images.shape}.")
    if images.dtype == np.uint8:
        return from_8_bit(images)
    if images.dtype.kind in "iub":
        raise ValueError(f"{argument}: expected floats in [-1, 1], or uint8, found {images.dtype}. Use images / 127.5 - 1.")
    images = images.astype(np.float32, copy=False)
    # bicubic resizing and bfloat16 overshoot a little
    if images.size and not np.abs(images).max() <= 1.01:
        raise ValueError(
            f"{argument}: expected values in [-1, 1], found {images.min()} to {images.max()}. Scale or clip the images."
        )
    return images


def to_label_maps(label_maps: Any, argument: str) -> np.ndarray:
    """Label maps on the host as integers (B, H, W).

    Args:
        label_maps: Array or tensor of any backend, (B, H, W), of any integer type.
        argument: Name of the argument that they came in by, for errors.

    Returns:
        The label maps as int64.

    Raises:
        ValueError: not three axes, or not integers.

    Example:

    >>> to_label_maps(np.zeros((1, 2, 2), np.uint8), "label_maps").dtype
    dtype('int64')
    """
    label_maps = to_numpy(label_maps)
    if label_maps.ndim != 3 or label_maps.dtype.kind not in "iu":
        raise ValueError(
            f"{argument}: expected integers of the shape (B, H, W), found {label_maps.dtype} of the shape {label_maps.shape}."
        )
    return label_maps.astype(np.int64)


def to_numpy(value: Any) -> np.ndarray:
    """An array or a tensor of any backend as NumPy.

    Args:
        value: Array or tensor.

    Returns:
        The same values on the host.

    Example:

    >>> to_numpy(ops.ones(2)).tolist()
    [1.0, 1.0]
    """
    return value if isinstance(value, np.ndarray) else np.asarray(ops.convert_to_numpy(value))
