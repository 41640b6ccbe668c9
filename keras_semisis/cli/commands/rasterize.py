"""`keras-semisis rasterize`: drawings of other programs as label maps."""

from __future__ import annotations

from rich.table import Table

from keras_semisis.cli.command import Given, command
from keras_semisis.cli.messages import console, say
from keras_semisis.options.rasterize import RasterizeOptions


@command("rasterize", RasterizeOptions)
def rasterize(given: Given) -> None:
    """Writes label maps of polygons and masks that were drawn in COCO's tools, labelme, CVAT, Label Studio or in layers."""
    from keras_semisis.recipes import rasterizing
    from keras_semisis.recipes.terminal_progress import TerminalProgress

    options = given.of(RasterizeOptions)
    report = rasterizing.rasterize_files(options, TerminalProgress(console))
    table, space = Table("id", "class", "shapes", "pixels"), report.label_space
    for number, name in enumerate(space.class_names):
        share = report.pixels[number] / max(1, report.pixels.sum())
        table.add_row(
            str(number), name + " (don't-care)" * (number == space.ignore_class), str(report.shapes[name]), f"{share:.2%}"
        )
    console.print(table)
    say(f"{report.label_maps} label maps in {options.output}. Read them with folder:{options.output}")
