"""What `fit` has around Keras's loop: the guard against losses that are not finite, epochs, tables, arguments."""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_semisis.data import DataError, training_stream
from keras_semisis.data.stream.batch_stream import BatchStream
from keras_semisis.data.stream.original_errors import original_errors
from keras_semisis.data.stream.own_batches import OwnBatches, own_batches
from keras_semisis.distribution import check_batch_size
from keras_semisis.gans.batch_statistics import Calibration
from keras_semisis.gans.engines import engine
from keras_semisis.gans.finiteness import NonFiniteLossError, refuse_non_finite_weights
from keras_semisis.gans.validation import Columns, EpochLogs, Validation
from keras_semisis.models.keras_privates import model_of
from keras_semisis.processes import is_first_process, leave, number_of_processes

# Arguments of Keras: what they are where nothing is said, and what there is instead
_OF_KERAS: dict[str, dict[str, tuple[Any, str]]] = {
    "fit": {
        "shuffle": (True, "the data sets shuffle by their seed: paired_dataset(..., seed=...)"),
        "validation_split": (0.0, "give validation_data, such as source.subset(...) in a paired_dataset(..., training=False)"),
        "class_weight": (
            None,
            'the losses weigh classes by their share of a batch, and sampler="rare_classes" draws rare ones',
        ),
        "sample_weight": (None, "a pixel that is not to count has the id ignore_class"),
    },
    "evaluate": {
        "sample_weight": (None, "a pixel that is not to count has the id ignore_class"),
        "callbacks": (None, "callbacks.PeriodicEvaluation scores during fit"),
    },
    "summary": {
        name: (default, "it is about layers, and gan.generator.summary() shows those of a network")
        for name, default in (("positions", None), ("expand_nested", False), ("show_trainable", False), ("layer_range", None))
    },
}


def refuse(function: str, arguments: Mapping[str, Any]) -> None:
    """Refuses arguments that ``fit``, ``evaluate`` or ``summary`` has not; those of Keras's may be given as they are.

    Raises:
        TypeError: Naming what there is not.
        ValueError: For an argument of Keras's that is set, with what there is instead.
    """
    of_keras = _OF_KERAS[function]
    unknown = sorted(arguments.keys() - of_keras.keys())
    if unknown:
        raise TypeError(f"{function}: there is no argument {', '.join(unknown)}.")
    for name, value in arguments.items():
        default, instead = of_keras[name]
        if value is not default and not (isinstance(value, bool | int | float) and value == default):
            raise ValueError(f"{function}: {name} has no use here; {instead}.")


class Guard(keras.callbacks.Callback):
    """Stops at a loss that is not finite, averages the logs of an epoch, and runs the validation.

    Args:
        validation: The validation, or None.
    """

    def __init__(self, validation: Validation | None):
        super().__init__()
        self.validation = validation
        self.callbacks = keras.callbacks.CallbackList()  # those that are told of the validation

    def on_epoch_begin(self, epoch, logs=None):
        self.sums = {}

    def on_train_batch_end(self, batch, logs=None):
        logs = {name: float(ops.convert_to_numpy(value)) for name, value in (logs or {}).items()}
        # not self.model, which on JAX copies the whole state back into the variables
        for phase, finite in model_of(self).finite.items():
            if not float(ops.convert_to_numpy(finite)):
                self._stop(phase, logs)
        for name, value in logs.items():
            total, count = self.sums.get(name, (0.0, 0))
            self.sums[name] = (total + value, count + 1)

    def _stop(self, phase, logs):
        terms = [name for name, value in logs.items() if name.startswith(f"{phase}/") and not np.isfinite(value)]
        what = f"loss term {' and '.join(terms)} is" if terms else "gradient is"
        model = self.model
        refuse_non_finite_weights(model)
        model.refresh_statistics()
        saved = "by process 0"
        if is_first_process():
            path = Path(tempfile.mkdtemp(prefix="keras_semisis_")) / "last_good.keras"
            model.save(path)
            saved = f"in {path}"
        raise NonFiniteLossError(
            f"Training stopped at step {self.model.step + 1}, phase {phase!r}: its {what} not finite. The state before that "
            f"update is saved {saved}. A lower learning rate, or float32 instead of bfloat16, are the usual remedies."
        )

    def on_epoch_end(self, epoch, logs=None):
        for name, (total, count) in self.sums.items():
            logs[name] = total / count
        if self.validation is not None and self.validation.is_due(epoch):
            self.callbacks.on_test_begin()
            scores = self.validation.scores(self.model)
            self.callbacks.on_test_end({name.removeprefix("val_"): value for name, value in scores.items()})
            logs.update(scores)

    def on_train_end(self, logs=None):
        model = self.model
        refuse_non_finite_weights(model)
        model.refresh_statistics()


class _EpochEnds(keras.callbacks.Callback):
    """Tells the user's data sets that an epoch has ended."""

    def __init__(self, datasets):
        super().__init__()
        self._datasets = [dataset for dataset in datasets if isinstance(dataset, OwnBatches)]

    def on_epoch_end(self, epoch, logs=None):
        for dataset in self._datasets:
            dataset.end_epoch()


class _OneTraining(keras.callbacks.CallbackList):
    """Callbacks for which several calls of Keras's `fit` are one training."""

    def next_part(self, steps: int, begins: bool, ends: bool) -> None:
        """What is called next: the steps of its epochs, and whether training begins and ends with it."""
        self.set_params(self.params | {"steps": steps})
        self._begins, self._ends = begins, ends

    def on_train_begin(self, logs=None):
        if self._begins:
            super().on_train_begin(logs)
            model = model_of(self)
            model._step = model.step  # that of weights that a callback has restored

    def on_train_end(self, logs=None):
        model = model_of(self)
        if self._ends or model.stop_training:
            model.take_averages_of_optimizers()
            super().on_train_end(logs)


