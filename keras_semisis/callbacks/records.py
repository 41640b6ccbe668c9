"""Records of a run, one JSON object a line, that survive a resume."""

import json
from pathlib import Path

from keras_semisis.whole_file import whole_file


def read_records(path: Path, last_step: int) -> list[dict]:
    """The records of the steps up to ``last_step``; a line that was cut short is left out."""
    if not path.is_file():
        return []
    records = []
    for line in path.read_text().splitlines():
        try:
            record = json.loads(line)
        except json.JSONDecodeError:  # the run was killed while it wrote
            continue
        if record["step"] <= last_step:
            records.append(record)
    return records


def append_records(path: Path, records: list[dict]) -> None:
    """Adds records at the end of the file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a") as file:
        file.writelines(json.dumps(record) + "\n" for record in records)


def write_records(path: Path, records: list[dict]) -> None:
    """Replaces the file as a whole: the old one stays until the new one is complete."""
    with whole_file(path) as unfinished:
        unfinished.write_text("".join(json.dumps(record) + "\n" for record in records))
