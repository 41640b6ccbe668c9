"""What the command line prints: an error of the user's in short, a table for scores."""

from __future__ import annotations

import functools
import logging
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from keras_semisis.cli.compilation_cache import keep_compiled
from keras_semisis.cli.unfailing_output import unfailing_output
from keras_semisis.cli.whole_package import import_whole_package
from keras_semisis.options.option import option_name

if TYPE_CHECKING:
    from keras_semisis.data import BadFiles

# What stands for a value that only the user knows
_UNKNOWN = {
    "id_map": "STORED=CLASS",
    "image_range": "BLACK:WHITE",
    "unpaired_images": "PATH",
    "unpaired_labels": "PATH",
    "inception": "FILE",
    "images": "FOLDER",
    "merge": "FROM=TO",
}
# What the text of --data holds of hf:NAME and tfds:NAME
_PARTS_OF_DATA = {"image": "NAME", "label": "NAME", "config": "NAME", "data_dir": "PATH"}
_OUT_OF_MEMORY = re.compile(r"out of memory|resource.?exhausted|can't allocate memory", re.IGNORECASE)
# Of a list in an error message
_MOST_ITEMS = 20

# Of the command that runs
_words: ContextVar[Callable[[Mapping[str, Any]], str | None] | None] = ContextVar("words", default=None)

# ":m:" in a path is no emoji, "[v2]" in it or in a class's name no markup
console = Console(emoji=False, markup=False)
errors = Console(stderr=True, emoji=False, markup=False)


def say(text: str, on: Console = console) -> None:
    """Prints lines as they are: a path is not broken."""
    on.print(text, soft_wrap=True, highlight=False)


class _Notices(logging.Handler):
    """Prints what recipes tell."""

    def emit(self, record):
        warning = "Warning: " if record.levelno >= logging.WARNING else ""
        say(warning + record.getMessage())


_NOTICES = _Notices()


def reports_errors(command):
    """Prints what is wrong with the user's data or options, and exits with code 1; warnings in one line as well.

    With ``keras-semisis --debug`` the traceback is shown instead.
    """

    @functools.wraps(command)
    def wrapped(ctx: typer.Context, **options):
        with unfailing_output() as check_output:
            words = option_words([parameter.name for parameter in ctx.command.params])
            token = _words.set(words)
            formatted, logger = warnings.formatwarning, logging.getLogger("keras_semisis")
            level, passes_on = logger.level, logger.propagate
            logger.addHandler(_NOTICES)
            logger.setLevel(logging.INFO)
            logger.propagate = False
            warnings.formatwarning = lambda message, *_, **__: f"Warning: {_shortened(in_words(message, words))}\n"
            try:
                keep_compiled()
                import_whole_package()
                command(ctx, **options)
                check_output()
            except Exception as error:
                message = _message(error, words, options)
                if message is None or (ctx.obj and ctx.obj.get("debug")):
                    raise
                errors.print(Text.assemble(("Error:", "bold red"), " ", (message, "red")), soft_wrap=True)
                raise typer.Exit(1) from None
            finally:
                warnings.formatwarning = formatted
                logger.removeHandler(_NOTICES)
                logger.setLevel(level)
                logger.propagate = passes_on
                _words.reset(token)

    return wrapped


def _message(error, words, options):
    """What is printed of an error of a command with these options; None of one that nobody has foreseen."""
    if isinstance(error, ValueError | OSError | ImportError | FloatingPointError):
        return _shortened(in_words(error, words)) or type(error).__name__
    # each backend has an error of its own for it
    if not isinstance(error, MemoryError) and not _OUT_OF_MEMORY.search(f"{type(error).__name__}: {error}"):
        return None
    less = [option_name(name) for name in ("batch_size", "image_size") if name in options]
    give = "Begin another run with" if options.get("resume") else "Give"  # one that goes on takes neither
    return "There is not enough memory." + (f" {give} a smaller {' or '.join(less)}." if less else "")


def in_words(error: Exception, words: Callable[[Mapping[str, Any]], str | None] | None) -> str:
    """The text of an error or a warning, its remedies in ``words``; None are Python's."""
    if words is None:
        return str(error)
    from keras_semisis.data.advised import Advised

    return error.worded(words) if isinstance(error, Advised) else str(error)


def option_words(options: Sequence[str]) -> Callable[[Mapping[str, Any]], str | None]:
    """What words settings as options, for a command that has these; None for settings that it has no option for.

    Example:

    >>> words = option_words(["id_map", "ignore_class"])
    >>> words({"id_map": {127: 1, 255: 2}, "ignore_class": 2})
    '--id-map 127=1 --id-map 255=2 --ignore-class 2'
    >>> option_words(["data"])({"image": ..., "label": ...})
    '"?image=NAME&label=NAME" after the name'
    >>> words({"palette": [(0, 0, 0)]}), words({"id_map": ...})
    (None, '--id-map STORED=CLASS')
    """

    def words(settings):
        if settings and settings.keys() <= {*_PARTS_OF_DATA} and "data" in options:
            parts = "&".join(f"{name}={_PARTS_OF_DATA[name] if value is ... else value}" for name, value in settings.items())
            return f'"?{parts}" after the name'
        if not settings.keys() <= {*options}:
            return None
        return " ".join(_as_option(name, value) for name, value in settings.items())

    return words


def _as_option(name, value):
    option = option_name(name)
    if value is ...:
        return f"{option} {_UNKNOWN.get(name, 'VALUE')}"
    if value is True:
        return option
    if isinstance(value, Mapping):
        return " ".join(f"{option} {key}={to}" for key, to in value.items())
    if isinstance(value, tuple):
        return f"{option} {('x' if name.endswith('_size') else ':').join(map(str, value))}"
    return f"{option} {value}"


def _shortened(message):
    """A message in one line; a list, one item in each indented line, keeps its first lines."""
    head, *items = message.split("\n  ")
    more = [f"... and {len(items) - _MOST_ITEMS} more"] if len(items) > _MOST_ITEMS else []
    return "\n  ".join(" ".join(part.split()) for part in (head, *items[:_MOST_ITEMS], *more))


def print_report(bad_files: BadFiles, title: str = "Bad files that were left out") -> None:
    """Prints which files were skipped, if any."""
    if bad_files.errors:
        listed = "".join(f"\n  {in_words(error, _words.get())}" for error in bad_files.errors)
        say(f"{title}: {len(bad_files.errors)}{listed}")


def scores_table(columns: Mapping[str, Mapping[str, float | None]]) -> Table:
    """Scores as a table.

    Args:
        columns: For each column, such as "generated" and "real images", scores by name; None where there is none.
    """
    from keras_semisis.metrics.table import SCORES

    table = Table()
    table.add_column("")
    for title in columns:
        table.add_column(title, justify="right")
    for key, score in SCORES.items():
        values = [scores.get(key) for scores in columns.values()]
        if any(value is not None for value in values):
            table.add_row(score.heading, *("–" if value is None else f"{value:.4f}" for value in values))
    return table
