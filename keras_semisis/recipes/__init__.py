"""What the commands do, as functions: runs from settings, data by their names, segmenters, scores; and named choices."""

from keras_semisis.options.methods import METHODS
from keras_semisis.options.train import TrainSettings
from keras_semisis.recipes.augmenting import augment
from keras_semisis.recipes.choice import settings_to_begin
from keras_semisis.recipes.few_labels_recipe import few_labels
from keras_semisis.recipes.precision import fastest_precision, use_precision
from keras_semisis.recipes.progress import Progress
from keras_semisis.recipes.rasterizing import RasterReport, rasterize
from keras_semisis.recipes.run_folder import read_settings, write_document
from keras_semisis.recipes.scoring import load_segmenter, make_metrics, metrics_of
from keras_semisis.recipes.segmenter import bottleneck_features, train_segmenter
from keras_semisis.recipes.sources import DataPair, open_data
from keras_semisis.recipes.step_clock import StepClock
from keras_semisis.recipes.systems import PRETRAINED_FEATURE_MATCHING, arguments_of, build_gan, compile_gan, segmenting_network
from keras_semisis.recipes.terminal_progress import TerminalProgress
from keras_semisis.recipes.training import Run, begin, go_on, settings_to_go_on
from keras_semisis.recipes.training_data import examples, open_training_data

__all__ = [
    "METHODS",
    "PRETRAINED_FEATURE_MATCHING",
    "DataPair",
    "Progress",
    "RasterReport",
    "Run",
    "StepClock",
    "TerminalProgress",
    "TrainSettings",
    "arguments_of",
    "augment",
    "begin",
    "bottleneck_features",
    "build_gan",
    "compile_gan",
    "examples",
    "fastest_precision",
    "few_labels",
    "go_on",
    "load_segmenter",
    "make_metrics",
    "metrics_of",
    "open_data",
    "open_training_data",
    "rasterize",
    "read_settings",
    "segmenting_network",
    "settings_to_begin",
    "settings_to_go_on",
    "train_segmenter",
    "use_precision",
    "write_document",
]
