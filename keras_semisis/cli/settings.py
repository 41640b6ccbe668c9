"""The options of `keras-semisis train`, as they are written into the run folder."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from keras_semisis.data.sources.image_range import checked_range
from keras_semisis.data.whole_file import whole_file
from keras_semisis.metrics.protocols.provenance import versions
from keras_semisis.recipes.settings import TrainSettings

FILE = "settings.json"


def parse_size(text: str, option: str = "--image-size") -> tuple[int, int]:
    """``"64x96"`` to (height, width).

    >>> parse_size("64x96")
    (64, 96)
    """
    parts = text.lower().replace("×", "x").split("x")
    if len(parts) != 2 or not all(part.strip().isdigit() for part in parts):
        raise ValueError(f"{option} {text}: expected HEIGHTxWIDTH in pixels, such as 64x96.")
    return int(parts[0]), int(parts[1])


def parse_channels(text: str, option: str) -> tuple[int, ...]:
    """``"32,32,64"`` to widths.

    >>> parse_channels("32,32,64", "--discriminator-channels")
    (32, 32, 64)
    """
    parts = text.split(",")
    if not all(part.strip().isdigit() and int(part) > 0 for part in parts):
        raise ValueError(f"{option} {text}: expected widths from the first block to the deepest, such as 32,32,64.")
    return tuple(int(part) for part in parts)


def parse_unconditional_channels(text: str) -> dict[int, int] | float:
    """A factor on the published widths, or a width for each resolution.

    >>> parse_unconditional_channels("0.125"), parse_unconditional_channels("4:32,8:16")
    (0.125, {4: 32, 8: 16})
    """
    try:
        if ":" not in text:
            factor = float(text)
            if factor <= 0:
                raise ValueError
            return factor
        return {int(key): int(value) for key, value in (pair.split(":") for pair in text.split(","))}
    except ValueError:
        raise ValueError(
            f"--unconditional-channels {text}: expected a factor on the published widths, such as 0.125, or "
            "resolution:width pairs, such as 4:64,8:64,16:32,32:32,64:16."
        ) from None


def parse_betas(text: str) -> tuple[float, float]:
    """β_1 and β_2 of Adam.

    >>> parse_betas("0.5,0.99")
    (0.5, 0.99)
    """
    try:
        first, second = (float(part) for part in text.split(","))
        if not (0 <= first < 1 and 0 <= second < 1):
            raise ValueError
    except ValueError:
        raise ValueError(
            f"--unconditional-betas {text}: expected two numbers of at least 0 and below 1, such as 0.5,0.99."
        ) from None
    return first, second


def parse_id_map(pairs: tuple[str, ...]) -> dict[int, int]:
    """``("255=11",)`` to {255: 11}.

    >>> parse_id_map(("255=11",))
    {255: 11}
    """
    try:
        return {int(old): int(new) for old, new in (pair.split("=") for pair in pairs)}
    except ValueError:
        raise ValueError(f"--id-map {' '.join(pairs)}: expected STORED=CLASS, such as 255=11.") from None


def parse_range(text: str) -> tuple[float, float]:
    """The values of black and white.

    >>> parse_range("0:4095"), parse_range("-0.5:1")
    ((0, 4095), (-0.5, 1))
    """
    try:
        first, last = (int(part) if re.fullmatch(r"-?\d+", part) else float(part) for part in text.split(":"))
    except ValueError:
        raise ValueError(f"--image-range {text}: expected BLACK:WHITE, such as 0:4095 or 0:1.") from None
    return checked_range((first, last))


def write_document(path: Path, document: Mapping[str, Any]) -> None:
    """Writes JSON; the file is there whole or not at all.

    Everything in it is ASCII, since a path whose bytes are no UTF-8 can be kept as an escape alone.
    """
    with whole_file(path) as unfinished:
        unfinished.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def read_settings(folder: Path) -> TrainSettings:
    """The settings of a run.

    Raises:
        ValueError: If the folder holds no run, or one of another version.
    """
    path = folder / FILE
    if not path.is_file():
        raise ValueError(f"{folder}: this folder holds no run (no {FILE}). Give the folder that `train --output` named.")
    options = json.loads(path.read_text(encoding="utf-8"))["options"]
    unknown = sorted(options.keys() - {field.name for field in fields(TrainSettings)})
    if unknown:
        raise ValueError(f"{path}: unknown options {', '.join(unknown)}; another version of keras-semisis wrote it.")
    for name in (
        "image_size",
        "load_size",
        "image_range",
        "id_map",
        "discriminator_channels",
        "unconditional_betas",
        "trunk_size",
    ):
        if options.get(name) is not None:
            options[name] = tuple(options[name])
    if isinstance(options.get("unconditional_channels"), dict):
        options["unconditional_channels"] = {int(k): v for k, v in options["unconditional_channels"].items()}
    return TrainSettings(**options)


def document_of(settings: TrainSettings, label_space, **facts) -> dict[str, Any]:
    """What ``settings.json`` holds: options, versions, the label space, and facts of the run."""
    return {
        "options": asdict(settings),
        "versions": versions(),
        "label_space": label_space.get_config(),
        **facts,
    }
