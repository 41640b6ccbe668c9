"""`keras-semisis check`, and what `train --check` does before it trains: every file is read once."""

import sys
from collections.abc import Iterator, Mapping

from rich.table import Table

from keras_semisis.cli.messages import console, print_report
from keras_semisis.cli.progress import counting
from keras_semisis.cli.sources import DataPair, further_sources, open_data
from keras_semisis.data import BadFiles, DataError, LabelSpace, Source
from keras_semisis.data.remedy import Remedy
from keras_semisis.data.statistics.inventory import Inventory, read_all
from keras_semisis.data.stream.pipeline import MIXED
from keras_semisis.recipes.settings import TrainSettings

# Of different sizes, in the report
_MOST_SIZES = 3


def check(settings: TrainSettings) -> None:
    """Reads every photo and label map that the options name, and reports what is in them.

    Args:
        settings: What names data: ``data``, ``validation_data``, ``unpaired_images``, ``unpaired_labels``, ``ignore_class``,
            ``id_map``, ``fit``; and ``skip_bad``, the number of bad files that make no error.

    Raises:
        DataError: If more files cannot be used. All of them are listed before.
        ValueError: As `open_data` raises it.
    """
    bad = BadFiles(sys.maxsize)
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
    found = {}
    for name, source, images in _parts(settings, sources):
        with counting(f"Reading {name}") as progress:
            found[name] = read_all(source, bad, images, progress)
        console.print(f"{name}: {_described(found[name])}", soft_wrap=True, highlight=False)
    if settings.fit is None and sources.train.published_image_size is None and _are_mixed(found):
        console.print(
            "The photos have several proportions: train stretches them all to one, unless --fit crop is given.",
            soft_wrap=True,
            highlight=False,
        )
    console.print(_classes(sources.train.label_space, found))
    print_report(bad, "Files that cannot be used")
    if len(bad.errors) > settings.skip_bad:
        allowed = f", of which {settings.skip_bad} may be" if settings.skip_bad else ""
        raise DataError(
            f"Files that cannot be used: {len(bad.errors)}{allowed}. They are listed above.",
            Remedy("Correct them, or leave them out of a training by {}.", {"skip_bad": len(bad.errors)}),
        )
    console.print("All other files can be used." if bad.errors else "All files can be used.")


def _parts(settings: TrainSettings, sources: DataPair) -> Iterator[tuple[str, Source, bool]]:
    """Name and source of what is read, and whether its photos are."""
    images, labels = further_sources(settings, sources.train.label_space)
    yield "pairs for training", sources.train, True
    if sources.val is not sources.train:
        yield "pairs for validation", sources.val, True
    for what, further in (
        ("data", (sources.train.unpaired_images, sources.train.unpaired_labels)),
        ("options", (images, labels)),
    ):
        where = "" if what == "data" else " of the folder"
        for name, source in zip(("unpaired photos", "unpaired label maps"), further, strict=True):
            if source is not None:
                yield f"{name}{where}", source, source.label_space is None


def _are_mixed(found: Mapping[str, Inventory]) -> bool:
    """Whether sizes that were read differ in their proportions by more than what passes for the same."""
    ratios = [width / height for part in found.values() for height, width in part.sizes]
    return max(ratios, default=1) > MIXED * min(ratios, default=1)


def _described(found: Inventory) -> str:
    """``"9 of 10 items can be used, 480x640 (9)"``."""
    sizes = [f"{height}x{width} ({number})" for (height, width), number in found.sizes.most_common(_MOST_SIZES)]
    more = [f"{len(found.sizes) - _MOST_SIZES} other sizes"] if len(found.sizes) > _MOST_SIZES else []
    items = "1 item" if found.items == 1 else f"{found.items} items"
    share = items if found.good == found.items else f"{found.good} of {items} can be used"
    return ", ".join([share, *sizes, *more])


def _classes(space: LabelSpace, found: Mapping[str, Inventory]) -> Table:
    """In how many label maps each class is, and its share of their pixels."""
    table = Table()
    counted = {name: part for name, part in found.items() if part.pixels is not None}
    table.add_column("id", justify="right")
    table.add_column("class")
    for name in counted:
        table.add_column(f"label maps (pixels): {name}", justify="right")
    for class_id, name in enumerate(space.class_names):
        cells = [
            f"{part.label_maps[class_id]} ({part.pixels[class_id] / max(1, part.pixels.sum()):.2%})"
            for part in counted.values()
        ]
        table.add_row(str(class_id), name + " (don't-care)" * (class_id == space.ignore_class), *cells)
    return table
