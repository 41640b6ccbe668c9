"""Images per second of the input pipeline, with and without the rare-class sampler."""

import itertools
import statistics
import time

import keras_semisis as ks

_FAR = 10**9


def measure(source, image_size, batch_size, rounds: int = 9, batches: int = 64) -> dict[str, float]:
    """Rates with the uniform and the rare-class sampler, and what the latter costs.

    The two are measured in paired alternation, each going first every other time; the cost is the median
    over the rounds of the ratio of the two times, less 1, so that a drift of the machine does not enter.
    """
    streams = {}
    for sampler in ("uniform", "rare_classes"):
        data = ks.data.paired_dataset(source, image_size, batch_size, sampler=sampler)
        # of so long a training, every step that is taken lies in the first half
        streams[sampler] = iter(data.stream(0, _FAR))
        _seconds(streams[sampler], 2 * len(data) + batches)
    seconds = {sampler: [] for sampler in streams}
    for i in range(rounds):
        for sampler in list(streams)[:: 1 if i % 2 else -1]:
            seconds[sampler].append(_seconds(streams[sampler], batches))
    ratios = [
        rare / uniform for rare, uniform in zip(seconds["rare_classes"], seconds["uniform"], strict=True)
    ]
    rates = {sampler: batches * batch_size / statistics.median(taken) for sampler, taken in seconds.items()}
    return {
        "uniform_images_per_second": rates["uniform"],
        "rare_classes_images_per_second": rates["rare_classes"],
        "sampler_cost": statistics.median(ratios) - 1.0,
    }


def _seconds(stream, batches):
    begin = time.perf_counter()
    for _ in itertools.islice(stream, batches):
        pass
    return time.perf_counter() - begin
