"""How well a photo agrees with the label map that it was drawn of."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from keras_semisis.data import LabelSpace
from keras_semisis.data.eight_bit import from_8_bit
from keras_semisis.gans import Sampler
from keras_semisis.metrics import GeneratedMeanIoU
from keras_semisis.metrics.miou import confusion_of, iou_from_confusion

# of agreements in files, by which photos are kept too
_DIGITS = 4


def open_judge(
    gan: Sampler, segmenter: Any, label_space: LabelSpace, logits: bool = False
) -> Callable[[np.ndarray], np.ndarray]:
    """What sees classes in photos: a segmenter, or, where none is given, the discriminator.

    Args:
        gan: The model.
        segmenter: As `metrics.GeneratedMeanIoU` takes it, or None.
        label_space: What the classes are.
        logits: Whether logits are wanted, which tell how sure it is.

    Returns:
        A function from photos, uint8 ``(B, H, W, 3)``, to label maps ``(B, H, W)``, or to logits float32 ``(B, H, W, C)``, -∞
        for the don't-care class.

    Raises:
        ValueError: If there is neither.
        DataError: If the segmenter's classes are others than the model's.
    """
    if segmenter is not None:
        metric = GeneratedMeanIoU(segmenter, label_space.ignore_class, label_space.num_classes)
        gan.require_same_classes(**{"the segmenter": segmenter})
        see = metric.logits if logits else metric.answers
        return lambda photos: see(from_8_bit(photos))
    if gan.segmenting_network is None:
        raise ValueError(
            "There is nothing that photos could be judged by: the model has no discriminator that segments, since its method "
            "trains none or it was saved without. Give --segmenter FILE of train-segmenter (in Python segmenter=), or keep all "
            "photos by --no-filter (filter=False)" + (", and their pixels, without --pixel-tolerance." if logits else ".")
        )
    return gan.segmentation_logits if logits else gan.segment


def agreement(label_map: np.ndarray, seen: np.ndarray, num_classes: int, ignore_class: int | None = None) -> np.ndarray:
    """Intersection over union of a label map and what is seen in its photo, of each class that the label map shows.

    Args:
        label_map: Integers ``(H, W)``.
        seen: Likewise.
        num_classes: Number of classes.
        ignore_class: The don't-care class, whose pixels in the label map do not count; or None.

    Returns:
        float64 ``(num_classes,)`` in [0, 1], of four decimals; NaN for other classes, and for don't-care.

    Example:

    >>> agreement(np.array([[0, 0, 1, 2]]), np.array([[0, 1, 1, 1]]), num_classes=4, ignore_class=2).tolist()
    [0.5, 0.5, nan, nan]
    """
    confusion = confusion_of(label_map, seen, num_classes)
    found = iou_from_confusion(confusion, ignore_class).round(_DIGITS)
    found[confusion.sum(axis=1) == 0] = np.nan
    return found


def is_kept(found: Mapping[str, float], threshold: float, class_threshold: Mapping[str, float]) -> bool:
    """Whether a photo agrees well enough: the mean of its classes, and each of those that have a threshold.

    Args:
        found: Agreement by class name; a photo without any is not kept.
        threshold: The least mean.
        class_threshold: The least agreement of classes, by name.

    Example:

    >>> is_kept({"sky": 0.9, "pole": 0.1}, 0.5, {}), is_kept({"sky": 0.9, "pole": 0.1}, 0.5, {"pole": 0.2, "car": 0.9})
    (True, False)
    """
    return (
        bool(found)
        and mean_agreement(found) >= threshold
        and all(value >= class_threshold.get(name, 0.0) for name, value in found.items())
    )


def mean_agreement(found: Mapping[str, float]) -> float:
    """The mean over the classes of a photo."""
    return round(float(np.mean(list(found.values()))), _DIGITS)
