"""Training from settings: a run from its data to its last checkpoint."""

import math
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import keras
import numpy as np

from keras_semisis.callbacks import (
    Checkpoint,
    LinearDecay,
    LossCurves,
    PeriodicEvaluation,
    SampleGrid,
    TensorBoardScalars,
    resume,
)
from keras_semisis.callbacks.every_steps import EverySteps
from keras_semisis.callbacks.log_file import read_log
from keras_semisis.data.argument_error import ArgumentError
from keras_semisis.distribution import number_of_devices
from keras_semisis.gans import Sampler
from keras_semisis.gans.semantic import SemanticGAN
from keras_semisis.gans.validation import rehearse
from keras_semisis.losses.perceptual_networks import PERCEPTUAL_NETWORKS
from keras_semisis.metrics.table import best_mode
from keras_semisis.options.hosts import HostOptions
from keras_semisis.options.option import given_options
from keras_semisis.options.train import TrainSettings, check_precision
from keras_semisis.processes import first_before_others, is_first_process, number_of_processes, of_first_process, wait_for_all
from keras_semisis.recipes import scoring
from keras_semisis.recipes.adapting import adapted_gan
from keras_semisis.recipes.devices import use_devices
from keras_semisis.recipes.few_labels_recipe import RATES_AND_WIDTHS
from keras_semisis.recipes.folder_lock import locked
from keras_semisis.recipes.initial_weights import start_from
from keras_semisis.recipes.known_data import unused_options
from keras_semisis.recipes.named_sources import BENCHMARKS, kind_of
from keras_semisis.recipes.notices import tell, warn
from keras_semisis.recipes.precision import use_precision
from keras_semisis.recipes.progress import SILENT, Progress
from keras_semisis.recipes.run_folder import FILE, document_of, read_document, read_settings, write_document
from keras_semisis.recipes.step_clock import StepClock
from keras_semisis.recipes.stop_on_interrupt import StopOnInterrupt
from keras_semisis.recipes.systems import build_gan
from keras_semisis.recipes.training_data import TrainingData, examples, open_training_data
from keras_semisis.whole_file import check_folder, remove_unfinished_files

_WARM_UP = 6
# What is left for steps that take longer than those that were measured
_RESERVE = 0.95


def set_up(settings: TrainSettings, hosts: HostOptions | None = None) -> None:
    """Fixes devices, precision and the seed of the initial weights, in the process.

    Args:
        settings: The options of the run.
        hosts: What this process is told of others, if it may have some.
    """
    check_precision(settings.precision)  # before others are waited for
    use_devices(settings.devices, hosts)
    use_precision(settings.precision)
    keras.utils.set_random_seed(settings.seed)


def run_callbacks(folder: Path) -> list[keras.callbacks.Callback]:
    """What every run writes about its losses."""
    return [LossCurves(folder), TensorBoardScalars(folder / "tensorboard")]


def falling_rates(share: float, steps: int) -> list[keras.callbacks.Callback]:
    """Lets learning rates fall over a share of the steps, if any. Before all others: a checkpoint has the next step's."""
    return [LinearDecay(steps - math.ceil(share * steps), steps)] if share else []


def plan_steps(
    gan: SemanticGAN, data: TrainingData, deadline: float, most: int, callbacks: Sequence[keras.callbacks.Callback] = ()
) -> int:
    """Does the first steps, which compile and are timed.

    The sampler's switch at half of training needs their number before.

    Returns:
        How many steps fit until the deadline, these included; at least one more.
    """
    clock = StepClock(deadline, _WARM_UP)
    tell("Compiling the training step ...")
    sets: Any = data.sets
    gan.fit(*sets, epochs=1, steps_per_epoch=most, verbose=0, callbacks=[clock, *callbacks])  # type: ignore[misc]  # one or two
    left = max(0.0, deadline - time.monotonic())
    more = of_first_process(left * _RESERVE / float(np.median(clock.seconds[2:] or [np.inf])))
    return min(most, gan.step + 1 + int(more))


def fit(
    gan: SemanticGAN,
    data: TrainingData,
    steps: int,
    start: int,
    callbacks: Sequence[keras.callbacks.Callback],
    progress: Progress = SILENT,
    title: str = "Training",
) -> bool:
    """Trains until ``steps``, or Ctrl-C.

    One epoch is the whole run, so that any step can be gone on from.

    Returns:
        Whether training was interrupted.
    """
    with progress.steps(title, steps, start) as shown, StopOnInterrupt() as interrupt:
        gan.fit(  # type: ignore[misc]  # one data set or two
            *cast(Any, data.sets),
            epochs=1,
            steps_per_epoch=steps,
            initial_step=start,
            verbose=0,
            callbacks=[*callbacks, *shown, interrupt],
        )
    return interrupt.interrupted


