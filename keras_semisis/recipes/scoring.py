"""Scores of a model, beside those of real images."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import keras

from keras_semisis import metrics, models
from keras_semisis.callbacks.model_file import load_model
from keras_semisis.data import BadFiles, LabelSpace, Source, paired_dataset
from keras_semisis.data.argument_error import ArgumentError, require_choice
from keras_semisis.gans import Sampler
from keras_semisis.recipes import segmenter as segmentation

IMAGENET_FEATURES = MappingProxyType(
    {
        "efficientnet_lite0": models.efficientnet_lite0_features,
        "efficientnet_lite2": models.efficientnet_lite2_features,
        "alexnet": models.alexnet_features,
    }
)
FEATURES = ("auto", "segmenter", *IMAGENET_FEATURES, "none")


def read_segmenter(path: Path) -> keras.Model:
    """The segmenter in a file.

    Raises:
        ValueError: If there is no such file, or it holds no segmenter.
    """
    if not path.is_file():
        raise ArgumentError(
            "{}: there is no such file. `keras-semisis train-segmenter` makes one, and "
            "`keras-semisis import` turns a published checkpoint into one.",
            {"segmenter": str(path)},
        )
    model = load_model(path, "--segmenter", compile=False)
    # nobody knows these of a subclassed model
    inputs, outputs = (getattr(model, name, None) or [] for name in ("inputs", "outputs"))
    fits = not inputs or (len(inputs) == len(outputs) == 1 and len(inputs[0].shape) == 4 and inputs[0].shape[-1] == 3)
    if isinstance(model, Sampler) or not fits:
        raise ArgumentError(
            f"{{}}: this is a {type(model).__name__} named {model.name!r}, but a network from one "
            "image (height, width, 3) to one output is expected. `keras-semisis train-segmenter` makes one.",
            {"segmenter": str(path)},
        )
    return model


def load_segmenter(path: str | Path, label_space: LabelSpace, image_size: tuple[int, int]) -> keras.Model:
    """A segmenter that fits the data.

    Raises:
        ValueError: If there is no such file, it holds no segmenter, or one of other classes or another size.
    """
    segmenter = read_segmenter(Path(path))
    shape = getattr(segmenter, "output_shape", None)
    expected, found = (*image_size, label_space.num_classes), shape and shape[1:]
    if found not in (expected, None):
        raise ArgumentError(
            f"{{}}: it returns {found} (height, width, classes), but the data needs {expected}. "
            "Train one with `keras-semisis train-segmenter` on the same data and size.",
            {"segmenter": str(path)},
        )
    if getattr(segmenter, "label_space", None) is not None:  # that of an earlier version, or of another program, has none
        label_space.require_same_classes(segmenter.label_space, "the data", f"--segmenter {path}")
    return segmenter


def make_metrics(
    segmenter: keras.Model | None,
    features: str,
    train: Source,
    image_size: tuple[int, int],
    batch_size: int,
    skip_bad: int | BadFiles = 0,
    fit: str | None = None,
) -> list[metrics.GenerationMetric]:
    """The metrics of a training for which there are features, or a segmenter.

    Args:
        segmenter: The segmenter, or None.
        features: ``"segmenter"`` (its bottleneck), a key of `IMAGENET_FEATURES`, ``"none"``; ``"auto"`` is the segmenter's
            where it has any.
        train: Real training images, for the scores of real images.
        image_size: (height, width) of the images.
        batch_size: Images a batch of the former.
        skip_bad: Number of training images that may be bad.
        fit: How they come to that size, as in `paired_dataset`.

    Raises:
        ValueError: If ``features`` is none of these, or needs a segmenter.
        ModuleNotFoundError: If the package with the network's weights is not installed.
    """
    require_choice("features", features, FEATURES)
    if features == "auto":
        features = "segmenter" if segmentation.has_features(segmenter) else "none"
    if features == "segmenter" and not segmentation.has_features(segmenter):
        raise ValueError(
            "--features segmenter needs --segmenter MODEL.keras, a U-Net: `keras-semisis train-segmenter` makes one."
        )
    judges: dict[str, Any] = {} if segmenter is None else {"segmenter": segmenter}
    baseline = None
    if features != "none":
        network = segmentation.bottleneck_features(segmenter) if features == "segmenter" else IMAGENET_FEATURES[features]()
        judges["features"] = metrics.Features(network)
        baseline = paired_dataset(train, image_size, batch_size, training=False, skip_bad=skip_bad, fit=fit)
    return metrics_of(judges, baseline, train.label_space)


def metrics_of(
    judges: Mapping[str, Any], photos: Any, label_space: LabelSpace, suffix: str = ""
) -> list[metrics.GenerationMetric]:
    """The metrics of a training that judges can give, in the order of their table.

    Args:
        judges: What metrics need: ``"features"``, a `Features`; ``"segmenter"``.
        photos: Re-iterable data set of (image, label_map) batches of photos that are trained on, for scores of real images.
        label_space: What the label maps mean.
        suffix: Of the names of the scores, where several judges give scores of one name.
    """
    chosen = [
        row.metric.of_training(judges[row.needs or ""], photos, label_space)
        for row in metrics.METRICS.values()
        if row.in_trainings and row.needs in judges
    ]
    for metric in chosen:
        metric.name += suffix
    return chosen
