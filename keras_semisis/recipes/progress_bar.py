"""How far a training is, on a terminal or in lines of text."""

import keras
from keras import ops
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

_LINES = 20


def bars(console: Console, *columns: ProgressColumn) -> Progress:
    """What shows bars on a terminal, and nothing elsewhere; with further columns behind the usual ones."""
    title = TextColumn("{task.description}", markup=False)  # which may hold the name of a file
    usual = BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn()
    return Progress(title, *usual, *columns, console=console, disable=not console.is_terminal)


class ProgressBar(keras.callbacks.Callback):
    """A rich progress bar over training steps with the latest losses; lines of text where there is no terminal.

    Args:
        title: What is being done.
        steps: Number of steps in all.
        start: Steps that were done before.
        console: Where it is shown.
    """

    def __init__(self, title: str, steps: int, start: int, console: Console):
        super().__init__()
        self.console = console
        self.title = title
        self.steps = steps
        self.done = start
        self._progress = bars(console, TextColumn("{task.fields[losses]}", style="dim", markup=False))
        self._task = self._progress.add_task(title, total=steps, completed=start, losses="")

    def on_train_begin(self, logs=None):
        if not self.console.is_terminal:
            left = self.steps - self.done
            self.console.print(f"{self.title}: {left} {'step' if left == 1 else 'steps'}", markup=False)
        self._progress.start()

    def on_train_batch_end(self, batch, logs=None):
        self.done += 1
        shown = " ".join(
            f"{_short(name)} {float(ops.convert_to_numpy(value)):.2f}"
            for name, value in (logs or {}).items()
            if not name.startswith("val_")
        )
        self._progress.update(self._task, completed=self.done, losses=shown)
        if not self.console.is_terminal and (self.done == self.steps or self.done % max(1, self.steps // _LINES) == 0):
            self.console.print(f"{self.title} {self.done}/{self.steps} {shown}", soft_wrap=True, markup=False, highlight=False)

    def on_train_end(self, logs=None):
        self._progress.stop()

    def close(self) -> None:
        """Gives the terminal back where training ended by an error."""
        self._progress.stop()


def _short(name):
    """Short names, such as "G.fm" of "generator/feature_matching"."""
    phase, _, term = name.partition("/")
    letters = "".join(word[0] for word in term.split("_")) if "_" in term else term[:4]
    return f"{phase[0].upper()}.{letters}" if term else phase
