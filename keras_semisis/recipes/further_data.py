"""The split of a run, and photos and label maps from elsewhere that join it."""

from pathlib import Path
from typing import Any, cast

import numpy as np

from keras_semisis.data import (
    BadFiles,
    DataError,
    LabelSpace,
    Records,
    Source,
    semi_paired_split,
)
from keras_semisis.data.sources.file_source import FileSource
from keras_semisis.data.sources.one_sided import ImagesOnly, LabelMapsOnly
from keras_semisis.data.stream.split import with_further
from keras_semisis.options.read import ReadOptions
from keras_semisis.options.text import parse_id_map
from keras_semisis.options.train import TrainSettings
from keras_semisis.recipes.named_sources import BENCHMARKS, folder_like, known_source, open_folder, open_of_library


def training_sources(
    settings: TrainSettings, train: Source, skip_bad: int | BadFiles = 0, **counting
) -> tuple[Source, Source, Source]:
    """Paired source, unpaired images and unpaired label maps: the split, and folders of further ones.

    With a ratio below 1 the further ones join what is unpaired; with a ratio of 1 they are all there is, beside what the
    folder of the data has without a partner.
    ``counting`` is ``statistics_cache`` and ``progress`` of `semi_paired_split`.
    """
    paired, images, labels = semi_paired_split(train, cast(float, settings.ratio), settings.seed, skip_bad, **counting)
    more_images, more_labels = further_sources(settings, train.label_space)
    images = with_further(images, more_images, settings.ratio == 1 and train.unpaired_images is None)
    labels = with_further(labels, more_labels, settings.ratio == 1 and train.unpaired_labels is None)
    return paired, images, labels


def further_sources(settings: ReadOptions, label_space: LabelSpace) -> tuple[Source | None, Source | None]:
    """The photos of ``--unpaired-images`` and the label maps of ``--unpaired-labels``; None where there are none."""
    return (
        _unpaired_images(settings, label_space) if settings.unpaired_images else None,
        unpaired_labels(settings, label_space) if settings.unpaired_labels else None,
    )


def _unpaired_images(settings, space):
    """The photos of ``cityscapes:PATH:train_extra`` and the like, of a library's set, or in a folder."""
    text, image_range = settings.unpaired_images, settings.image_range
    source = _part_of_benchmark(text, "--unpaired-images", "images")
    if source is not None:
        return source
    kind, _, path = text.partition(":")
    if kind == "records" and path:
        return Records(path)
    if kind in ("hf", "tfds") and path:
        source = open_of_library(text, "--unpaired-images", "train", space, settings.data, {}, image_range)
        return ImagesOnly(source, np.arange(len(source)))
    return open_folder(path if kind == "folder" and path else text, images=".", labels=None, image_range=image_range)


def unpaired_labels(settings: Any, space: LabelSpace) -> Source:
    """Label maps of the same classes: of a benchmark, or in a folder, where the data's own rule tells which files they are.

    Args:
        settings: What has ``unpaired_labels``, ``data``, ``id_map`` and ``snap``.
        space: What the classes are.

    Raises:
        ValueError: If no such data can be.
        DataError: As the sources raise it, or if the classes are others.
    """
    text, option = settings.unpaired_labels, "--unpaired-labels"
    kind, _, path = text.partition(":")
    if kind in ("hf", "tfds") and path:
        source = open_of_library(text, option, "train", space, settings.data, parse_id_map(settings.id_map))
        return LabelMapsOnly(source, np.arange(len(source)))
    source = Records(path) if kind == "records" and path else _part_of_benchmark(text, option, "labels")
    if source is not None:
        if source.label_space is None:
            raise DataError(f"{option} {text}: there are photos alone in it. Name label maps.")
        space.require_same_classes(source.label_space, "--data", option)
        return source
    folder = Path(path if kind == "folder" and path else text)
    benchmark = known_source(settings.data) if settings.data.partition(":")[0] in (*BENCHMARKS, "tfds") else None
    if benchmark is not None and hasattr(benchmark, "label_files"):
        return FileSource(None, benchmark.label_files(folder), space.with_ids(parse_id_map(settings.id_map)))
    return folder_like(
        folder,
        space,
        f"--data {settings.data}",
        images=None,
        labels=".",
        id_map=parse_id_map(settings.id_map),
        snap=settings.snap,
    )


def _part_of_benchmark(text, option, part):
    """The photos or the label maps of ``KIND:PATH:SPLIT``; None of what does not begin with the name of a benchmark."""
    kind, _, rest = text.partition(":")
    if kind not in BENCHMARKS or not rest:
        return None
    benchmark: Any = BENCHMARKS[kind]
    splits = benchmark.splits + (benchmark.photo_splits if part == "images" else ())
    path, _, split = rest.rpartition(":")
    if split not in splits or not path:
        raise ValueError(f"{option} {text}: expected {kind}:PATH:SPLIT, with one of the splits {', '.join(splits)}.")
    return benchmark(path, split, only=part)
