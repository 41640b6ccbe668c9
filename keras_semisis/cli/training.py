"""Training from settings: what `train` and `demo` share."""

import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np

from keras_semisis.callbacks import (
    Checkpoint,
    LossCurves,
    PeriodicEvaluation,
    SampleGrid,
    TensorBoardScalars,
    resume,
)
from keras_semisis.cli import scoring
from keras_semisis.cli.checking import check
from keras_semisis.cli.initial_weights import start_from
from keras_semisis.cli.messages import console, print_report
from keras_semisis.cli.progress import ProgressBar, StepClock, StopOnInterrupt, counting
from keras_semisis.cli.settings import FILE, document_of, read_settings, write_document
from keras_semisis.cli.sources import DataPair, open_data, training_sources, unused_options
from keras_semisis.data import BadFiles, BatchStream, DataError, Source, paired_dataset, unpaired_dataset
from keras_semisis.data.sources.same_photos import same_photos
from keras_semisis.gans.semantic import SemanticGAN
from keras_semisis.gans.validation import rehearse
from keras_semisis.losses.perceptual_networks import PERCEPTUAL_NETWORKS
from keras_semisis.metrics.table import best_mode
from keras_semisis.recipes.settings import METHODS, TrainSettings, check_precision
from keras_semisis.recipes.systems import build_gan

# Where time limits a run and not their number
MOST_STEPS_OF_MINUTES = 1_000_000
_GRID_ROWS = 6
_WARM_UP = 6
# What is left for steps that take longer than those that were measured
_RESERVE = 0.95


class TrainingData(NamedTuple):
    """What a run trains on and is judged by."""

    sources: DataPair
    sets: tuple[BatchStream, ...]
    val: BatchStream
    counts: dict[str, int]
    bad_files: BadFiles


def open_training_data(settings: TrainSettings) -> TrainingData:
    """The data sets of a run."""
    bad, needed = BadFiles(settings.skip_bad), METHODS[settings.method].system.data_sets
    sources = open_data(
        settings.data,
        settings.image_size,
        settings.ignore_class,
        settings.id_map,
        settings.validation_data,
        bad,
        settings.image_range,
        layout=settings.layout,
        unpaired_images=settings.unpaired_images,
        unpaired_labels=settings.unpaired_labels,
    )
    unpaired = [s for s in (sources.train.unpaired_images, sources.train.unpaired_labels) if s is not None]
    settings.choose_ratio(bool(unpaired))
    if unpaired and "unpaired_ds" not in needed:
        console.print(
            f"--method {settings.method} learns from pairs alone: {sum(map(len, unpaired))} unpaired files are not used.",
            soft_wrap=True,
            highlight=False,
        )
    size, batch = settings.image_size, settings.batch_size
    crop = {"load_size": settings.load_size, "skip_bad": bad, "fit": settings.fit}
    sets, counts = [], {}
    with counting("Counting classes") as progress:
        counted = {"statistics_cache": Path(settings.output) / "class_statistics.npz", "progress": progress}
        paired, images, labels = training_sources(settings, sources.train, bad, **counted)
        if "paired_ds" in needed:
            sets.append(paired_dataset(paired, size, batch, settings.sampler, settings.seed, **counted, **crop))
            counts["pairs"] = len(paired)
    if "unpaired_ds" in needed:
        if settings.unpaired_images:
            _tell_of_validation_photos(images, sources.val)
        sets.append(unpaired_dataset(images, labels, size, batch, settings.seed, **crop))
        counts |= {"unpaired_images": len(images), "unpaired_label_maps": len(labels)}
    val = paired_dataset(sources.val, size, batch, training=False, skip_bad=bad, fit=settings.fit)
    return TrainingData(sources, tuple(sets), val, counts | {"validation": len(sources.val)}, bad)


def _tell_of_validation_photos(images, val):
    shared = list(same_photos(images, val))
    if shared:
        console.print(
            f"Warning: {len(shared)} unpaired photos of the training are among the {len(val)} for validation, such "
            f"as {shared[0]}: scores will be too good. Take them out of the training.",
            soft_wrap=True,
            highlight=False,
            markup=False,
        )


def set_up(settings: TrainSettings) -> None:
    """Fixes precision and the seed of the initial weights."""
    check_precision(settings.precision)
    keras.config.set_dtype_policy(settings.precision)
    keras.utils.set_random_seed(settings.seed)


