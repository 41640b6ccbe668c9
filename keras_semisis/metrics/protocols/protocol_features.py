"""What a protocol compares by features."""

from collections.abc import Callable
from typing import Any, cast

import numpy as np

from keras_semisis.data.eight_bit import from_8_bit, to_8_bit, unrounded
from keras_semisis.metrics.feature_metric import FeatureMetric
from keras_semisis.metrics.feature_scores import FeatureScores
from keras_semisis.metrics.features import Features
from keras_semisis.metrics.generation_metric import to_images, to_numpy
from keras_semisis.metrics.protocols.protocol import Protocol
from keras_semisis.metrics.protocols.resizing import pillow_bicubic_299
from keras_semisis.metrics.table import METRICS


class ProtocolFeatures(Features):
    """Features of images as a protocol shows them to the network: photos as uint8, generated images as floats.

    Args:
        extractor: As in `Features`.
        protocol: Says how they are rounded, resized and scaled.
    """

    def __init__(self, extractor: Callable[[Any], Any], protocol: Protocol):
        super().__init__(extractor)
        self.protocol = protocol

    def seen(self, images: Any, argument: str) -> np.ndarray:
        images = to_numpy(images)
        if images.dtype != np.uint8 and self.protocol.eight_bit:
            images = to_8_bit(to_images(images, argument))
        if self.protocol.resize == "pillow_bicubic_299":
            values = images if images.dtype == np.uint8 else unrounded(to_images(images, argument))
            resized = pillow_bicubic_299(values)
            images = (resized - 128.0) / 128.0 if self.protocol.scale == "(v - 128) / 128" else from_8_bit(resized)
        return to_images(images, argument)


def feature_scores(features: Features, protocol: Protocol, count: int, seed: int, fewer: bool = False) -> FeatureScores:
    """Every score of the table of metrics that a protocol computes from features.

    Args:
        features: Of the images.
        protocol: Says with which numbers.
        count: Number of images; what needs more of them is left out.
        seed: Of the kernel distance's subsets.
        fewer: Whether they are compared with a larger set, which leaves scores that depend on the number out.
    """
    metrics = [
        cast(FeatureMetric, row.metric.of_protocol(features, protocol, seed))
        for row in METRICS.values()
        if row.in_protocols and row.needs == "features"
    ]
    kept = min(count, protocol.kept_images)
    return FeatureScores([metric for metric in metrics if metric.least_images <= kept and not (fewer and metric.biased)])
