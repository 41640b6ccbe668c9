"""`keras-semisis check`: every file is read once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from rich.table import Table

from keras_semisis.cli.command import Given, command
from keras_semisis.cli.messages import console, print_report, say
from keras_semisis.options.check import CheckOptions

if TYPE_CHECKING:
    from keras_semisis.data import LabelSpace
    from keras_semisis.data.statistics.inventory import Inventory
    from keras_semisis.options.read import ReadOptions

# Of different sizes, in the report
_MOST_SIZES = 3


@command("check", CheckOptions)
def check(given: Given) -> None:
    """Reads every photo and label map once, and lists those that cannot be used, the sizes and the classes.

    The exit status is 0 if all can be used. train --check does the same before it trains.
    """
    check_files(given.of(CheckOptions))


def check_files(settings: ReadOptions) -> None:
    """Reads all files, and prints what is in them.

    Args:
        settings: As `recipes.checking.read_everything` takes them; ``skip_bad`` is the number of bad files that make no error.

    Raises:
        DataError: If more files cannot be used. All of them are listed before.
        ValueError: As `open_data` raises it.
    """
    from keras_semisis.data import DataError
    from keras_semisis.data.remedy import Remedy
    from keras_semisis.recipes.checking import read_everything
    from keras_semisis.recipes.terminal_progress import TerminalProgress

    reading = read_everything(settings, TerminalProgress(console))
    for name, found in reading.found.items():
        say(f"{name}: {_described(found)}")
    if reading.is_mixed:
        say("The photos have several proportions: train stretches them all to one, unless --fit crop is given.")
    console.print(_classes(reading.label_space, reading.found))
    bad = reading.bad
    print_report(bad, "Files that cannot be used")
    if len(bad.errors) > settings.skip_bad:
        allowed = f", of which {settings.skip_bad} may be" if settings.skip_bad else ""
        raise DataError(
            f"Files that cannot be used: {len(bad.errors)}{allowed}. They are listed above.",
            Remedy("Correct them, or leave them out of a training by {}.", {"skip_bad": len(bad.errors)}),
        )
    say("All other files can be used." if bad.errors else "All files can be used.")


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
    counted = {
        name: (part.label_maps, part.pixels)
        for name, part in found.items()
        if part.label_maps is not None and part.pixels is not None
    }
    table.add_column("id", justify="right")
    table.add_column("class")
    for name in counted:
        table.add_column(f"label maps (pixels): {name}", justify="right")
    for class_id, name in enumerate(space.class_names):
        cells = [f"{maps[class_id]} ({pixels[class_id] / max(1, pixels.sum()):.2%})" for maps, pixels in counted.values()]
        table.add_row(str(class_id), name + " (don't-care)" * (class_id == space.ignore_class), *cells)
    return table
