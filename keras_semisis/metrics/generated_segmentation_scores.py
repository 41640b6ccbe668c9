"""Mean IoU, frequency-weighted IoU and pixel accuracy of generated images."""

from collections.abc import Callable
from typing import Any

import numpy as np

from keras_semisis.metrics.miou import GeneratedMeanIoU, iou_from_confusion

# "labelled" is in the documents of published protocols, whose hashes are pinned
MEANS = ("union", "labelled", "all")


class GeneratedSegmentationScores(GeneratedMeanIoU):
    """Mean IoU, frequency-weighted IoU and pixel accuracy of what a segmenter sees in generated images.

    State is that of `GeneratedMeanIoU`; the scores are those of `segmentation_scores`, and `per_class` gives the table
    of classes.

    Args:
        segmenter, ignore_class, num_classes: As in `GeneratedMeanIoU`.
        name: Key of the mean IoU. Another than `miou` is also the beginning of the other keys.
        mean_over: Which classes the mean IoU is over, as in `segmentation_scores`.

    Example:

    >>> metric = GeneratedSegmentationScores(lambda images: (images[..., 0] > 0).astype(int), num_classes=2)
    >>> label_map = np.array([[[0, 1], [1, 1]]])
    >>> image = np.repeat(label_map[..., None] * 2.0 - 1.0, 3, axis=-1)
    >>> metric.update_state(label_map, real_images=image, generated_images=-image)
    >>> metric.result()["pixel_accuracy"], metric.result()["fwiou_real"]
    (0.0, 1.0)
    """

    def __init__(
        self,
        segmenter: Callable[[Any], Any],
        ignore_class: int | None = None,
        num_classes: int | None = None,
        name: str = "miou",
        mean_over: str = "union",
    ):
        super().__init__(segmenter, ignore_class, num_classes, name)
        _check_mean_over(mean_over)
        self.mean_over = mean_over
        self._unscored = ignore_class

    def result(self) -> dict[str, float]:
        """The scores of generated and of real images.

        Returns:
            `miou`, `fwiou` and `pixel_accuracy` in [0, 1], and the same with `_real`. With a name of its own `<name>`,
            `<name>_fwiou` and `<name>_pixel_accuracy`, likewise.

        Raises:
            ValueError: no pixel of a class other than `ignore_class` was seen.
        """
        generated, real = (
            zip(self.score_names, segmentation_scores(counts, self._unscored, self.mean_over).values(), strict=True)
            for counts in self._counts()
        )
        return dict(generated) | {f"{name}_real": value for name, value in real}

    @property
    def score_names(self) -> tuple[str, ...]:
        return self._names_with("miou", "fwiou", "pixel_accuracy")


def segmentation_scores(confusion: np.ndarray, ignore_class: int | None = None, mean_over: str = "union") -> dict[str, float]:
    """Mean IoU, frequency-weighted IoU and pixel accuracy from a matrix of counts.

    With t_c the pixels labeled c: the frequency-weighted IoU is Σ_c t_c · IoU_c / Σ_c t_c, the pixel accuracy the
    share of labeled pixels that are answered by their class.

    Args:
        confusion: Integers (C, C): pixels by label (row) and by answer (column).
        ignore_class: A class whose row does not count and that gets no score, or None.
        mean_over: Which classes the mean IoU is over, where programs differ: `"union"`, those that are labeled or
            answered; `"labelled"`, those that are labeled; `"all"`, every class, one that never occurs with 0.

    Returns:
        `miou`, `fwiou`, `pixel_accuracy`, in [0, 1].

    Raises:
        ValueError: the matrix is not square, counts nothing, or `mean_over` is none of the above.

    Reference:
        Long et al., "Fully Convolutional Networks for Semantic Segmentation", 2015, section 5 (the metrics).

    Example:

    >>> scores = segmentation_scores(np.array([[3, 1, 0], [0, 4, 0], [0, 0, 0]]))
    >>> scores["miou"], scores["fwiou"], scores["pixel_accuracy"]
    (0.775, 0.775, 0.875)
    >>> segmentation_scores(np.array([[1, 0], [0, 0]]), mean_over="all")["miou"]
    0.5
    """
    _check_mean_over(mean_over)
    ious = iou_from_confusion(confusion, ignore_class)
    counts = np.array(confusion, np.int64)
    counted = np.ones(len(counts), bool)
    if ignore_class is not None and 0 <= ignore_class < len(counts):
        counts[ignore_class] = 0
        counted[ignore_class] = False
    labeled = counts.sum(axis=1)
    if not labeled.any():
        raise ValueError("confusion: it counts no labeled pixel.")
    known = np.nan_to_num(ious)
    averaged = {"union": ~np.isnan(ious), "labelled": labeled > 0, "all": counted}[mean_over]
    return {
        "miou": float(known[averaged].mean()),
        "fwiou": float(labeled @ known / labeled.sum()),
        "pixel_accuracy": float(np.trace(counts) / labeled.sum()),
    }


def _check_mean_over(mean_over):
    if mean_over not in MEANS:
        raise ValueError(f"mean_over={mean_over!r}: expected one of {', '.join(map(repr, MEANS))}.")
