"""`keras-semisis classes`: what the ids of a data set mean."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from keras_semisis.cli.command import Given, command
from keras_semisis.cli.messages import console, say
from keras_semisis.options.classes import ClassesOptions

if TYPE_CHECKING:
    from keras_semisis.data import LabelSpace

_ROWS = 40
# Inches
_ROW_HEIGHT, _COLUMN_WIDTH = 0.22, 2.6


@command("classes", ClassesOptions)
def classes(given: Given) -> None:
    """Prints the classes of a data set: ids, names, colors, the don't-care class."""
    from keras_semisis.recipes.known_data import label_space_of

    options = given.of(ClassesOptions)
    if options.legend is not None and options.legend.suffix.lower() != ".png":
        raise ValueError(f"--legend {options.legend}: the file name must end in .png.")
    space = label_space_of(options.data, options.ignore_class, options.id_map)
    console.print(_table(space))
    if options.legend is not None:
        draw_legend(space, options.legend)
        say(f"Written to {options.legend}")


def _table(space):
    from keras_semisis.data import Cityscapes

    table = Table("id", "", "name", "color", title=f"{space.num_classes} classes")
    train_ids = Cityscapes.train_ids if space == Cityscapes.label_space else None
    if train_ids:
        table.add_column("train id", justify="right")
    for i, (name, color) in enumerate(zip(space.class_names, space.palette, strict=True)):
        note = " (don't care)" if i == space.ignore_class else ""
        row = [str(i), Text("  ", style="on rgb({},{},{})".format(*color)), name + note, ", ".join(map(str, color))]
        table.add_row(*row, *([str(train_ids[i])] if train_ids else []))
    return table


def draw_legend(space: LabelSpace, path: Path) -> None:
    """Draws ids, names and colors into a PNG file, 40 classes a column.

    Args:
        space: The label space.
        path: The file that is written; its folder is made where there is none.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

    columns = -(-space.num_classes // _ROWS)
    rows = min(space.num_classes, _ROWS)
    figure = Figure(figsize=(columns * _COLUMN_WIDTH, rows * _ROW_HEIGHT))
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, columns), ylim=(rows, 0))
    axes.axis("off")
    for i, (name, color) in enumerate(zip(space.class_names, space.palette, strict=True)):
        column, row = divmod(i, _ROWS)
        axes.add_patch(Rectangle((column + 0.02, row + 0.1), 0.1, 0.8, facecolor=[v / 255 for v in color], edgecolor="gray"))
        note = " (don't care)" if i == space.ignore_class else ""
        axes.text(column + 0.15, row + 0.5, f"{i} {name}{note}", va="center", fontsize=8, parse_math=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    FigureCanvasAgg(figure).print_png(path)