def name_data_sets(system: str, names: Sequence[str], datasets: Sequence[Any]) -> dict[str, Any]:
    """The data sets that were given to `fit`, by name.

    Args:
        system: What takes them, for errors.
        names: Those that it takes; empty where it takes any number.
        datasets: What was given. Two arrays are one data set, where not two are needed.

    Raises:
        ValueError: If there are more or fewer.
    """
    if len(datasets) == 2 and len(names) < 2 and all(hasattr(part, "__array__") for part in datasets):
        datasets = (tuple(datasets),)
    if not datasets or len(datasets) != len(names or datasets):
        count = {0: "a data set", 1: "one data set", 2: "two data sets"}.get(len(names), f"{len(names)} data sets")
        raise ValueError(f"{system}.fit needs {count}: fit({', '.join(names or ('dataset',))}).")
    return dict(zip(names or (f"Data set {i}" for i in range(len(datasets))), datasets, strict=True))


def train(
    model: Any,
    keras_fit: Callable,
    datasets: Mapping[str, Any],
    *,
    epochs: int,
    steps_per_epoch: int,
    callbacks: Sequence[keras.callbacks.Callback],
    validation_data: Any,
    validation_freq: int,
    initial_epoch: int,
    initial_step: int,
    verbose: int | str,
    validation_steps: int,
    validation_batch_size: int,
    batch_size: int,
):
    """`AdversarialModel.fit`, of data sets by name, by means of Keras's."""
    streams = [
        own_batches(
            dataset,
            model.batch_rule,
            name,
            batch_size=batch_size,
            paired=not name.startswith("unpaired"),
            kept=model.statistics_batches,
        )
        for name, dataset in datasets.items()
    ]
    for dataset in streams:
        if isinstance(dataset, BatchStream):
            check_batch_size("fit", dataset.batch_size)
    if steps_per_epoch is None:
        steps_per_epoch = max(_number_of_batches(dataset) for dataset in streams)
    total_steps = epochs * steps_per_epoch
    start = initial_epoch * steps_per_epoch if initial_step is None else initial_step
    if start >= total_steps:
        raise ValueError(
            f"fit: epochs={epochs} of {steps_per_epoch} steps end at step {total_steps}, and it is to go on at step {start}: "
            "all is done. Give more epochs."
        )
    # what the data sets count as done before the first of these epochs
    done = model.step if initial_step is None and not initial_epoch else 0
    model.notice_frozen_layers()
    validation = (
        None
        if validation_data is None
        else Validation(model, validation_data, validation_steps, validation_batch_size or batch_size, validation_freq)
    )
    calibration = model.calibrate(Calibration(streams[-1], model.statistics_batches))
    before = model.begin(streams[-1])
    epoch_logs = EpochLogs()
    columns = model.names_of_terms + (validation.names if validation else [])
    guard = Guard(validation)
    callbacks = [guard, *_with_columns(callbacks or [], columns), _EpochEnds(streams), epoch_logs]
    training = _OneTraining(
        callbacks,
        add_history=True,
        add_progbar=verbose != 0,
        model=model,
        verbose=verbose,
        epochs=epochs,
        steps=steps_per_epoch,
    )
    guard.callbacks = training
    # A run that stopped inside an epoch finishes that epoch first
    for begin, end in epoch_ranges(start, steps_per_epoch, total_steps):
        steps = min(steps_per_epoch, end - begin)
        training.next_part(steps, begins=begin == start, ends=end == total_steps)
        try:
            with original_errors(streams), engine.other_processes():
                history = keras_fit(
                    training_stream(streams, done + begin, done + total_steps),
                    epochs=-(-end // steps_per_epoch),
                    initial_epoch=begin // steps_per_epoch,
                    steps_per_epoch=steps,
                    callbacks=training,
                    shuffle=False,
                )
        except DataError:
            if number_of_processes() > 1:  # the others are within a step, and cannot save
                leave()
                raise
            if model.step == before:
                model.calibrate(*calibration)
            else:  # between two steps the model is as good as after any other: callbacks end, and save
                for callback in callbacks:
                    with suppress(DataError):
                        callback.on_train_end()
            raise
        history.history = epoch_logs.history()
        if model.stop_training:
            break
    return history


def _with_columns(callbacks, names):
    """Callbacks of Keras that write tables are told what there will be."""
    return [
        part
        for callback in keras.tree.flatten(callbacks)
        for part in ((Columns(callback, names), callback) if isinstance(callback, keras.callbacks.CSVLogger) else (callback,))
    ]


def _number_of_batches(dataset):
    try:
        return len(dataset)
    except TypeError:
        raise ValueError("The length of the data set is unknown or infinite: give fit(steps_per_epoch=...).") from None


def epoch_ranges(start: int, steps_per_epoch: int, total_steps: int) -> list[tuple[int, int]]:
    """Step ranges for successive calls of Keras's fit: what is left of a begun epoch, then the whole ones.

    >>> epoch_ranges(3, 4, 12), epoch_ranges(4, 4, 12)
    ([(3, 4), (4, 12)], [(4, 12)])
    """
    boundary = min(-(-start // steps_per_epoch) * steps_per_epoch, total_steps)
    return [(begin, end) for begin, end in ((start, boundary), (boundary, total_steps)) if end > begin]
