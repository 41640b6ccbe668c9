from keras_semisis.metrics.features import Features
from keras_semisis.metrics.frechet import (
    FrechetInceptionDistance,
    frechet_distance,
    frechet_distance_of_features,
)
from keras_semisis.metrics.generation_metric import GenerationMetric
from keras_semisis.metrics.kernel import KernelInceptionDistance, kernel_distance
from keras_semisis.metrics.miou import GeneratedMeanIoU, iou_from_confusion

__all__ = [
    "Features",
    "FrechetInceptionDistance",
    "GeneratedMeanIoU",
    "GenerationMetric",
    "KernelInceptionDistance",
    "frechet_distance",
    "frechet_distance_of_features",
    "iou_from_confusion",
    "kernel_distance",
]
