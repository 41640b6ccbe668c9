"""The validation of `fit`: what Keras takes, checked before the first step, and its scores for each epoch."""

import itertools
import warnings
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any

import keras
import numpy as np

from keras_semisis.data.stream.batch_rule import host_array


class Validation:
    """A validation set, and when it is evaluated.

    Args:
        gan: The compiled model.
        data: As `AdversarialModel.evaluate` takes it, or a tuple ``(images, label_maps)`` of arrays.
        steps: Number of batches; None is all.
        batch_size: Of arrays.
        freq: Every how many epochs, or the numbers of the epochs, the first being 1.

    Attributes:
        names: Names of the scores, as the logs have them.

    Raises:
        ValueError: If it could not be evaluated later: no metrics were given to `compile` or set, it has no end, it can be read
            once alone, there are too few images for the metrics, or shapes that the model does not take.
    """

    def __init__(self, gan, data: Any, steps: int | None, batch_size: int | None, freq: int | Container[int]):
        if isinstance(freq, int) and freq < 1:
            raise ValueError(f"validation_freq={freq}: give a number of epochs, at least 1, or the numbers of the epochs.")
        if not gan.metrics_of_compile:
            raise ValueError(
                "validation_data needs compile(metrics=[...]), or, for a loaded model, gan.metrics_of_compile = [...], which "
                "leaves its optimizers as they are: for example keras_semisis.metrics.GeneratedMeanIoU(segmenter)."
            )
        gan.check_judges(gan.metrics_of_compile)
        self.freq = freq
        self.arguments = {"x": data, "steps": steps, "batch_size": batch_size}
        if isinstance(data, tuple):
            parts = "(images, label_maps, instances)" if gan.instance_edges else "(images, label_maps)"
            if len(data) != gan.batch_rule.parts:
                weights = " The scores have no sample weights." if len(data) == 3 else ""
                raise ValueError(f"validation_data: a tuple of {len(data)}; expected {parts}.{weights}")
        check_read_again(data, "validation_data")
        batches = gan.evaluation_batches(**self.arguments)
        self.names = [f"val_{name}" for name in rehearse(gan.metrics_of_compile, batches, "validation_data")]

    def is_due(self, epoch: int) -> bool:
        """Whether it is evaluated at the end of an epoch, the first being 0."""
        return (epoch + 1) % self.freq == 0 if isinstance(self.freq, int) else epoch + 1 in self.freq

    def scores(self, gan) -> dict[str, float]:
        """The scores, as the logs have them."""
        return {f"val_{name}": value for name, value in gan.evaluate(**self.arguments, verbose=0).items()}


def check_metrics(metrics: Any, argument: str) -> None:
    """Refuses what is no list of metrics.

    Args:
        metrics: What was given as one; None and nothing are.
        argument: What it was given as, for the error.

    Raises:
        ValueError: Naming what was found.
    """
    is_list = isinstance(metrics, list | tuple)
    parts = metrics if is_list else [] if metrics is None else [metrics]
    verbs = ("reset_state", "update_state", "result")
    others = [
        part for part in parts if isinstance(part, keras.metrics.Metric) or not all(hasattr(part, verb) for verb in verbs)
    ]
    if others or (parts and not is_list):
        raise ValueError(
            f"{argument}: {type((others or parts)[0]).__name__} {'is none' if others else 'is not in a list'}. Give a list of "
            "objects as those of keras_semisis.metrics, which score generated images beside photos: "
            "[keras_semisis.metrics.GeneratedMeanIoU(segmenter)]."
        )


def rehearse(metrics: Any, batches: Iterable, argument: str) -> list[str]:
    """Names of the scores, found by taking photos for generated ones; from as few batches as the metrics need.

    Args:
        metrics: Objects as those of `keras_semisis.metrics`.
        batches: Of ``(image, label_map)``.
        argument: Where they come from, for errors.

    Raises:
        ValueError: As the metrics raise it, such as for too few images; two give a score of one name; or there is no batch.
    """
    check_score_names(metrics)
    failed = None
    for metric in metrics:
        metric.reset_state()
    with warnings.catch_warnings():  # of few images, which are not all
        warnings.simplefilter("ignore")
        for image, label_map, *_ in batches:
            image, label_map = host_array(image), host_array(label_map)
            for metric in metrics:
                metric.update_state(label_map, image, draws_for(metric, itertools.repeat(image)))
            try:
                results = [metric.result() for metric in metrics]
            except ValueError as error:
                failed = error
                continue
            break
        else:
            raise ValueError(f"{argument}: {failed or 'there is no batch in it.'}")
    for metric in metrics:
        metric.reset_state()
        if hasattr(metric, "forget_warnings"):
            metric.forget_warnings()
    return list(joined_scores(results))


