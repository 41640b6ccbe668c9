"""Named, versioned, hashed ways of scoring a generator."""

from keras_semisis.metrics.protocols.evaluation import evaluate_protocol
from keras_semisis.metrics.protocols.inception import load_fid_inception
from keras_semisis.metrics.protocols.protocol import PROTOCOLS, Protocol, get_protocol
from keras_semisis.metrics.protocols.segmentation_rule import IGNORED, SegmentationRule

__all__ = [
    "IGNORED",
    "PROTOCOLS",
    "Protocol",
    "SegmentationRule",
    "evaluate_protocol",
    "get_protocol",
    "load_fid_inception",
]
