"""A segmenter under a rule."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from keras_semisis.data import LabelSpace
from keras_semisis.data.eight_bit import from_8_bit, to_8_bit
from keras_semisis.metrics.features import run
from keras_semisis.metrics.protocols.protocol import Protocol
from keras_semisis.metrics.protocols.resizing import bilinear, pillow_bilinear, softmax
from keras_semisis.metrics.protocols.segmentation_rule import SegmentationRule, own_rule
from keras_semisis.models.upernet import class_scores


class RuleSegmenter:
    """From images to the rule's channels: sizes before the segmenter, and back to the size of the label maps behind it.

    Args:
        network: keras.Model or callable from float32 images (B, H, W, 3) in [-1, 1] to logits (B, h, w, C) at any
            resolution, or, without any resizing, to label maps (B, H, W). Of `models.upernet_101` the scores before its
            resize and softmax are taken where the rule has several sizes.
        rule: What stands around it.
        size: (height, width) of images and label maps.
        eight_bit: Whether the network sees the images rounded to 8 bits.

    Raises:
        ValueError: If the network takes one size alone, which the rule does not make.
    """

    def __init__(self, network: Callable[[Any], Any], rule: SegmentationRule, size: tuple[int, int], eight_bit: bool):
        # the published mean is over the softmax at the label maps' size, not at that of each enlarged image
        self.network = class_scores(network) if rule.short_sides else network
        self.rule = rule
        self.size = size[0], size[1]
        self.eight_bit = eight_bit
        self.input_sizes = rule.input_sizes(size)
        shape = getattr(network, "input_shape", None) if isinstance(network, keras.Model) else None
        fixed: Any = shape[1:3] if isinstance(shape, tuple) and len(shape) == 4 else (None, None)
        if None not in fixed and fixed not in self.input_sizes:
            if not rule.fits_segmenter:
                raise ValueError(
                    f"The segmenter {_name(network)!r} takes images of {fixed} alone, but the rule {rule.name!r} shows it "
                    f"{', '.join(map(str, self.input_sizes))}. Build it for any size, or use --protocol native, which "
                    "resizes the images to the segmenter."
                )
            self.input_sizes = [fixed]
        # the don't-care class of a segmenter of one's own: no label map can name it, so it is no answer
        self.masked = sorted(set(range(rule.num_outputs)) - set(rule.label_ids))

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Channels (B, H, W) of float images (B, H, W, 3) in [-1, 1].

        Raises:
            ValueError: If the network returns something else than it is to, or values that are not a number.
        """
        source = to_8_bit(images) if self.eight_bit else images
        scores: Any = 0.0
        for size in self.input_sizes:
            resized = pillow_bilinear(source, size)
            output = run(self.network, from_8_bit(resized) if self.eight_bit else resized)
            if output.ndim == 3 and len(self.input_sizes) == 1 and output.shape[1:] == self.size:
                return output
            if output.ndim != 4 or output.shape[-1] != self.rule.num_outputs:
                raise ValueError(
                    f"segmenter: expected logits (B, h, w, {self.rule.num_outputs}) or a label map "
                    f"(B, {self.size[0]}, {self.size[1]}), found the shape {output.shape}."
                )
            logits = bilinear(output, self.size)
            scores = scores + (self._softmax(logits) if len(self.input_sizes) > 1 else logits)
        if np.isnan(scores).any():
            raise ValueError("segmenter: its logits hold values that are not a number; check its weights.")
        scores[..., self.masked] = -np.inf
        return scores.argmax(axis=-1)

    def _softmax(self, logits):
        if logits.min() >= 0 and np.allclose(logits.sum(axis=-1), 1.0, atol=1e-3):
            raise ValueError(
                f"segmenter: it returns probabilities, but the rule {self.rule.name!r} is the mean over the "
                "softmax of logits. Give the network without its softmax."
            )
        return softmax(logits)


def _name(network):
    return network.name


def rule_for(protocol: Protocol, space: LabelSpace, network: Callable[[Any], Any]) -> SegmentationRule:
    """The rule for a segmenter and label maps: by its classes.

    Raises:
        ValueError: If there is none.
    """
    outputs = space.num_classes
    # nobody knows that of a subclassed model, nor of a function
    shape = getattr(network, "output_shape", None) if isinstance(network, keras.Model) else None
    if shape is not None:
        if not isinstance(shape, tuple) or len(shape) != 4 or shape[-1] is None:
            raise ValueError(f"The segmenter {_name(network)!r} returns {shape}; expected one tensor of logits (B, h, w, C).")
        outputs = shape[-1]
    if outputs == space.num_classes:
        return own_rule(space)
    for rule in protocol.segmentation:
        if rule.fits(space, outputs):
            return rule
    known = "; ".join(f"{len(rule.label_ids)} with {rule.num_outputs} ({rule.name})" for rule in protocol.segmentation)
    raise ValueError(
        f"The segmenter has {outputs} classes and the label maps {space.num_classes}. The protocol "
        f"{protocol.name!r} knows {known}; or a segmenter with the label maps' own {space.num_classes}."
    )
