"""`classes.csv`: names, colors and the don't-care class of a folder's label maps."""

import csv
from collections.abc import Iterable
from io import StringIO
from pathlib import Path

import numpy as np

from keras_semisis.data.data_error import DataError
from keras_semisis.data.labels.label_space import LabelSpace, uncolored_label_space
from keras_semisis.data.pictures.decoding import read_bytes
from keras_semisis.data.remedy import Remedy

# Ours, that of Roboflow, and that of several published data sets
NAMES = ("classes.csv", "_classes.csv", "class_dict.csv")
_COLUMNS = {
    "id": ("id", "pixel value", "value", "class id", "label id", "index"),
    "name": ("name", "class", "class name", "label"),
    "r": ("r", "red"),
    "g": ("g", "green"),
    "b": ("b", "blue"),
    "ignore": ("ignore",),
}
_IGNORE = {"": False, "0": False, "no": False, "false": False, "1": True, "yes": True, "true": True}


def find_classes(folders: Iterable[Path]) -> Path | None:
    """The first such file in the folders."""
    return next((folder / name for folder in folders for name in NAMES if (folder / name).is_file()), None)


def classes_text(space: LabelSpace) -> str:
    """What `read_classes` reads as this label space, its rule of stored ids left out."""
    file = StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for i, (name, color) in enumerate(zip(space.class_names, space.palette, strict=True)):
        writer.writerow([i, name, *color, int(i == space.ignore_class)])
    return file.getvalue()


def read_classes(path: Path) -> LabelSpace:
    """The label space that a file describes.

    A header names the columns: ``id`` (or Roboflow's ``Pixel Value``; without it the lines count from 0), ``name`` (or
    ``Class``), ``r,g,b`` (or ``red,green,blue``; without them colors are drawn, and label maps of colors are refused), and
    ``ignore``, where 1 marks the don't-care class. Columns are parted by comma, semicolon or tab; letter case, spaces and
    empty columns at the end do not matter.

    Args:
        path: The file.

    Raises:
        DataError: If it cannot be understood.
    """
    try:
        text = read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: this is no UTF-8 text ({error}). Save it again with the encoding UTF-8.") from None
    if not text.strip():
        raise DataError(f"{path}: the file is empty. Write the header id,name,r,g,b and a line for each class.")
    try:
        rows = _rows(text)
        ids = [int(row["id"]) for row in rows]
        names = [row["name"] for row in rows]
        drawn = not rows or not {"r", "g", "b"} & rows[0].keys()
        colors = [] if drawn else [tuple(int(row[channel]) for channel in "rgb") for row in rows]
        ignored = [i for i, row in zip(ids, rows, strict=True) if _IGNORE[row.get("ignore", "").lower()]]
    except (KeyError, ValueError, csv.Error) as error:
        reason = repr(error) if isinstance(error, KeyError) else error
        raise DataError(
            f"{path}: not understood ({reason}). It needs the header id,name,r,g,b and "
            "integers in all columns but the name; in a column ignore, 1 for the don't-care class and 0 or "
            "nothing for the others."
        ) from error
    if sorted(ids) != list(range(len(ids))) or not ids:
        raise DataError(
            f"{path}: its ids are {sorted(ids)[:12]}, but must be 0, 1, 2, ... with none left out or twice.",
            Remedy("Renumber them, and give {} if the label maps store other ids.", {"id_map": ...}),
        )
    if len(ignored) > 1:
        raise DataError(
            f"{path}: ids {ignored} are all marked as ignore, but there is one don't-care class.",
            Remedy("Merge them in the file, and the ids in the label maps by {}.", {"id_map": ...}),
        )
    order = np.argsort(ids)
    names, ignore_class = [names[i] for i in order], ignored[0] if ignored else None
    try:
        if drawn:  # then nothing but ids can be in the files
            return uncolored_label_space(names, ignore_class=ignore_class, id_map={i: i for i in ids}, all_ids=True)
        return LabelSpace(names, [colors[i] for i in order], ignore_class)
    except ValueError as error:
        raise DataError(f"{path}: {error}") from None


def _rows(text):
    """The lines as dictionaries by our names of the columns; each has an id."""
    first = text.lstrip().split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    lines = [
        [cell.strip() for cell in line]
        for line in csv.reader(StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    ]
    header, *lines = [line for line in lines if any(line)] or [[]]
    header = [cell.casefold().replace("_", " ") for cell in header]
    columns = [next((ours for ours, names in _COLUMNS.items() if name in names), name) for name in header]
    twice = next((ours for ours in _COLUMNS if columns.count(ours) > 1), None)
    if twice is not None:
        both = " and ".join(name for name, ours in zip(header, columns, strict=True) if ours == twice)
        raise ValueError(f"the columns {both} are both of {twice}")
    if "name" not in columns:
        raise ValueError(f"no column name; found: {', '.join(header)}")
    unnamed = [line for line in lines if any(line[len(columns) :])]
    if unnamed:
        raise ValueError(f"more cells than columns in {unnamed[0]}")
    rows = [dict(zip(columns, line, strict=False)) for line in lines]
    return rows if "id" in columns else [row | {"id": i} for i, row in enumerate(rows)]