def run_callbacks(folder: Path) -> list[keras.callbacks.Callback]:
    """What every run writes about its losses."""
    return [LossCurves(folder), TensorBoardScalars(folder / "tensorboard")]


def plan_steps(
    gan: SemanticGAN, data: TrainingData, deadline: float, most: int, callbacks: Sequence[keras.callbacks.Callback] = ()
) -> int:
    """Does the first steps, which compile and are timed.

    The sampler's switch at half of training needs their number before.

    Returns:
        How many steps fit until the deadline, these included; at least one more.
    """
    clock = StepClock(deadline, _WARM_UP)
    console.print("Compiling the training step ...")
    gan.fit(*data.sets, epochs=1, steps_per_epoch=most, verbose=0, callbacks=[clock, *callbacks])
    left = max(0.0, deadline - time.monotonic())
    return min(most, gan.step + 1 + int(left * _RESERVE / float(np.median(clock.seconds[2:] or [np.inf]))))


def fit(
    gan: SemanticGAN,
    data: TrainingData,
    steps: int,
    start: int,
    callbacks: Sequence[keras.callbacks.Callback],
    title: str = "Training",
) -> bool:
    """Trains with a progress bar until ``steps``, or Ctrl-C.

    One epoch is the whole run, so that any step can be gone on from.

    Returns:
        Whether training was interrupted.
    """
    with closing(ProgressBar(title, steps, start)) as bar, StopOnInterrupt() as interrupt:
        gan.fit(
            *data.sets, epochs=1, steps_per_epoch=steps, initial_step=start, verbose=0, callbacks=[*callbacks, bar, interrupt]
        )
    return interrupt.interrupted


