"""Run folders side by side."""

import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from keras_semisis.callbacks.log_file import read_log
from keras_semisis.data.argument_error import ArgumentError
from keras_semisis.metrics.table import SCORES, best_mode
from keras_semisis.recipes.choice import MOST_STEPS_OF_MINUTES
from keras_semisis.recipes.notices import tell
from keras_semisis.recipes.run_folder import FILE, newest_grid, read_document

_SETTINGS = ("method", "data", "ratio", "image_size", "seed")


def read_runs(folders: Iterable[Path], sort: str | None = None) -> list[dict[str, Any]]:
    """What run folders hold, the newest first.

    Args:
        folders: Run folders, or folders in which some lie, at any depth.
        sort: A score whose best run comes first; runs without it come last.

    Returns:
        For each run its ``folder``, ``method``, ``data``, ``ratio``, ``image_size``, ``seed``, ``steps`` that are done, ``of``
        how many, ``minutes`` that limit it, ``scores`` of the last evaluation, ``scored_at``, its step, and ``grid``, the
        newest picture; None for what there is not.

    Raises:
        ValueError: If there is no such score, or no such folder.
    """
    if sort is not None and best_mode(sort) is None:
        ordered = ", ".join(name for name in SCORES if best_mode(name))
        raise ArgumentError(f"{{}}: expected one of {ordered}.", {"sort": sort})
    found = sorted({path for folder in folders for path in _settings_in(folder)}, key=_age)
    runs = [run for run in map(_read, found) if run is not None]
    if sort is not None:
        sign = -1 if best_mode(sort) == "max" else 1
        runs.sort(key=lambda run: sign * run["scores"][sort] if sort in run["scores"] else math.inf)
    return runs


def _settings_in(folder: Path) -> Iterator[Path]:
    if not folder.is_dir():
        raise ValueError(f"{folder}: there is no such folder. Give run folders, as `train --output` names them.")
    yield from folder.rglob(FILE)


def _age(path):
    return -path.stat().st_mtime_ns, str(path)


def _read(path: Path) -> dict[str, Any] | None:
    folder, document = path.parent, read_document(path)
    if document is None:
        if (folder / "losses.jsonl").exists():
            tell(f"{path}: this file is damaged, and the run is left out.")
        return None
    options = document["options"]
    losses, scores = (read_log(folder / name) for name in ("losses.jsonl", "scores.jsonl"))
    last = scores[-1] if scores else {}
    grid = newest_grid(folder)
    return {
        "folder": str(folder),
        **{name: options.get(name) for name in _SETTINGS},
        "steps": losses[-1]["step"] if losses else 0,
        "of": None if options.get("steps") == MOST_STEPS_OF_MINUTES else options.get("steps"),
        "minutes": options.get("minutes"),
        "scores": {name: value for name, value in last.items() if best_mode(name)},
        "scored_at": last.get("step"),
        "grid": None if grid is None else str(grid),
    }
