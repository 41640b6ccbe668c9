"""Progress on a terminal, or in lines of text where there is none."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager

import keras
from rich.console import Console

from keras_semisis.recipes import progress
from keras_semisis.recipes.progress_bar import ProgressBar, bars

_SECONDS_A_LINE = 10.0


class TerminalProgress(progress.Progress):
    """Bars, and lines of text where there is no terminal.

    Args:
        console: Where they are shown; None is the standard output.
    """

    def __init__(self, console: Console | None = None):
        self.console = Console(emoji=False) if console is None else console

    @contextmanager
    def counting(self, title: str) -> Iterator[Callable[[int, int], None]]:
        """Within ``with``: a function that shows (done, of how many); lines of text where there is no terminal."""
        with bars(self.console) as bar:
            task, shown = None, time.monotonic()

            def show(done, number):
                nonlocal task, shown
                if task is None:
                    task = bar.add_task(title, total=number)
                bar.update(task, completed=done)
                if not self.console.is_terminal and time.monotonic() - shown > _SECONDS_A_LINE:
                    self.console.print(f"{title} {done}/{number}", soft_wrap=True, markup=False, highlight=False)
                    shown = time.monotonic()

            yield show

    @contextmanager
    def steps(self, title: str, steps: int, start: int = 0) -> Iterator[Sequence[keras.callbacks.Callback]]:
        with closing(ProgressBar(title, steps, start, self.console)) as bar:
            yield [bar]
