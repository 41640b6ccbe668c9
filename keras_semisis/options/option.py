"""How an option is declared: once, as a field of a dataclass that says all that is to be known of it.

The parser of a command, what methods have no use for, what a recipe leaves alone, what the constructors of systems are given,
what may be said to a run that goes on, and how a settings file is read follow from the declaration.
"""

import dataclasses
import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from keras_semisis.options.form import Form

NETWORKS, LOSSES, RUN, DATA = "Networks", "Losses and optimizers", "Run", "Data"
"""Headings in the help of a command with many options."""

_KEY = "option"


@dataclass(frozen=True)
class Option:
    """What an option is, beside its name, its type and its default.

    Args:
        help: A sentence.
        panel: Its heading in the help.
        methods: The methods that have it; None is all.
        form: How its value is written, if not as a number or a word.
        min, max: The least and the greatest value.
        argument: Whether it is told by its place on the command line.
        chosen: Whether the command chooses where it is not given, and the default here is that of Python alone.
        of_resume: Whether it may be given to a run that goes on.
        by_hand: Whether it decides what a recipe would; None is that of its panel.
        of_system: Whether the constructor of a system has an argument of this name.
        of_generator: Whether it says how the generator is built.
        names: What it names that has to be there: ``"model"``, ``"segmenter"`` or ``"data"``.
    """

    help: str | None = None
    panel: str | None = None
    methods: tuple[str, ...] | None = None
    form: Form | None = None
    min: float | None = None
    max: float | None = None
    argument: bool = False
    chosen: bool = False
    of_resume: bool = False
    by_hand: bool | None = None
    of_system: bool = False
    of_generator: bool = False
    names: str | None = None

    @property
    def is_by_hand(self) -> bool:
        """Whether a recipe leaves the choice to it."""
        return self.panel in (NETWORKS, LOSSES) if self.by_hand is None else self.by_hand


def option(default: Any = dataclasses.MISSING, help: str | None = None, panel: str | None = None, **more) -> Any:
    """A field of a dataclass that is an option.

    Args:
        default: Its default; without one it has to be given.
        help, panel, more: As in `Option`.

    Example:

    >>> @dataclass
    ... class Walk:
    ...     steps: int = option(3, "How many.", min=1)
    >>> Walk(), options_of(Walk)["steps"].help
    (Walk(steps=3), 'How many.')
    """
    return dataclasses.field(default=default, metadata={_KEY: Option(help, panel, **more)})


def same_as(declaring: type, name: str, default: Any = ..., more: str = "", **changes) -> Any:
    """The field of an option that another dataclass declares.

    Args:
        declaring: The dataclass.
        name: The option's.
        default: Its default, where that is another one.
        more: A sentence after those of the help.
        changes: What is declared otherwise, as in `Option`.
    """
    field = next(field for field in dataclasses.fields(declaring) if field.name == name)
    declared = dataclasses.replace(field.metadata[_KEY], **changes)
    if more:
        declared = dataclasses.replace(declared, help=f"{declared.help} {more}")
    return dataclasses.field(default=field.default if default is ... else default, metadata={_KEY: declared})


def options_of(declaring: type) -> dict[str, Option]:
    """The options that a dataclass declares, by name."""
    return {field.name: field.metadata[_KEY] for field in dataclasses.fields(declaring) if _KEY in field.metadata}


def given_options(settings: Any) -> Iterator[tuple[str, Any]]:
    """Names and values of the options that are not at their default."""
    for field in dataclasses.fields(settings):
        if getattr(settings, field.name) != field.default:
            yield field.name, getattr(settings, field.name)


def from_json(declaring: type, values: Mapping[str, Any]) -> Any:
    """A dataclass from what `json` makes of its `dataclasses.asdict`: tuples again, and numbers as keys.

    Raises:
        TypeError: If a name is unknown, or a value is not of its option's type.

    Example:

    >>> @dataclass
    ... class Widths:
    ...     encoder: tuple[int, ...] | None = None
    ...     judge: dict[int, int] | float | None = None
    >>> from_json(Widths, {"encoder": [4, 8], "judge": {"4": 16}})
    Widths(encoder=(4, 8), judge={4: 16})
    """
    types = get_type_hints(declaring)
    read = {name: _from_json(value, types.get(name)) for name, value in values.items()}
    for name, value in read.items():
        if name in types and not _fits(value, types[name]):
            kind = types[name]
            expected = kind.__name__ if type(kind) is type else str(kind)
            raise TypeError(f"{name}: expected {expected}, found {json.dumps(values[name])}.")
    return declaring(**read)


def _from_json(value, expected):
    kinds = {get_origin(kind) or kind: kind for kind in get_args(expected) or (expected,)}
    if get_origin(expected) in (tuple, dict):
        kinds = {get_origin(expected): expected}
    if isinstance(value, list) and tuple in kinds:
        return tuple(value)
    if isinstance(value, dict) and dict in kinds:
        key_type = get_args(kinds[dict])[0]
        with suppress(ValueError):
            return {key_type(key): item for key, item in value.items()}
    return value


def _fits(value: Any, expected: Any) -> bool:
    """Whether a value is of a type; a whole number is a ``float``, too, and ``True`` is no number."""
    kind: Any = get_origin(expected) or expected
    parts = get_args(expected)
    if kind in (Union, UnionType):
        return any(_fits(value, part) for part in parts)
    if kind in (int, float):
        return type(value) in (int, kind)
    if not isinstance(value, kind):
        return False
    if kind is tuple:
        kinds = parts[:1] * len(value) if parts[-1] is Ellipsis else parts
        return len(value) == len(kinds) and all(map(_fits, value, kinds))
    if kind is dict:
        return all(_fits(key, parts[0]) and _fits(item, parts[1]) for key, item in value.items())
    return True


def option_name(name: str) -> str:
    """``"base_channels"`` as it is typed: ``"--base-channels"``."""
    return "--" + name.replace("_", "-")
