"""`keras-semisis classes`: what the ids of a data set mean."""

from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from rich.markup import escape
from rich.table import Table

from keras_semisis.cli.messages import console
from keras_semisis.cli.sources import label_space_of
from keras_semisis.data import Cityscapes, LabelSpace

_ROWS = 40
# Inches
_ROW_HEIGHT, _COLUMN_WIDTH = 0.22, 2.6


def classes(data: str, legend: Path | None, ignore_class: int | None = None, id_map: tuple[str, ...] = ()) -> None:
    """Prints the classes of a source, and draws them into a PNG file where one is named.

    Args:
        data: As `cli.sources.label_space_of` takes it.
        legend: The file, or None.
        ignore_class, id_map: Of a folder, as `open_data` takes them.

    Raises:
        ValueError: If there is no such source, or the file is no PNG.
    """
    if legend is not None and legend.suffix.lower() != ".png":
        raise ValueError(f"--legend {legend}: the file name must end in .png.")
    space = label_space_of(data, ignore_class, id_map)
    console.print(_table(space))
    if legend is not None:
        draw_legend(space, legend)
        console.print(f"Written to {legend}", soft_wrap=True)


def _table(space):
    table = Table("id", "", "name", "color", title=f"{space.num_classes} classes")
    train_ids = Cityscapes.train_ids if space == Cityscapes.label_space else None
    if train_ids:
        table.add_column("train id", justify="right")
    for i, (name, color) in enumerate(zip(space.class_names, space.palette, strict=True)):
        note = " (don't care)" if i == space.ignore_class else ""
        row = [str(i), "[on rgb({},{},{})]  [/]".format(*color), escape(name) + note, ", ".join(map(str, color))]
        table.add_row(*row, *([str(train_ids[i])] if train_ids else []))
    return table


def draw_legend(space: LabelSpace, path: Path) -> None:
    """Draws ids, names and colors into a PNG file, 40 classes a column.

    Args:
        space: The label space.
        path: The file that is written; its folder is made where there is none.
    """
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
