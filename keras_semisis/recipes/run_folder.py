"""The options of `keras-semisis train`, as they are written into the run folder."""

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, cast

from keras_semisis.metrics.protocols.provenance import versions
from keras_semisis.options.option import from_json
from keras_semisis.options.train import TrainSettings
from keras_semisis.whole_file import whole_file

FILE = "settings.json"


def write_document(path: Path, document: Mapping[str, Any]) -> None:
    """Writes JSON; the file is there whole or not at all.

    Everything in it is ASCII, since a path whose bytes are no UTF-8 can be kept as an escape alone.
    """
    with whole_file(path) as unfinished:
        unfinished.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def read_document(path: Path, part: str = "options") -> dict[str, Any] | None:
    """What a file of settings holds, a ``part`` among it; None of one that is missing, damaged, or of another program."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return document if isinstance(document, dict) and isinstance(document.get(part), dict) else None


def read_settings(folder: Path) -> TrainSettings:
    """The settings of a run.

    Raises:
        ValueError: If the folder holds no run, or one of another version, or an option in it is not of its type.
    """
    path = folder / FILE
    document = read_document(path)
    if document is None:
        lacks = f"its {FILE} is damaged or of another program" if path.is_file() else f"no {FILE}"
        raise ValueError(f"{folder}: this folder holds no run ({lacks}). Give the folder that `train --output` named.")
    options = document["options"]
    unknown = sorted(options.keys() - {field.name for field in fields(TrainSettings)})
    if unknown:
        raise ValueError(f"{path}: unknown options {', '.join(unknown)}; another version of keras-semisis wrote it.")
    missing = sorted({"data", "output"} - options.keys())
    if missing:
        raise ValueError(f"{path}: its options lack {' and '.join(missing)}. Bring the file back as the run wrote it.")
    try:
        return from_json(TrainSettings, options)
    except TypeError as error:
        raise ValueError(f"{path}: {error} Correct it there.") from None


def settings_beside(model: str | Path) -> Path | None:
    """The settings of the run in whose folder a model's file lies, if it does; None for a preset."""
    path = Path(model).parent / FILE
    return path if Path(model).is_file() and read_document(path) is not None else None


def options_beside(model: str | Path) -> dict[str, Any]:
    """The options of that run, as its settings hold them; none where there is none."""
    settings = settings_beside(model)
    return {} if settings is None else cast(dict, read_document(settings))["options"]


def document_of(settings: TrainSettings, label_space, **facts) -> dict[str, Any]:
    """What ``settings.json`` holds: options, versions, the label space, and facts of the run."""
    return {
        "options": asdict(settings),
        "versions": versions(),
        "label_space": label_space.get_config(),
        **facts,
    }


def newest_grid(folder: Path) -> Path | None:
    """The grid of pictures of a run's last step that has one; None of a run without."""
    return max(folder.glob("grid-*.png"), key=lambda path: (len(path.name), path.name), default=None)
