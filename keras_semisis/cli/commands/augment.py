"""`keras-semisis augment`: a labeled data set of generated photos."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.table import Table

from keras_semisis.cli.command import Given, command
from keras_semisis.cli.messages import console, print_report, say
from keras_semisis.options.augment import AugmentOptions


@command("augment", AugmentOptions)
def augment(given: Given) -> None:
    """Writes generated photos with their label maps, to train a segmenter on; goes on where it was interrupted."""
    from keras_semisis.data import BadFiles
    from keras_semisis.recipes import augmenting
    from keras_semisis.recipes.terminal_progress import TerminalProgress

    options = given.of(AugmentOptions)
    bad = BadFiles(options.skip_bad)
    report = augmenting.augment_files(options, bad, TerminalProgress(console))["report"]
    console.print(_table(report["classes"]))
    print_report(bad)
    say(
        f"{report['kept']} of {report['drawn']} photos kept in {options.output}. Train on them with --data "
        f"folder:{options.output}, and on real ones, too, with train-segmenter --augmented {options.output}"
    )


def _table(classes: Mapping[str, Mapping[str, Any]]) -> Table:
    """Of the photos that show each class, how many were kept and dropped, and how they agree with the label map.

    Where pixels are filtered, what is left of the class's in those that were kept.
    """
    pixels = any("pixels" in found for found in classes.values())
    table = Table("photos with", "kept", "dropped", "agreement", "of those kept", *(["pixels left"] if pixels else []))
    for column in table.columns[1:]:
        column.justify = "right"
    for name, found in classes.items():
        means = ["–" if found[key] is None else f"{found[key]:.2f}" for key in ("agreement", "agreement_kept")]
        if pixels:
            means.append("–" if found["pixels"] is None else f"{found['pixels']:.0%}")
        table.add_row(name, str(found["kept"]), str(found["drawn"] - found["kept"]), *means)
    return table
