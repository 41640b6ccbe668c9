"""Reading every file once, before or without a training."""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from keras_semisis.data import BadFiles, LabelSpace, Source
from keras_semisis.data.statistics.inventory import Inventory, read_all
from keras_semisis.data.stream.pipeline import MIXED
from keras_semisis.options.read import ReadOptions
from keras_semisis.recipes.further_data import further_sources
from keras_semisis.recipes.progress import SILENT, Progress
from keras_semisis.recipes.sources import DataPair, open_settings


@dataclass(frozen=True)
class Reading:
    """What is in files that were all read.

    Attributes:
        found: What was found, by the name of what was read, such as ``"pairs for training"``.
        bad: The files that cannot be used.
        label_space: What the label maps of the data mean.
        is_mixed: Whether photos have several proportions, which are no one's choice yet.
    """

    found: Mapping[str, Inventory]
    bad: BadFiles
    label_space: LabelSpace
    is_mixed: bool


def read_everything(settings: ReadOptions, progress: Progress = SILENT) -> Reading:
    """Reads every photo and label map that the options name.

    Args:
        settings: What names data: ``data``, ``validation_data``, ``unpaired_images``, ``unpaired_labels``, ``ignore_class``,
            ``id_map``, ``fit``; `TrainSettings` among others.
        progress: Shows how far it is.

    Raises:
        ValueError: As `open_data` raises it.
    """
    bad = BadFiles(sys.maxsize)
    sources = open_settings(settings, bad)
    found = {}
    for name, source, images in _parts(settings, sources):
        with progress.counting(f"Reading {name}") as show:
            found[name] = read_all(source, bad, images, show)
    chosen = settings.fit is not None or sources.train.published_image_size is not None
    return Reading(found, bad, sources.train.label_space, not chosen and _are_mixed(found))


def _parts(settings: ReadOptions, sources: DataPair) -> Iterator[tuple[str, Source, bool]]:
    """Name and source of what is read, and whether its photos are."""
    images, labels = further_sources(settings, sources.train.label_space)
    yield "pairs for training", sources.train, True
    if sources.val is not sources.train:
        yield "pairs for validation", sources.val, True
    for name, source in (
        ("unpaired photos", sources.train.unpaired_images),
        ("unpaired label maps", sources.train.unpaired_labels),
        ("unpaired photos of the folder", images),
        ("unpaired label maps of the folder", labels),
    ):
        if source is not None:
            yield name, source, source.label_space is None


def _are_mixed(found: Mapping[str, Inventory]) -> bool:
    """Whether sizes that were read differ in their proportions by more than what passes for the same."""
    ratios = [width / height for part in found.values() for height, width in part.sizes]
    return max(ratios, default=1) > MIXED * min(ratios, default=1)
