"""What the command line prints: one line for an error of the user's, a table for scores."""

import functools
from collections.abc import Mapping

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

_SCORES = (("frechet", "Fréchet distance ↓"), ("kid", "KID ↓"), ("miou", "mIoU ↑"))

console = Console()
errors = Console(stderr=True)


def reports_errors(command):
    """Prints what is wrong with the user's data or options in one line, and exits with code 1.

    With ``keras-semisis --debug`` the traceback is shown instead.
    """
    @functools.wraps(command)
    def wrapped(ctx: typer.Context, **options):
        try:
            return command(ctx, **options)
        except (ValueError, OSError, ImportError, FloatingPointError) as error:
            if ctx.obj and ctx.obj.get("debug"):
                raise
            message = " ".join(str(error).split()) or type(error).__name__
            errors.print(f"[bold red]Error:[/] [red]{escape(message)}[/]", soft_wrap=True, highlight=False)
            raise typer.Exit(1) from None

    return wrapped


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
