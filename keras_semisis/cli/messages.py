"""What the command line prints: an error of the user's in short, a table for scores."""

import functools
import re
from collections.abc import Mapping

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from keras_semisis.data import BadFiles

_SCORES = (("fid", "FID ↓"), ("frechet", "Fréchet distance ↓"), ("kid", "KID ↓"), ("kid_se", "  its standard error"),
           ("precision", "precision ↑"), ("recall", "recall ↑"), ("diversity", "diversity"), ("miou", "mIoU ↑"),
           ("fwiou", "frequency-weighted IoU ↑"), ("pixel_accuracy", "pixel accuracy ↑"))

# Of a list in an error message
_MOST_ITEMS = 20

console = Console()
errors = Console(stderr=True)


def reports_errors(command):
    """Prints what is wrong with the user's data or options, and exits with code 1.

    With ``keras-semisis --debug`` the traceback is shown instead.
    """
    @functools.wraps(command)
    def wrapped(ctx: typer.Context, **options):
        try:
            return command(ctx, **options)
        except (ValueError, OSError, ImportError, FloatingPointError) as error:
            if ctx.obj and ctx.obj.get("debug"):
                raise
            message = _shortened(_as_options(str(error))) or type(error).__name__
            errors.print(f"[bold red]Error:[/] [red]{escape(message)}[/]", soft_wrap=True, highlight=False)
            raise typer.Exit(1) from None

    return wrapped


def _as_options(message):
    """A remedy that is an argument of Python's, as the option of the command line that it is there."""
    message = re.sub(r"\bid_map=\{(-?\d+): (\d+)\}", r"--id-map \1=\2", message)
    message = re.sub(r"\bid_map=(?!\{)", "--id-map STORED=CLASS", message)
    return re.sub(r"\bignore_class=(\d+)", r"--ignore-class \1", message)


def _shortened(message):
    """A message in one line; a list, one item in each indented line, keeps its first lines."""
    head, *items = message.split("\n  ")
    more = [f"... and {len(items) - _MOST_ITEMS} more"] if len(items) > _MOST_ITEMS else []
    return "\n  ".join(" ".join(part.split()) for part in (head, *items[:_MOST_ITEMS], *more))


def print_report(bad_files: BadFiles) -> None:
    """Prints which files were skipped, if any."""
    if bad_files.messages:
        console.print(escape(f"Bad files that were left out: {len(bad_files.messages)}{bad_files.listed()}"),
                      soft_wrap=True, highlight=False)


def scores_table(columns: Mapping[str, Mapping[str, float | None]]) -> Table:
    """Scores as a table.

    Args:
        columns: For each column, such as "generated" and "real images", scores by name; None where there is none.
    """
    table = Table()
    table.add_column("")
    for title in columns:
        table.add_column(title, justify="right")
    for key, title in _SCORES:
        values = [scores.get(key) for scores in columns.values()]
        if any(value is not None for value in values):
            table.add_row(title, *("–" if value is None else f"{value:.4f}" for value in values))
    return table