@dataclass
class Run:
    """A training into a folder.

    Attributes:
        settings: Its options.
        folder: The run folder.
        data: What it trains on.
        gan: The model.
        start: Steps that were done before.
        evaluation: What scores it, if anything does.
        is_written: Whether its folder has its settings.
    """

    settings: TrainSettings
    folder: Path
    data: TrainingData
    gan: SemanticGAN
    start: int
    evaluation: PeriodicEvaluation | None
    is_written: bool = False

    def train(self, progress: Progress = SILENT) -> bool:
        """Trains until the last step, the end of the time, or Ctrl-C, and leaves a checkpoint.

        Returns:
            Whether all steps are done.

        Raises:
            DataError: If data cannot be read. What was learned is saved before.
            ValueError: If another process trains in the folder.
        """
        with _alone(self.folder):
            if is_first_process():
                remove_unfinished_files(self.folder)
            return self._train(progress)

    def _train(self, progress):
        settings, folder, data, space = self.settings, self.folder, self.data, self.data.sources.train.label_space
        how: dict[str, Any] = {"skip_bad": data.bad_files, "fit": settings.fit, "instances": settings.instance_edges}
        images, label_maps, *instances = examples(data.sources.val, settings.image_size, **how)
        callbacks = [SampleGrid(folder, label_maps, images, settings.sample_every, space, settings.seed, *instances)]
        if self.evaluation:
            callbacks.append(self.evaluation)
        callbacks += [*run_callbacks(folder), _WritesSettings(self), Checkpoint(folder, settings.save_every)]
        start = self.start
        if settings.minutes is not None and start == 0:
            deadline = time.monotonic() + 60.0 * settings.minutes
            callbacks.append(StepClock(deadline))
            if settings.steps > _WARM_UP:
                settings.steps = plan_steps(self.gan, data, deadline, settings.steps, run_callbacks(folder))
                start = self.gan.step
                self.write_settings()
        callbacks = [*falling_rates(settings.learning_rate_decay, settings.steps), *callbacks]
        interrupted = fit(self.gan, data, settings.steps, start, callbacks, progress)
        if not self.is_written:
            self.write_settings()
        wait_for_all()  # the first process may still write
        return not interrupted or self.gan.step >= settings.steps

    def write_settings(self) -> None:
        """Writes the file by which the run can be gone on with, and which says what it ran on last."""
        space = self.data.sources.train.label_space
        ran_on = {"processes": number_of_processes(), "devices": number_of_devices()}
        document = document_of(self.settings, space, counts=self.data.counts, trunks=self.gan.trunks, ran_on=ran_on)
        if is_first_process():
            write_document(self.folder / FILE, document)
        self.is_written = True


class _WritesSettings(EverySteps):
    """Writes what a run goes on with at its first checkpoint: a mistyped option, by which no data can be read, is not kept."""

    def __init__(self, run: Run):
        super().__init__(run.settings.save_every)
        self._run = run

    def act(self, logs):
        if not self._run.is_written:
            self._run.write_settings()

    def on_train_end(self, logs=None):  # which comes after an error, too
        pass


def begin(settings: TrainSettings, progress: Progress = SILENT, model: Sampler | None = None) -> Run:
    """A run from the beginning, whose folder has its settings.

    Args:
        settings: Its options, such as `settings_to_begin` gives. Without these, networks and rates are the paper's.
        progress: Shows how far reading and counting are.
        model: That of ``adapt``, if it has been loaded.

    Raises:
        DataError: If data cannot be read.
        ValueError: If options do not fit together, or there is a run in the folder, or what one has left.
        NotADirectoryError: If the folder is a file, or in one.
    """
    refuse_a_second_run(settings)
    chosen = {name for name, _ in given_options(settings)}
    if settings.recipe == "few_labels" and chosen.isdisjoint(RATES_AND_WIDTHS):
        raise ValueError('recipe="few_labels" names what these settings do not have: build them by settings_to_begin.')
    return _opened(settings, Path(settings.output), progress, going_on=False, model=model)


def refuse_a_second_run(settings: TrainSettings) -> None:
    """Raises an error if there is a run in the folder of a new one, or what a run would write over, or it can be none."""
    folder = Path(settings.output)
    check_folder(folder)
    if (folder / FILE).exists():
        raise ValueError(
            f"--output {folder}: there is a run in this folder. Go on with it by --resume {folder}, or name another."
        )
    written = [folder / name for name in ("last.keras", "best.keras", "losses.jsonl")]
    left = [path.name for path in written if path.is_file() and path.stat().st_size]
    if left:
        raise ValueError(
            f"--output {folder}: {FILE} is gone from this folder, but {' and '.join(left)} of a run would be overwritten. "
            f"Bring {FILE} back to go on by --resume {folder}, or name another folder"
            f"{f', to which --init {folder / left[0]} may be added' if left[0].endswith('.keras') else ''}."
        )


def go_on(settings: TrainSettings, progress: Progress = SILENT) -> Run:
    """A run from its last checkpoint, or from the beginning where it has left none.

    Its settings are written anew at its next checkpoint, when data were read by them.

    Args:
        settings: Its options, as `settings_to_go_on` reads them.
        progress: As in `begin`.

    Raises:
        DataError, ValueError: As `begin` raises them, or if all steps are done, or the data have other classes now.
    """
    path = Path(settings.data.partition(":")[2])
    if kind_of(settings.data) in (*BENCHMARKS, "folder", "records") and not path.is_absolute() and not path.exists():
        raise ValueError(
            f"--resume {settings.output}: its --data {settings.data} is not here. The path is relative to the folder in which "
            "the run was begun: go there."
        )
    with _alone(Path(settings.output)):  # what another writes is not read
        return _opened(settings, Path(settings.output), progress, going_on=True)


