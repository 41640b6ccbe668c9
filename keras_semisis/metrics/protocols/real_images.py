"""Photos and label maps of a source for metrics, and the states that photos leave behind from one evaluation to the next."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property

import numpy as np

from keras_semisis.data import Source
from keras_semisis.data.pictures.resizing import resize_image, resize_label_map
from keras_semisis.metrics.generation_metric import GenerationMetric
from keras_semisis.metrics.protocols.provenance import data_fingerprint
from keras_semisis.metrics.protocols.statistics_cache import StatisticsCache


def batches(
    source: Source, size: tuple[int, int], batch_size: int, images: bool
) -> Iterator[tuple[np.ndarray, np.ndarray | None, int]]:
    """Label maps, images as uint8 if they are asked for, and the number of the first item."""
    for first in range(0, len(source), batch_size):
        indices = range(first, min(first + batch_size, len(source)))
        if not images:
            yield np.stack([resize_label_map(source.load_label_map(i), size) for i in indices]), None, first
            continue
        items = [source.load(i) for i in indices]
        yield (
            np.stack([resize_label_map(label_map, size) for _, label_map in items]),
            np.stack([resize_image(image, size) for image, _ in items]),
            first,
        )


class RealImages:
    """Photos for the metrics that do not find the state of theirs in the cache.

    Args:
        source: Photos with label maps.
        size: (height, width) that they are resized to.
        batch_size: How many at once.
        protocol: What the states depend on beside data and metric.
        cache: Where states are kept, or None.

    Attributes:
        images_sha256: Hash of all photos as the metrics see them; None before they are read or their hash is found.
    """

    def __init__(self, source: Source, size: tuple[int, int], batch_size: int, protocol: str, cache: StatisticsCache | None):
        self.source = source
        self.size = size[0], size[1]
        self.batch_size = batch_size
        self.protocol = protocol
        self.cache = cache
        self.images_sha256: str | None = None

    @cached_property
    def fingerprint(self) -> str | None:
        """That of the data, for which every file is looked at."""
        return data_fingerprint(self.source)

    def read(self, metrics: Mapping[GenerationMetric, str | None], tick: Callable[[], None]) -> None:
        """Gives the photos to metrics, or the states that were kept.

        Args:
            metrics: For each metric what the state of its photos depends on; None where nobody knows, and nothing is kept.
            tick: Called after each batch that is read.
        """
        keys = {metric: self._key(fingerprint) for metric, fingerprint in metrics.items()}
        missing = [metric for metric, key in keys.items() if not self._load(metric, key)]
        if not missing:
            return
        digest = hashlib.sha256()
        for label_maps, images, _ in batches(self.source, self.size, self.batch_size, images=True):
            assert images is not None
            digest.update(images.tobytes())
            for metric in missing:
                metric.update_real(label_maps, images)
            tick()
        self.images_sha256 = digest.hexdigest()
        for metric in missing:
            key = keys[metric]
            if key is not None and self.cache is not None:
                self.cache.store(key, metric.real_state() | {"images_sha256": np.array(self.images_sha256)})

    def _key(self, fingerprint):
        if self.cache is None or fingerprint is None or self.fingerprint is None:
            return None
        return json.dumps([fingerprint, self.fingerprint, self.protocol, self.size])

    def _load(self, metric, key):
        state = None if key is None or self.cache is None else self.cache.load(key)
        if state is None:
            return False
        try:
            self.images_sha256 = str(state.pop("images_sha256"))
            metric.load_real_state(state)
        except (KeyError, ValueError):
            return False
        return True
