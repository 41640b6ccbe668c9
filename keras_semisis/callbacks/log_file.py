"""Logs of a run, one JSON object a line, that survive a resume."""

import json
from pathlib import Path

from keras_semisis.whole_file import whole_file


def read_log(path: Path, last_step: int | None = None) -> list[dict]:
    """The entries, of the steps up to ``last_step`` if there is one; a line that was cut short is left out."""
    if not path.is_file():
        return []
    entries = []
    for line in path.read_text().splitlines():
        try:
            entry = json.loads(line)
        except json.JSONDecodeError:  # the run was killed while it wrote
            continue
        if last_step is None or entry["step"] <= last_step:
            entries.append(entry)
    return entries


def append_log(path: Path, entries: list[dict]) -> None:
    """Adds entries at the end of the file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a") as file:
        file.writelines(json.dumps(entry) + "\n" for entry in entries)


def write_log(path: Path, entries: list[dict]) -> None:
    """Replaces the file as a whole: the old one stays until the new one is complete."""
    with whole_file(path) as unfinished:
        unfinished.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