def examples(
    source: Source, image_size: tuple[int, int], rows: int = _GRID_ROWS, skip_bad: int | BadFiles = 0, fit: str | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Some images and their label maps, spread over a data set, for the pictures."""
    wanted = np.unique(np.linspace(0, len(source) - 1, rows).round().astype(int))
    return next(
        iter(paired_dataset(source.subset(wanted), image_size, len(wanted), training=False, skip_bad=skip_bad, fit=fit))
    )


def train(settings: TrainSettings, going_on: bool = False, checked: bool = False) -> None:
    """`keras-semisis train`: trains into the run folder, from the beginning or from the last checkpoint.

    Args:
        settings: The options.
        going_on: Whether from the last checkpoint.
        checked: Whether every file is read before, as `check` does.

    Raises:
        DataError: If data cannot be read. What was learned is saved before.
        ValueError: If options do not fit together, or the run is there already.
    """
    folder = Path(settings.output)
    if not going_on and (folder / FILE).exists():
        raise ValueError(
            f"--output {folder}: there is a run in this folder. Go on with it by --resume {folder}, or name another."
        )
    set_up(settings)
    if checked:
        check(settings)
    data = open_training_data(settings)
    space = data.sources.train.label_space
    evaluation = _evaluation(settings, data, folder)
    if going_on and (folder / "last.keras").is_file():
        gan, start = resume(folder)
        if gan.perceptual == "given":  # of a run that is older than the names in files
            gan.perceptual = PERCEPTUAL_NETWORKS[settings.perceptual].build()
        if start >= settings.steps:
            raise ValueError(f"--resume {folder}: this run has done all of its {start} steps.")
        if gan.num_classes != space.num_classes:
            raise ValueError(
                f"--resume {folder}: the data have {space.num_classes} classes now, but the model has "
                f"{gan.num_classes}. Files or --id-map must have added or removed one: bring them back."
            )
    else:
        gan, start = build_gan(settings, space), 0
        if settings.init:
            start_from(gan, Path(settings.init))
    gan.check_judges(evaluation.metrics if evaluation else ())
    write_document(folder / FILE, document_of(settings, space, counts=data.counts, trunks=gan.trunks))
    console.print(
        ", ".join(
            f"{number} {'for validation' if name == 'validation' else name.replace('_', ' ')}"
            for name, number in data.counts.items()
        ),
        soft_wrap=True,
    )
    if settings.recipe == "few_labels" and not going_on:
        console.print(
            "Recipe few_labels: OASIS's generator, "
            + (f"discriminators on a frozen {settings.trunk}" if settings.trunk else "no pretrained networks")
            + ". --recipe paper has the paper's networks.",
            soft_wrap=True,
            highlight=False,
        )
    images, label_maps = examples(data.sources.val, settings.image_size, skip_bad=data.bad_files, fit=settings.fit)
    callbacks = [SampleGrid(folder, label_maps, images, settings.sample_every, space, settings.seed)]
    if evaluation:
        callbacks.append(evaluation)
    callbacks += [*run_callbacks(folder), Checkpoint(folder, settings.save_every)]
    try:
        if settings.minutes is not None and start == 0:
            deadline = time.monotonic() + 60.0 * settings.minutes
            callbacks.append(StepClock(deadline))
            if settings.steps > _WARM_UP:
                settings.steps = plan_steps(gan, data, deadline, settings.steps, run_callbacks(folder))
                start = gan.step
                write_document(folder / FILE, document_of(settings, space, counts=data.counts, trunks=gan.trunks))
        interrupted = fit(gan, data, settings.steps, start, callbacks)
    except DataError:
        kept = "What was learned is kept." if gan.step > start else "Nothing was learned yet."
        console.print(
            f"Stopped at step {gan.step} of {settings.steps}: a file cannot be used. {kept} Correct the file and go "
            f"on with: keras-semisis train --resume {folder}\n--skip-bad and --id-map may be added to that, and "
            "--check, which finds all such files first.",
            soft_wrap=True,
            markup=False,
            highlight=False,
        )
        raise
    print_report(data.bad_files)
    if interrupted and gan.step < settings.steps:
        console.print(
            f"Stopped at step {gan.step} of {settings.steps}. Go on with: keras-semisis train --resume {folder}", soft_wrap=True
        )
    else:
        console.print(f"Done. The model is {folder / 'last.keras'}", soft_wrap=True)


def _evaluation(settings, data, folder):
    """What evaluates during training, if anything. What could end it later is found now, before there is a run."""
    judges = _judges(settings, data)
    if not judges:
        return None
    best = settings.best or judges[0].name
    scores = [name for name in rehearse(judges, data.val, "the validation photos") if best_mode(name)]
    if best not in scores:
        raise ValueError(f"--best {best}: expected one of {', '.join(scores)}.")
    return PeriodicEvaluation(data.val, judges, settings.evaluate_every, folder, best)


def _judges(settings, data):
    space = data.sources.train.label_space
    segmenter = None
    if settings.segmenter:
        segmenter = scoring.load_segmenter(settings.segmenter, space, settings.image_size)
    return scoring.make_metrics(
        segmenter, settings.features, data.sources.train, settings.image_size, settings.batch_size, data.bad_files, settings.fit
    )


def go_on(
    folder: Path,
    skip_bad: int | None = None,
    id_map: Sequence[str] = (),
    checked: bool = False,
    ignore_class: int | None = None,
) -> None:
    """`keras-semisis train --resume`: the settings of the run, its last checkpoint, its data order.

    Args:
        folder: The run folder.
        skip_bad: Another number of bad files to tolerate; None leaves it.
        id_map: Ids that differ, beside those of the run.
        checked: As in `train`.
        ignore_class: That of the run, or None: classes cannot be added to a model.

    Raises:
        DataError, ValueError: As `train` raises them, or if the folder holds no run.
    """
    settings = read_settings(folder)
    settings.output = str(folder)
    if skip_bad is not None:
        settings.skip_bad = skip_bad
    if ignore_class not in (None, settings.ignore_class):
        was = "no --ignore-class" if settings.ignore_class is None else f"--ignore-class {settings.ignore_class}"
        raise ValueError(
            f"--ignore-class {ignore_class}: this run was begun with {was}, by which its model has its classes. "
            "Leave it out, join single ids by --id-map STORED=CLASS, or begin another run."
        )
    named = (settings.validation_data, settings.unpaired_images, settings.unpaired_labels)
    # what an earlier version took and did not use
    for name in unused_options(settings.data, settings.ignore_class, settings.id_map, settings.image_range, *named):
        setattr(settings, name, getattr(TrainSettings, name))
    settings.id_map = (*settings.id_map, *id_map)
    train(settings, going_on=True, checked=checked)
