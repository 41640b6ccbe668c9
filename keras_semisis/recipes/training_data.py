"""What a run trains on and is judged by."""

from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np

from keras_semisis.data import BadFiles, BatchStream, Source, paired_dataset, unpaired_dataset
from keras_semisis.data.sources.same_photos import same_photos
from keras_semisis.options.methods import METHODS
from keras_semisis.options.train import TrainSettings
from keras_semisis.recipes.further_data import training_sources
from keras_semisis.recipes.named_sources import is_published
from keras_semisis.recipes.notices import tell, warn
from keras_semisis.recipes.progress import SILENT, Progress
from keras_semisis.recipes.sources import DataPair, open_settings

_GRID_ROWS = 6


class TrainingData(NamedTuple):
    """What a run trains on and is judged by; the pairs are None where a method takes none."""

    sources: DataPair
    sets: tuple[BatchStream, ...]
    val: BatchStream
    counts: dict[str, int]
    bad_files: BadFiles
    pairs: Source | None = None


def open_training_data(settings: TrainSettings, progress: Progress = SILENT) -> TrainingData:
    """The data sets of a run.

    Args:
        settings: Its options. The ratio is fixed, if none is given.
        progress: Shows how far the counting of classes is.

    Raises:
        ValueError, DataError: As `open_data` raises them.
    """
    bad, needed = BadFiles(settings.skip_bad), METHODS[settings.method].system.data_sets
    sources = open_settings(settings, bad)
    unpaired = [s for s in (sources.train.unpaired_images, sources.train.unpaired_labels) if s is not None]
    settings.choose_ratio(bool(unpaired), is_published(settings.data))
    if unpaired and "unpaired_ds" not in needed:
        tell(f"--method {settings.method} learns from pairs alone: {sum(map(len, unpaired))} unpaired files are not used.")
    size, batch = settings.image_size, settings.batch_size
    crop: dict[str, Any] = {"load_size": settings.load_size, "skip_bad": bad, "fit": settings.fit}
    sets, counts, pairs = [], {}, None
    with progress.counting("Counting classes") as show:
        counted: dict[str, Any] = {"statistics_cache": Path(settings.output) / "class_statistics.npz", "progress": show}
        paired, images, labels = training_sources(settings, sources.train, bad, **counted)
        if "paired_ds" in needed:
            sampler, edges = cast(str, settings.sampler), settings.instance_edges
            sets.append(paired_dataset(paired, size, batch, sampler, settings.seed, instances=edges, **counted, **crop))
            counts["pairs"], pairs = len(paired), paired
    if "unpaired_ds" in needed:
        if settings.unpaired_images:
            _tell_of_validation_photos(images, sources.val)
        sets.append(unpaired_dataset(images, labels, size, batch, settings.seed, **crop))
        counts |= {"unpaired_images": len(images), "unpaired_label_maps": len(labels)}
    how: dict[str, Any] = {"skip_bad": bad, "fit": settings.fit, "instances": settings.instance_edges}
    val = paired_dataset(sources.val, size, batch, training=False, **how)
    return TrainingData(sources, tuple(sets), val, counts | {"validation": len(sources.val)}, bad, pairs)


def _tell_of_validation_photos(images, val):
    shared = list(same_photos(images, val))
    if shared:
        warn(
            f"{len(shared)} unpaired photos of the training are among the {len(val)} for validation, such as {shared[0]}: "
            "scores will be too good. Take them out of the training."
        )


def examples(
    source: Source,
    image_size: tuple[int, int],
    rows: int = _GRID_ROWS,
    skip_bad: int | BadFiles = 0,
    fit: str | None = None,
    instances: bool = False,
) -> tuple[np.ndarray, ...]:
    """Some images and their label maps, and instance maps if they are asked for, spread over a data set, for the pictures."""
    wanted = np.unique(np.linspace(0, len(source) - 1, rows).round().astype(int))
    how: dict[str, Any] = {"skip_bad": skip_bad, "fit": fit, "instances": instances}
    return next(iter(paired_dataset(source.subset(wanted), image_size, len(wanted), training=False, **how)))
