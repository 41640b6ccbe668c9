"""From declared options to a command of typer's."""

import dataclasses
import inspect
from collections.abc import Callable, Iterator
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import typer

from keras_semisis.cli.messages import reports_errors
from keras_semisis.options.option import Option, option_name, options_of


class Given:
    """What a command was given.

    Attributes:
        values: By the names of options, read from text; of an option whose value the command chooses, None.
        by_hand: Names of those that stand on the command line.
    """

    def __init__(self, values: dict[str, Any], by_hand: frozenset[str]):
        self.values = values
        self.by_hand = by_hand

    def of(self, declaring: type, **chosen) -> Any:
        """The dataclass of options, with what the command has chosen."""
        names = [field.name for field in dataclasses.fields(declaring)]
        return declaring(**{name: self.values[name] for name in names if name in self.values} | chosen)


def command(name: str, *declaring: type) -> Callable:
    """Makes a function a command, with the options that dataclasses declare; the user's errors are reported in one line.

    Args:
        name: What is typed.
        *declaring: The dataclasses.

    Returns:
        What takes a function of `Given`, whose first sentences are the help, and returns one that typer can register, with
        ``command_name``.
    """

    def decorate(function):
        parameters = [parameter for each in declaring for parameter in _parameters(each, panels=len(declaring) > 1)]

        def run(ctx: typer.Context, **values):
            sources = {key: ctx.get_parameter_source(key) for key in values}
            by_hand = frozenset(key for key, source in sources.items() if source is not None and source.name == "COMMANDLINE")
            read: dict[str, Any] = {}
            for each in declaring:
                read |= _read(each, values)
            _require_named(declaring, read)
            return function(Given(read, by_hand))

        context = inspect.Parameter("ctx", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)
        run.__name__, run.__doc__ = function.__name__, function.__doc__
        run.__signature__ = inspect.Signature([context, *parameters])  # type: ignore[attr-defined]  # which typer reads
        run.__annotations__ = {each.name: each.annotation for each in (context, *parameters)}
        reported = reports_errors(run)
        reported.command_name = name
        return reported

    return decorate


def _require_named(declaring, values):
    if any(declared.names for each in declaring for declared in options_of(each).values()):
        from keras_semisis.recipes.named_things import require_named

        for each in declaring:
            require_named(each, values)


def _flags(name, default):
    """An option as it is typed; one that is on by default has a word that turns it off."""
    return f"{option_name(name)}/{option_name('no_' + name)}" if default is True else option_name(name)


def _parameters(declaring: type, panels: bool) -> Iterator[inspect.Parameter]:
    types, fields = get_type_hints(declaring), {field.name: field for field in dataclasses.fields(declaring)}
    for name, declared in options_of(declaring).items():
        default = None if declared.chosen else fields[name].default
        kind = _typed(types[name], declared, default)
        if isinstance(default, tuple):
            default = list(default) if declared.form is None else declared.form.write(default)
        shown: dict[str, Any] = {
            "help": declared.help,
            "min": declared.min,
            "max": declared.max,
            "rich_help_panel": declared.panel if panels else None,
        }
        typed = typer.Argument(**shown) if declared.argument else typer.Option(_flags(name, default), **shown)
        yield inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty if default is dataclasses.MISSING else default,
            annotation=Annotated[kind, typed],
        )


def _typed(kind: Any, declared: Option, default: Any) -> Any:
    """The type of what is typed."""
    if declared.form is not None:
        kind = str
    elif get_origin(kind) is tuple and Ellipsis in get_args(kind):
        kind = list[get_args(kind)[0]]  # type: ignore[misc]  # found out as it runs
    return kind | None if default is None else kind


def _read(declaring: type, values: dict[str, Any]) -> dict[str, Any]:
    read = {}
    for name, declared in options_of(declaring).items():
        value = values[name]
        if declared.form is not None and value is not None:
            value = declared.form.parse(value, option_name(name))
        read[name] = tuple(value) if isinstance(value, list) else value
    return read
