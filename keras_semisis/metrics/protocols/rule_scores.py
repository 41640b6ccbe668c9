"""Segmentation scores under a rule."""

import math
from collections.abc import Callable
from typing import Any

from keras_semisis.data import LabelSpace
from keras_semisis.metrics.generated_segmentation_scores import GeneratedSegmentationScores
from keras_semisis.metrics.miou import iou_from_confusion
from keras_semisis.metrics.protocols.protocol import Protocol
from keras_semisis.metrics.protocols.rule_segmenter import RuleSegmenter, rule_for


class RuleScores(GeneratedSegmentationScores):
    """Segmentation scores of label maps whose ids a rule translates to the segmenter's channels.

    Args:
        network: As `RuleSegmenter` takes it.
        protocol: Has the rules.
        space: The label space of the label maps.
        size: (height, width) of images and label maps.

    Raises:
        ValueError: As `rule_for` and `RuleSegmenter` raise it.
    """

    def __init__(self, network: Callable[[Any], Any], protocol: Protocol, space: LabelSpace, size: tuple[int, int]):
        self.rule = rule_for(protocol, space, network)
        self.space = space
        segmenter = RuleSegmenter(network, self.rule, size, protocol.segmenter_eight_bit)
        super().__init__(segmenter, self.rule.ignored, self.rule.num_outputs, mean_over=self.rule.mean_over)
        self._input_sizes = segmenter.input_sizes
        # one at most, the don't-care class of a segmenter of one's own; a label map that it returns may still answer it
        self._unscored = next(iter(segmenter.masked), self.rule.ignored)

    def update_real(self, label_maps: Any, images: Any) -> None:
        super().update_real(self.rule.channels(label_maps), images)

    def update_generated(self, label_maps: Any, images: Any) -> None:
        super().update_generated(self.rule.channels(label_maps), images)

    def result(self) -> dict[str, float]:
        if self.confusion_real is not None and not self.confusion_real.any():
            raise ValueError(
                f"No labelled pixel counts: every one is ignored by the rule {self.rule.name!r}. Check the label "
                "maps and the don't-care class."
            )
        return super().result()

    def labels(self) -> dict[str, Any]:
        """The label map's ids as the segmenter's channels, and what does not count."""
        return {
            "rule": self.rule.name,
            "label_ids": list(self.rule.label_ids),
            "ignored": self.rule.ignored,
            "ignore_rule": f"pixels whose id maps to {self.rule.ignored} are left out",
            "mean_over": self.rule.mean_over,
            "segmenter_input_sizes": [list(size) for size in self._input_sizes],
        }

    def table(self) -> list[dict[str, Any]]:
        """A row for each class; an IoU is None where neither label maps nor segmenter name the class."""
        channels = enumerate(self.rule.label_ids)
        names = {channel: self.space.class_names[i] for i, channel in channels if channel != self.rule.ignored}
        generated, real = self._counts()
        ious, pixels = {"generated": iou_from_confusion(generated), "real": iou_from_confusion(real)}, real.sum(axis=1)
        return [
            {"channel": channel, "name": name, "labelled_pixels": int(pixels[channel])}
            | {which: None if math.isnan(values[channel]) else float(values[channel]) for which, values in ious.items()}
            for channel, name in sorted(names.items())
        ]
