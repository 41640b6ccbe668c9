"""What stands around a segmenter: the sizes that it sees, the ids that it is compared with, the classes that count."""

from dataclasses import dataclass, replace

import numpy as np

from keras_semisis.data import Cityscapes, LabelSpace

IGNORED = 255
"""The label of a pixel that does not count, as in the published evaluation programs."""


@dataclass(frozen=True)
class SegmentationRule:
    """From generated images and their label maps to what is counted.

    Args:
        name: Name of the rule.
        label_ids: For each id of the label maps the segmenter's channel, or `ignored` where the pixel does not count.
        num_outputs: Number of the segmenter's channels.
        landmark: An id and a word of its name, by which another label space of the same length is told apart; None
            for no check.
        short_sides: Lengths that the shorter side of an image is resized to (Pillow's bilinear filter, the longer side at
            most ``long_side``, both rounded up to multiples of ``multiple_of``); the softmax maps of all are averaged.
            Empty: the segmenter sees the images at their own size.
        long_side, multiple_of: See above.
        fits_segmenter: Whether images are resized to a segmenter that takes one size alone. Otherwise it is refused.
        mean_over: Classes of the mean IoU, see `segmentation_scores`.

    Example:

    >>> rule = SegmentationRule("two of three", label_ids=(255, 0, 1), num_outputs=2)
    >>> rule.channels(np.array([[0, 1, 2]])).tolist()
    [[255, 0, 1]]
    """

    name: str
    label_ids: tuple[int, ...]
    num_outputs: int
    landmark: tuple[int, str] | None = None
    short_sides: tuple[int, ...] = ()
    long_side: int = 1000
    multiple_of: int = 32
    fits_segmenter: bool = True
    mean_over: str = "union"

    @property
    def ignored(self) -> int:
        """The channel that stands for a pixel that does not count: 255, or the next number that is no channel."""
        return max(IGNORED, self.num_outputs)

    def channels(self, label_map: np.ndarray) -> np.ndarray:
        """Label map of class ids to one of the segmenter's channels, `ignored` where a pixel does not count."""
        return np.asarray(self.label_ids, np.int64)[label_map]

    def input_sizes(self, size: tuple[int, int]) -> list[tuple[int, int]]:
        """(height, width) of each copy of an image of a size that the segmenter sees.

        >>> UPERNET.input_sizes((256, 512))[:2]
        [(320, 608), (384, 768)]
        """
        if not self.short_sides:
            return [(size[0], size[1])]
        scales = [min(short / min(size), self.long_side / max(size)) for short in self.short_sides]
        return [(self._rounded(size[0] * scale), self._rounded(size[1] * scale)) for scale in scales]

    def _rounded(self, side: float) -> int:
        return -(-int(side) // self.multiple_of) * self.multiple_of

    def fits(self, space: LabelSpace, num_outputs: int) -> bool:
        """Whether it is a rule for this label space and a segmenter with so many channels.

        Raises:
            ValueError: If the numbers agree and the names do not.
        """
        if (space.num_classes, num_outputs) != (len(self.label_ids), self.num_outputs):
            return False
        if self.landmark is not None:
            index, word = self.landmark
            name = space.class_names[index].lower()
            if word not in name and name != f"class {index}":
                raise ValueError(
                    f"The label space has {space.num_classes} classes and the segmenter {num_outputs}, as in the rule "
                    f"{self.name!r}; but class {index} is {name!r}, not {word!r}: it is another label set. Give a "
                    f"segmenter of the {space.num_classes} classes."
                )
        return True


def own_rule(space: LabelSpace) -> SegmentationRule:
    """For a segmenter with the label space's own classes."""
    rule = SegmentationRule("own classes", tuple(range(space.num_classes)), space.num_classes)
    return replace(rule, label_ids=tuple(rule.ignored if i == space.ignore_class else i for i in rule.label_ids))


_FROM_ONE = {n: (IGNORED, *range(n)) for n in (150, 182)}
# DRN-D-105: the images as they are
DRN = SegmentationRule("cityscapes, 19 train ids, DRN-D-105", Cityscapes.train_ids, 19, (7, "road"), fits_segmenter=False)
# UPerNet-101: the program's own five sizes
UPERNET = SegmentationRule(
    "ade20k, 150 classes, UPerNet-101 at five sizes",
    _FROM_ONE[150],
    150,
    (1, "wall"),
    short_sides=(300, 375, 450, 525, 600),
    fits_segmenter=False,
    mean_over="all",
)
# DeepLab-v2: the images as they are; its three scales are inside the network
DEEPLAB = SegmentationRule(
    "coco-stuff, 182 channels, DeepLab-v2-101", _FROM_ONE[182], 182, (1, "person"), fits_segmenter=False, mean_over="labelled"
)
PUBLISHED_RULES = (DRN, UPERNET, DEEPLAB)
# For any segmenter of the three benchmarks: its own size if it has one, the mean over the classes that occur
PLAIN_RULES = (
    SegmentationRule("cityscapes, 19 train ids", Cityscapes.train_ids, 19, (7, "road")),
    SegmentationRule("ade20k, 150 classes", _FROM_ONE[150], 150, (1, "wall")),
    SegmentationRule("coco-stuff, 182 channels", _FROM_ONE[182], 182, (1, "person")),
)
