"""Images per second of the input pipeline, with and without the rare-class sampler."""

import itertools
import time

import numpy as np

import keras_semisis as ks

_FAR = 10**9
_SAMPLERS = ("uniform", "rare_classes")


def measure(source, image_size, batch_size, rounds: int = 15, batches: int = 64) -> dict[str, float]:
    """Rates with the uniform and the rare-class sampler, and what the latter costs.

    The two are measured in paired alternation, each going first every other time; the cost is the median
    over the rounds of the ratio of the two times, less 1, so that a drift of the machine does not enter. It
    is given for the time on the clock, and for the processor time of all threads, which other programs on
    the machine disturb less.
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
    uniform, rare = (np.array(seconds[sampler]) for sampler in _SAMPLERS)
    rates = {f"{sampler}_images_per_second": float(batches * batch_size / np.median(taken[:, 0]))
             for sampler, taken in zip(_SAMPLERS, (uniform, rare), strict=True)}
    cost, processor_cost = (np.median(rare / uniform, axis=0) - 1.0).tolist()
    return rates | {"sampler_cost": cost, "sampler_processor_cost": processor_cost}


def _decode(data):
    """Every item once: those that the sampler seldom takes would be decoded while it is measured."""
    for lane in data._lanes:
        for index in range(len(lane.items)):
            lane.items.get(index)


def _seconds(stream, batches):
    """On the clock, and of the processor."""
    begin = time.perf_counter(), time.process_time()
    for _ in itertools.islice(stream, batches):
        pass
    return time.perf_counter() - begin[0], time.process_time() - begin[1]
