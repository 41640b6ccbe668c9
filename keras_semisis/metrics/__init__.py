"""Scores of generated images beside those of real ones, and the protocols that put them under a name."""

from keras_semisis.metrics import protocols
from keras_semisis.metrics.diversity import Diversity
from keras_semisis.metrics.feature_metric import FeatureMetric
from keras_semisis.metrics.feature_scores import FeatureScores
from keras_semisis.metrics.feature_statistics import FeatureStatistics
from keras_semisis.metrics.features import Features
from keras_semisis.metrics.flickering import flicker
from keras_semisis.metrics.frechet import (
    FrechetInceptionDistance,
    frechet_distance,
    frechet_distance_float32,
    frechet_distance_of_features,
)
from keras_semisis.metrics.generated_segmentation_scores import GeneratedSegmentationScores, segmentation_scores
from keras_semisis.metrics.generation_metric import GenerationMetric, split_scores
from keras_semisis.metrics.kernel import KernelEstimate, KernelInceptionDistance, kernel_distance, kernel_estimate
from keras_semisis.metrics.lpips import LPIPS
from keras_semisis.metrics.miou import GeneratedMeanIoU, iou_from_confusion
from keras_semisis.metrics.nearest_neighbor import NearestNeighborLPIPS
from keras_semisis.metrics.precision_and_recall import PrecisionRecall, precision_recall
from keras_semisis.metrics.protocols import PROTOCOLS, Protocol, evaluate_protocol, load_fid_inception
from keras_semisis.metrics.regions import region_difference
from keras_semisis.metrics.table import METRICS, SCORES

__all__ = [
    "LPIPS",
    "METRICS",
    "PROTOCOLS",
    "SCORES",
    "Diversity",
    "FeatureMetric",
    "FeatureScores",
    "FeatureStatistics",
    "Features",
    "FrechetInceptionDistance",
    "GeneratedMeanIoU",
    "GeneratedSegmentationScores",
    "GenerationMetric",
    "KernelEstimate",
    "KernelInceptionDistance",
    "NearestNeighborLPIPS",
    "PrecisionRecall",
    "Protocol",
    "evaluate_protocol",
    "flicker",
    "frechet_distance",
    "frechet_distance_float32",
    "frechet_distance_of_features",
    "iou_from_confusion",
    "kernel_distance",
    "kernel_estimate",
    "load_fid_inception",
    "precision_recall",
    "protocols",
    "region_difference",
    "segmentation_scores",
    "split_scores",
]
