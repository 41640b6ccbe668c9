"""Whether a segmenter finds the classes of the label maps in generated images."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Self

import numpy as np

from keras_semisis.data.labels.label_space import LabelSpace
from keras_semisis.metrics.features import run
from keras_semisis.metrics.generation_metric import GenerationMetric, to_images, to_label_maps

# Channels of published segmenters for ADE20K and COCO-Stuff, whose label maps have 0 for unknown
_WITHOUT_UNKNOWN = (150, 182)
_SHIFTED = (
    " Where its channel c is class c + 1, as of published segmenters on ADE20K and COCO-Stuff, take "
    "evaluate_protocol (keras-semisis evaluate), which translates."
)


class GeneratedMeanIoU(GenerationMetric):
    """Mean intersection over union between label maps and what a segmenter sees in the images made from them.

    `<name>` is for the generated images, `<name>_real` for the real ones: a segmenter favors some classes,
    and only the two together mean anything. Counts are int64; classes that neither label maps nor segmenter
    name are left out of the mean.

    Pixels labeled `ignore_class` do not count, and the segmenter may not answer it: its logit is masked. A
    segmenter that returns label maps can still answer it; such a pixel counts as missed.

    Channel c of the segmenter is class c of the label maps. Published segmenters have channels of their own: channel
    c is class c + 1 of `data.ADE20K` and `data.COCOStuff`, and a train id of `data.Cityscapes`. `evaluate_protocol`
    translates.

    Args:
        segmenter: keras.Model or callable from float32 images (B, H, W, 3) in [-1, 1] to logits (B, H, W, C),
            or to an integer label map (B, H, W). Best trained on real images of the same data set and size.
        ignore_class: The don't-care id, in the range of the classes or outside it (255), or None.
        num_classes: Number of classes C, don't-care included where it is one of them. Needed where the
            segmenter returns label maps; otherwise taken from its logits, but for don't-care 0 and the 150 or
            182 channels of segmenters for ADE20K and COCO-Stuff.
        name: Key of the score.

    Reference:
        Park et al., "Semantic Image Synthesis with Spatially-Adaptive Normalization", 2019, section 4 (the
        protocol).

    Example:

    >>> metric = GeneratedMeanIoU(lambda images: (images[..., 0] > 0).astype(int), num_classes=2)
    >>> label_map = np.array([[[0, 1], [1, 1]]])
    >>> image = np.repeat(label_map[..., None] * 2.0 - 1.0, 3, axis=-1)
    >>> metric.update_state(label_map, real_images=image, generated_images=-image)
    >>> metric.result()
    {'miou': 0.0, 'miou_real': 1.0}
    """

    def __init__(
        self,
        segmenter: Callable[[Any], Any],
        ignore_class: int | None = None,
        num_classes: int | None = None,
        name: str = "miou",
    ):
        super().__init__(name)
        self.segmenter = segmenter
        self.ignore_class = ignore_class
        self.num_classes = num_classes
        self.reset_state()

    @classmethod
    def of_training(cls, judge: Any, photos: Any, label_space: LabelSpace) -> Self:
        return cls(judge, label_space.ignore_class, label_space.num_classes)

    @property
    def networks(self) -> tuple:
        return (self.segmenter,)

    def reset_state(self) -> None:
        self.confusion: np.ndarray | None = None
        self.confusion_real: np.ndarray | None = None

    def update_real(self, label_maps: Any, images: Any) -> None:
        counts = self.count(to_label_maps(label_maps, "label_maps"), images, "real_images")
        self.confusion_real = _sum(self.confusion_real, counts)

    def update_generated(self, label_maps: Any, images: Any) -> None:
        counts = self.count(to_label_maps(label_maps, "label_maps"), images, "generated_images")
        self.confusion = _sum(self.confusion, counts)

    def real_state(self) -> dict[str, np.ndarray]:
        return {} if self.confusion_real is None else {"confusion": self.confusion_real}

    def load_real_state(self, state: Mapping[str, np.ndarray]) -> None:
        confusion = state["confusion"]
        if self.num_classes not in (None, len(confusion)):
            raise ValueError(f"{self.name}: this state is of {len(confusion)} classes, the metric of {self.num_classes}.")
        self.num_classes, self.confusion_real = len(confusion), confusion

    def merge_state(self, others: Iterable[Self]) -> None:
        for other in others:
            self.confusion = _sum(self.confusion, other.confusion)
            self.confusion_real = _sum(self.confusion_real, other.confusion_real)

    def result(self) -> dict[str, float]:
        """Both means.

        Returns:
            `<name>` and `<name>_real`, in [0, 1].

        Raises:
            ValueError: no pixel of a class other than `ignore_class` was seen.
        """
        return {name: float(np.nanmean(ious)) for name, ious in self.per_class().items()}

    def per_class(self) -> dict[str, np.ndarray]:
        """Intersection over union of every class.

        Returns:
            Float64 (num_classes,) for `<name>` and for `<name>_real`; NaN for a class that occurs neither in
            the label maps nor in the segmenter's answers, and for `ignore_class`.

        Raises:
            ValueError: no pixel of a class other than `ignore_class` was seen.
        """
        generated, real = self._counts()
        return {
            self.name: iou_from_confusion(generated, self.ignore_class),
            f"{self.name}_real": iou_from_confusion(real, self.ignore_class),
        }

    def _counts(self) -> tuple[np.ndarray, np.ndarray]:
        """The confusion matrices of generated and of real images.

        Raises:
            ValueError: no pixel of a class other than `ignore_class` was seen.
        """
        if self.confusion is None or self.confusion_real is None or not (self.confusion.any() and self.confusion_real.any()):
            raise ValueError(f"{self.name}: no labeled pixel was seen; every one is don't-care or there was no batch.")
        return self.confusion, self.confusion_real

    def count(self, label_maps: np.ndarray, images: Any, argument: str = "images") -> np.ndarray:
        """The confusion matrix of one batch, which is not added to the state.

        Args:
            label_maps: int64 (B, H, W).
            images: Float images (B, H, W, 3) in [-1, 1].
            argument: Name of the argument that they came in by, for errors.

        Returns:
            int64 (num_classes, num_classes): pixels by label (row) and by answer (column).

        Raises:
            ValueError: the segmenter's answers are of another size, not a number or of other classes, or there is a
            stray id.
        """
        answers, num_classes = self._segment(to_images(images, argument))
        if answers.shape != label_maps.shape:
            raise ValueError(
                f"{argument}: the segmenter answers label maps of the shape {answers.shape}, label_maps have "
                f"{label_maps.shape}. Images, label maps and the segmenter's output must be of one size."
            )
        counted = np.ones(label_maps.shape, bool) if self.ignore_class is None else label_maps != self.ignore_class
        labels, answers = label_maps[counted], answers[counted]
        self._check_ids(labels, num_classes, "label_maps")
        self._check_ids(answers, num_classes, "the segmenter's answers")
        return confusion_of(labels, answers, num_classes)

    def answers(self, images: Any) -> np.ndarray:
        """The label maps that the segmenter sees.

        Args:
            images: Float images (B, H, W, 3) in [-1, 1].

        Returns:
            Integers (B, H, W); `ignore_class` only where the segmenter returns label maps.

        Raises:
            ValueError: the segmenter's answers are not a number or of other classes.
        """
        answers, num_classes = self._segment(to_images(images, "images"))
        self._check_ids(answers, num_classes, "the segmenter's answers")
        return answers

    def logits(self, images: Any) -> np.ndarray:
        """The segmenter's logits, of which `answers` are the arg max.

        Args:
            images: Float images (B, H, W, 3) in [-1, 1].

        Returns:
            Float32 (B, H, W, C); -∞ for `ignore_class`.

        Raises:
            ValueError: the segmenter returns label maps, or logits that are not a number or of other classes.
        """
        output = run(self.segmenter, to_images(images, "images"))
        if output.ndim == 3:
            raise ValueError("segmenter: it returns label maps; logits (B, H, W, C) are needed here.")
        return self._masked(output)

    def _segment(self, images: np.ndarray) -> tuple[np.ndarray, int]:
        """The segmenter's answers, and of how many classes they are."""
        output = run(self.segmenter, images)
        if output.ndim == 3:
            if self.num_classes is None:
                raise ValueError("num_classes: needed, because the segmenter returns label maps instead of logits.")
            return to_label_maps(output, "the segmenter's answers"), self.num_classes
        return self._masked(output).argmax(axis=-1), output.shape[-1]

    def _masked(self, logits: np.ndarray) -> np.ndarray:
        """Logits as float32, that of the don't-care class -∞."""
        if logits.ndim != 4 or self.num_classes not in (None, logits.shape[-1]):
            shifted = logits.ndim == 4 and logits.shape[-1] + 1 == self.num_classes
            raise ValueError(
                f"segmenter: expected logits (B, H, W, {self.num_classes or 'C'}) or a label map (B, H, W), "
                f"found the shape {logits.shape}." + (_SHIFTED if shifted else "")
            )
        if self.num_classes is None and self.ignore_class == 0 and logits.shape[-1] in _WITHOUT_UNKNOWN:
            raise ValueError(
                f"segmenter: it has {logits.shape[-1]} channels and ignore_class=0, so that it is unclear whether channel "
                f"0 is don't-care.{_SHIFTED} Otherwise give num_classes={logits.shape[-1]}."
            )
        self.num_classes = logits.shape[-1]
        logits = logits.astype(np.float32)
        if np.isnan(logits).any():
            raise ValueError("segmenter: its logits hold values that are not a number; check its weights.")
        if self.ignore_class is not None and 0 <= self.ignore_class < self.num_classes:
            logits[..., self.ignore_class] = -np.inf
        return logits

    def _check_ids(self, ids: np.ndarray, num_classes: int, words: str) -> None:
        stray = np.unique(ids[(ids < 0) | (ids >= num_classes)])
        if len(stray):
            raise ValueError(
                f"{words}: found the ids {stray[:10].tolist()}, expected 0 to {num_classes - 1}"
                + (f" and the don't-care id {self.ignore_class}" if self.ignore_class is not None else "")
                + ". Remap the labels in the data set, or name the don't-care id as ignore_class."
            )


