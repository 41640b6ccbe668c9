"""Images per second of the input pipeline, with and without the rare-class sampler."""

import itertools
import statistics
import time

import numpy as np

import keras_semisis as ks
from keras_semisis.data.optional_tensorflow import optional_tensorflow

_FAR = 10**9
_SAMPLERS = ("uniform", "rare_classes")


def measure(source, image_size, batch_size, rounds: int = 15, batches: int = 64) -> dict[str, float]:
    """Rates with the uniform and the rare-class sampler, and what the latter costs.

    What the sampler costs is a thousandth of the whole or so, less than two measurements of the whole differ: it
    is the time that drawing the indices takes, more than uniformly, as a share of the whole's.
    """
    streams = {}
    for sampler in _SAMPLERS:
        data = ks.data.paired_dataset(source, image_size, batch_size, sampler=sampler)
        # of so long a training, every step that is taken lies in the first half
        streams[sampler] = iter(data.stream(0, _FAR))
        _decode(data)
        _seconds(streams[sampler], batches)
    seconds = {sampler: [] for sampler in _SAMPLERS}
    for i in range(rounds):
        for sampler in _SAMPLERS[:: 1 if i % 2 else -1]:
            seconds[sampler].append(_seconds(streams[sampler], batches))
    an_image = {sampler: float(np.median(taken)) / (batches * batch_size) for sampler, taken in seconds.items()}
    draws = {sampler: _seconds_per_draw(data, sampler, batch_size) for sampler in _SAMPLERS}
    return {f"{sampler}_images_per_second": 1 / taken for sampler, taken in an_image.items()} | {
        "uniform_seconds_per_draw": draws["uniform"], "rare_classes_seconds_per_draw": draws["rare_classes"],
        "sampler_cost": (draws["rare_classes"] - draws["uniform"]) / an_image["uniform"]}


def _decode(data):
    """Every item once: those that the sampler seldom takes would be decoded while it is measured."""
    for lane in data._lanes:
        for index in range(len(lane.items)):
            lane.items.get(index)


def _seconds(stream, batches):
    begin = time.perf_counter()
    for _ in itertools.islice(stream, batches):
        pass
    return time.perf_counter() - begin


def _seconds_per_draw(data, sampler, batch_size, chunk: int = 4096, rounds: int = 15) -> float:
    """Of the indices alone, drawn as the pipeline draws them with this backend."""
    lane, rare, tf = data._lanes[0], sampler == "rare_classes", optional_tensorflow()
    numbers = [_FAR + i * chunk + np.arange(chunk) for i in range(rounds + 1)]
    if tf is None:
        drawn = (lane.indices(part, rare) for part in numbers)
    else:
        parts = tf.data.Dataset.from_tensor_slices(np.stack(numbers).reshape(rounds + 1, -1, batch_size))
        drawn = iter(lane.index_dataset(tf, parts, rare))
    next(drawn)
    return statistics.median(_seconds(drawn, 1) for _ in range(rounds)) / chunk
