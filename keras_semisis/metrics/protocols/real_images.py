"""Photos and label maps of a source for metrics, and the states that photos leave behind from one evaluation to the next."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import NamedTuple

import numpy as np

from keras_semisis.data import Source
from keras_semisis.data.pictures.resizing import resize_image, resize_label_map
from keras_semisis.data.sources.source import instance_map_of
from keras_semisis.metrics.generation_metric import GenerationMetric
from keras_semisis.metrics.protocols.provenance import data_fingerprint
from keras_semisis.metrics.protocols.statistics_cache import StatisticsCache


class LabelBatch(NamedTuple):
    """Label maps of consecutive items, their instance maps if they were asked for, and the number of the first item."""

    label_maps: np.ndarray
    instances: np.ndarray | None
    first: int


def label_batches(source: Source, size: tuple[int, int], batch_size: int, instances: bool) -> Iterator[LabelBatch]:
    """Label maps by themselves, without the photos.

    Raises:
        DataError: If an instance map is of another size than its label map.
    """
    for indices in _batches(source, batch_size):
        label_maps = [source.load_label_map(i) for i in indices]
        of_them = [instance_map_of(source, *item) for item in zip(indices, label_maps, strict=True)] if instances else None
        yield LabelBatch(_resized(label_maps, size), None if of_them is None else _resized(of_them, size), indices[0])


def _batches(source, batch_size):
    return (range(len(source))[first : first + batch_size] for first in range(0, len(source), batch_size))


def _resized(label_maps, size):
    return np.stack([resize_label_map(label_map, size) for label_map in label_maps])


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
        return data_fingerprint(self.source, "label maps", "images")

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
        for indices in _batches(self.source, self.batch_size):
            items = [self.source.load(i) for i in indices]
            label_maps = _resized([label_map for _, label_map in items], self.size)
            images = np.stack([resize_image(image, self.size) for image, _ in items])
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