def _opened(settings, folder, progress, going_on, model=None):
    set_up(settings, HostOptions())
    with first_before_others():  # which then find what it has counted
        data = open_training_data(settings, progress)
    space = data.sources.train.label_space
    evaluation = _evaluation(settings, data, folder)
    if going_on and (folder / "last.keras").is_file():
        gan, start = resume(folder)
        if gan.perceptual == "given":  # of a run that is older than the names in files
            gan.perceptual = PERCEPTUAL_NETWORKS[settings.perceptual].build()
        if start >= settings.steps:
            raise ValueError(
                f"--resume {folder}: this run has done all of its {start} steps. Train on in another, by "
                f"--init {folder / 'last.keras'}."
            )
        if gan.num_classes != space.num_classes:
            raise ValueError(
                f"--resume {folder}: the data have {space.num_classes} classes now, but the model has "
                f"{gan.num_classes}. Files or --id-map must have added or removed one: bring them back."
            )
    else:
        if going_on:
            _begin_anew(settings, folder)
        gan, start = adapted_gan(settings, data, model) if settings.adapt else build_gan(settings, space), 0
        if settings.init:
            start_from(gan, Path(settings.init))
    gan.check_judges(evaluation.metrics if evaluation else ())
    if going_on:
        _tell_of_change(folder, data)
    run = Run(settings, folder, data, gan, start, evaluation)
    if not going_on:
        with _alone(folder):
            if is_first_process():  # another may have begun a run there meanwhile
                refuse_a_second_run(settings)
            run.write_settings()
    return run


def _alone(folder):
    """Keeps others than the processes of this run out of its folder."""
    return locked(folder) if is_first_process() else nullcontext()


def _begin_anew(settings, folder):
    """Tells that a run begins anew where nothing was saved, and refuses where what was learned is elsewhere, or lost."""
    of_demo = "model.keras"
    there = [name for name in (of_demo, "best.keras") if (folder / name).is_file()]
    steps = max((entry["step"] for entry in read_log(folder / "losses.jsonl")), default=0)
    # the first steps of a run of some minutes are timed, and not saved
    timed = 0 if settings.minutes is None else _WARM_UP // settings.save_every
    if steps > settings.save_every * (1 + timed) or of_demo in there:
        raise ValueError(
            f"--resume {folder}: there is no last.keras to go on with, though {steps} steps are logged. Bring it back, or "
            f"begin another run{f', by --init {folder / there[0]}' if there else ''}."
        )
    tell(f"{folder}: nothing was saved, so it begins anew.")


def _tell_of_change(folder, data):
    """Tells if a run goes on with more data than it had, or less."""
    before = cast(dict, read_document(folder / FILE)).get("counts", data.counts)
    if before != data.counts:
        was, now = (", ".join(f"{number} {name}" for name, number in each.items()) for each in (before, data.counts))
        warn(
            f"{folder}: the data have changed since: {was} before, {now} now. Where some of the pairs validate, others may do "
            "so now, and scores from here on do not compare with those before."
        )


def _evaluation(settings, data, folder):
    """What evaluates during training, if anything. What could end it later is found now, before there is a run."""
    judges = _judges(settings, data)
    if not judges:
        if settings.best is not None:
            raise ArgumentError("{}: nothing scores the photos. Give --segmenter or --features, too.", {"best": settings.best})
        return None
    best = settings.best or judges[0].name
    scores = [name for name in rehearse(judges, data.val, "the validation photos") if best_mode(name)]
    if best not in scores:
        raise ArgumentError(f"{{}}: expected one of {', '.join(scores)}.", {"best": best})
    return PeriodicEvaluation(data.val, judges, settings.evaluate_every, folder, best)


def _judges(settings, data):
    space = data.sources.train.label_space
    segmenter = None
    if settings.segmenter:
        segmenter = scoring.load_segmenter(settings.segmenter, space, settings.image_size)
    return scoring.make_metrics(
        segmenter, settings.features, data.sources.train, settings.image_size, settings.batch_size, data.bad_files, settings.fit
    )


def settings_to_go_on(
    folder: Path,
    skip_bad: int | None = None,
    id_map: Sequence[str] = (),
    ignore_class: int | None = None,
    devices: str | None = None,
) -> TrainSettings:
    """The settings of a run that is to go on, with what may be another then.

    Args:
        folder: The run folder.
        skip_bad: Another number of bad files to tolerate; None leaves it.
        id_map: Ids that differ, beside those of the run.
        ignore_class: That of the run, or None: classes cannot be added to a model.
        devices: Another number of devices to go on with; None leaves it.

    Raises:
        ValueError: If the folder holds no run, or one with another don't-care class.
    """
    settings = read_settings(folder)
    settings.output = str(folder)
    if skip_bad is not None:
        settings.skip_bad = skip_bad
    if devices is not None:
        settings.devices = devices
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
    return settings
