"""A segmenter under a rule."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from keras_semisis.data import LabelSpace
from keras_semisis.metrics.features import run
from keras_semisis.metrics.protocols.protocol import Protocol
from keras_semisis.metrics.protocols.resizing import bilinear, from_8_bit, pillow_bilinear, softmax, to_8_bit
from keras_semisis.metrics.protocols.segmentation_rule import SegmentationRule, own_rule


class RuleSegmenter:
    """From images to the rule's channels: sizes before the segmenter, and back to the size of the label maps behind it.

    Args:
        network: keras.Model or callable from float32 images (B, H, W, 3) in [-1, 1] to logits (B, h, w, C) at any
            resolution, or, without any resizing, to label maps (B, H, W).
        rule: What stands around it.
        size: (height, width) of images and label maps.
        eight_bit: Whether the network sees the images rounded to 8 bits.

    Raises:
        ValueError: If the network takes one size alone, which the rule does not make.
    """

    def __init__(self, network: Callable[[Any], Any], rule: SegmentationRule, size: tuple[int, int],
                 eight_bit: bool):
        self.network = network
        self.rule = rule
        self.size = tuple(size)
        self.eight_bit = eight_bit
        self.input_sizes = rule.input_sizes(size)
        fixed = tuple(network.input_shape[1:3]) if isinstance(network, keras.Model) else (None, None)
        if None not in fixed and fixed not in self.input_sizes:
            if not rule.fits_segmenter:
                raise ValueError(
                    f"The segmenter {network.name!r} takes images of {fixed} alone, but the rule {rule.name!r} shows it "
                    f"{', '.join(map(str, self.input_sizes))}. Build it for any size, or use --protocol native, which "
                    "resizes the images to the segmenter.")
            self.input_sizes = [fixed]
        # the don't-care class of a segmenter of one's own: no label map can name it, so it is no answer
        self._masked = sorted(set(range(rule.num_outputs)) - set(rule.label_ids))

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Channels (B, H, W) of float images (B, H, W, 3) in [-1, 1]."""
        source = to_8_bit(images) if self.eight_bit else images
        scores = 0.0
        for size in self.input_sizes:
            resized = pillow_bilinear(source, size)
            output = run(self.network, from_8_bit(resized) if self.eight_bit else resized)
            if output.ndim == 3 and len(self.input_sizes) == 1 and output.shape[1:] == self.size:
                return output
            if output.ndim != 4 or output.shape[-1] != self.rule.num_outputs:
                raise ValueError(f"segmenter: expected logits (B, h, w, {self.rule.num_outputs}) or a label map "
                                 f"(B, {self.size[0]}, {self.size[1]}), found the shape {output.shape}.")
            logits = bilinear(output, self.size)
            scores = scores + (softmax(logits) if len(self.input_sizes) > 1 else logits)
        scores[..., self._masked] = -np.inf
        return scores.argmax(axis=-1)


def rule_for(protocol: Protocol, space: LabelSpace, network: Callable[[Any], Any]) -> SegmentationRule:
    """The rule for a segmenter and label maps: by its classes.

    Raises:
        ValueError: If there is none.
    """
    outputs = space.num_classes
    if isinstance(network, keras.Model):
        shape = network.output_shape
        if not isinstance(shape, tuple) or len(shape) != 4 or shape[-1] is None:
            raise ValueError(f"The segmenter {network.name!r} returns {shape}; expected one tensor of logits (B, h, w, C).")
        outputs = shape[-1]
    if outputs == space.num_classes:
        return own_rule(space)
    for rule in protocol.segmentation:
        if rule.fits(space, outputs):
            return rule
    known = "; ".join(f"{len(rule.label_ids)} with {rule.num_outputs} ({rule.name})" for rule in protocol.segmentation)
    raise ValueError(f"The segmenter has {outputs} classes and the label maps {space.num_classes}. The protocol "
                     f"{protocol.name!r} knows {known}; or a segmenter with the label maps' own {space.num_classes}.")