def check_score_names(metrics: Iterable) -> None:
    """Refuses metrics of which two give a score of one name, as far as names are known before there are scores.

    Raises:
        ValueError: Naming these scores.
    """
    known = (getattr(metric, "score_names", None) or [getattr(metric, "name", repr(metric))] for metric in metrics)
    _check_given_once(itertools.chain.from_iterable(known))


def joined_scores(results: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """The scores of several metrics as one.

    Raises:
        ValueError: If two of them give a score of one name, of which one would be lost.
    """
    scores = [score for result in results for score in result.items()]
    _check_given_once(name for name, _ in scores)
    return dict(scores)


def _check_given_once(names):
    several = [name for name, number in Counter(names).items() if number > 1]
    if several:
        raise ValueError(f"metrics: two of them give the score {' and the score '.join(several)}. Give name= to one of them.")


def draws_for(metric, images: Iterable[np.ndarray]) -> np.ndarray:
    """As many of the images ``(B, H, W, 3)`` as a metric takes of each label map: one as it is, several stacked."""
    number = getattr(metric, "draws", 1)
    drawn = [*itertools.islice(images, number)]
    return drawn[0] if number == 1 else np.stack(drawn)


def check_read_again(dataset: Any, argument: str) -> None:
    """Refuses a data set that can be read once alone.

    Args:
        dataset: The data set.
        argument: What it was given as, for the error.

    Raises:
        ValueError: If it is an iterator.
    """
    if isinstance(dataset, Iterator):
        raise ValueError(
            f"{argument} is an iterator, which can be read once: give a data set, which can be read again, or arrays "
            "(images, label_maps)."
        )


def check_end(dataset: Any, steps: int | None) -> None:
    """Refuses a data set that has no end, unless a number of steps is given.

    Raises:
        ValueError: In that case.
    """
    # that of a tf.data.Dataset, where -1 is infinite
    cardinality = getattr(dataset, "cardinality", None)
    endless = (
        int(cardinality()) == -1
        if callable(cardinality)
        else (isinstance(dataset, keras.utils.PyDataset) and dataset.num_batches is None)
        or isinstance(dataset, itertools.repeat | itertools.cycle | itertools.count)
    )
    if steps is None and endless:
        raise ValueError("The data set has no end. Give the number of batches: evaluate(steps=...), fit(validation_steps=...).")


class EpochLogs(keras.callbacks.Callback):
    """Keeps the logs of every epoch, so that the lists of a History can have one value an epoch.

    Keras's own leave out the epochs in which a term was not due or no validation was run.
    """

    def __init__(self):
        super().__init__()
        self.epochs: list[dict[str, float]] = []

    def on_epoch_end(self, epoch, logs=None):
        self.epochs.append(dict(logs or {}))

    def history(self) -> dict[str, list[float]]:
        """The values by name; NaN where there was none."""
        names = dict.fromkeys(name for logs in self.epochs for name in logs)
        return {name: [logs.get(name, np.nan) for logs in self.epochs] for name in names}


class Columns(keras.callbacks.Callback):
    """Before a CSVLogger: gives it the columns of terms and scores that the first epoch need not have.

    Args:
        logger: The `keras.callbacks.CSVLogger`, which otherwise writes what it saw in the first epoch.
        names: Names of losses and scores.
    """

    def __init__(self, logger, names):
        super().__init__()
        self.logger = logger
        self.names = names

    def on_epoch_end(self, epoch, logs=None):
        if self.logger.keys is None:
            self.logger.keys = sorted({*(logs or {}), *self.names})