def _sum(counts: np.ndarray | None, further: np.ndarray | None) -> np.ndarray | None:
    if counts is None or further is None:
        return further if counts is None else counts
    return counts + further


def confusion_of(labels: np.ndarray, answers: np.ndarray, num_classes: int) -> np.ndarray:
    """Counts of pixels by label and by answer.

    Args:
        labels, answers: Integers from 0 to ``num_classes - 1``, of one shape.
        num_classes: Number of classes.

    Returns:
        int64 (num_classes, num_classes): pixels by label (row) and by answer (column).

    Example:

    >>> confusion_of(np.array([0, 0, 1]), np.array([0, 1, 1]), 2).tolist()
    [[1, 1], [0, 1]]
    """
    pairs = np.asarray(labels, np.int64).ravel() * num_classes + np.ravel(answers)
    return np.bincount(pairs, minlength=num_classes**2).reshape(num_classes, num_classes).astype(np.int64)


def iou_from_confusion(confusion: np.ndarray, ignore_class: int | None = None) -> np.ndarray:
    """Intersection over union of every class from a matrix of counts.

    Args:
        confusion: Integers (C, C): pixels by label (row) and by answer (column).
        ignore_class: A class whose row does not count and that gets no score. Answers of it are misses of the
            labeled class. None, or an id outside the matrix, counts every class.

    Returns:
        Float64 (C,), in [0, 1]; NaN for a class that is neither labeled nor answered, and for
        `ignore_class`.

    Raises:
        ValueError: the matrix is not square.

    Example:

    >>> iou_from_confusion(np.array([[3, 1, 0], [0, 0, 0], [0, 0, 0]])).tolist()
    [0.75, 0.0, nan]
    """
    confusion = np.array(confusion, np.float64)
    if confusion.ndim != 2 or confusion.shape[0] != confusion.shape[1]:
        raise ValueError(f"confusion: expected a square matrix, found the shape {confusion.shape}.")
    ignored = ignore_class is not None and 0 <= ignore_class < len(confusion)
    if ignored:
        confusion[ignore_class] = 0.0
    intersection = np.diag(confusion)
    union = confusion.sum(axis=0) + confusion.sum(axis=1) - intersection
    ious = np.divide(intersection, union, out=np.full(len(confusion), np.nan), where=union > 0)
    if ignored:
        ious[ignore_class] = np.nan
    return ious
