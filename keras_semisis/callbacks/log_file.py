"""Logs of a run, one JSON object a line, that survive a resume."""

import json
import math
from pathlib import Path

from keras_semisis.whole_file import naming, whole_file


def read_log(path: Path, last_step: float | None = math.inf) -> list[dict]:
    """The entries of the steps up to ``last_step``; None is for a log without steps. A line that is none is left out."""
    if not path.is_file():
        return []
    entries = []
    for line in path.read_bytes().splitlines():
        try:
            entry = json.loads(line)
        except ValueError:  # the run was killed while it wrote, or the machine lost its power
            continue
        if isinstance(entry, dict) and (last_step is None or _step(entry) <= last_step):
            entries.append(entry)
    return entries


def _step(entry):
    step = entry.get("step")
    return step if isinstance(step, int) else math.nan


def append_log(path: Path, entries: list[dict]) -> None:
    """Adds entries at the end of the file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with naming(path), open(path, "a") as file:
        file.writelines(json.dumps(entry) + "\n" for entry in entries)


def write_log(path: Path, entries: list[dict]) -> None:
    """Replaces the file as a whole: the old one stays until the new one is complete."""
    with whole_file(path) as unfinished:
        unfinished.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
