"""A progress bar, and two ways to stop in order: Ctrl-C and a time limit."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import keras
from keras import ops
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from keras_semisis.cli.messages import console
from keras_semisis.models.keras_privates import model_of

_LINES = 20
_SECONDS_A_LINE = 10.0


@contextmanager
def counting(title: str) -> Iterator[Callable[[int, int], None]]:
    """Within ``with``: a function that shows (done, of how many); lines of text where there is no terminal."""
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
    ) as bar:
        task, shown = None, time.monotonic()

        def show(done, number):
            nonlocal task, shown
            if task is None:
                task = bar.add_task(title, total=number)
            bar.update(task, completed=done)
            if not console.is_terminal and time.monotonic() - shown > _SECONDS_A_LINE:
                console.print(f"{title} {done}/{number}", soft_wrap=True, highlight=False)
                shown = time.monotonic()

        yield show


class ProgressBar(keras.callbacks.Callback):
    """A rich progress bar over training steps with the latest losses; lines of text where there is no terminal.

    Args:
        title: What is being done.
        steps: Number of steps in all.
        start: Steps that were done before.
    """

    def __init__(self, title: str, steps: int, start: int = 0):
        super().__init__()
        self.title = title
        self.steps = steps
        self.done = start
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("[dim]{task.fields[losses]}"),
            console=console,
            disable=not console.is_terminal,
        )
        self._task = self._progress.add_task(title, total=steps, completed=start, losses="")

    def on_train_begin(self, logs=None):
        if not console.is_terminal:
            console.print(f"{self.title}: {self.steps - self.done} steps")
        self._progress.start()

    def on_train_batch_end(self, batch, logs=None):
        self.done += 1
        shown = " ".join(
            f"{_short(name)} {float(ops.convert_to_numpy(value)):.2f}"
            for name, value in (logs or {}).items()
            if not name.startswith("val_")
        )
        self._progress.update(self._task, completed=self.done, losses=shown)
        if not console.is_terminal and (self.done == self.steps or self.done % max(1, self.steps // _LINES) == 0):
            console.print(f"{self.title} {self.done}/{self.steps} {shown}", soft_wrap=True, highlight=False)

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


class StopOnInterrupt(keras.callbacks.Callback):
    """Within ``with``: the first Ctrl-C ends training after the current step, the second at once.

    A step is several updates; one that is broken off would leave a state that no run passes through.

    Attributes:
        interrupted: Whether Ctrl-C was pressed.
    """

    def __init__(self):
        super().__init__()
        self.interrupted = False

    def __enter__(self):
        self._before = signal.signal(signal.SIGINT, self._interrupt)
        return self

    def __exit__(self, *error):
        signal.signal(signal.SIGINT, self._before)

    def _interrupt(self, number, frame):
        if self.interrupted:
            raise KeyboardInterrupt
        self.interrupted = True
        console.print("Stopping after this step. Press Ctrl-C again to stop at once, without saving.")

    def on_train_batch_end(self, batch, logs=None):
        if self.interrupted:
            model_of(self).stop_training = True


class StepClock(keras.callbacks.Callback):
    """Measures steps, and ends training at a time or after a number of steps.

    Args:
        deadline: `time.monotonic` at which training is to be over.
        steps: Number of steps after which it ends.

    Attributes:
        seconds: How long each step took.
    """

    def __init__(self, deadline: float = float("inf"), steps: int | None = None):
        super().__init__()
        self.deadline = deadline
        self.steps = steps
        self.seconds: list[float] = []

    def on_train_batch_begin(self, batch, logs=None):
        self._begin = time.monotonic()

    def on_train_batch_end(self, batch, logs=None):
        now = time.monotonic()
        self.seconds.append(now - self._begin)
        if len(self.seconds) == self.steps or now + min(self.seconds[-3:]) > self.deadline:
            model_of(self).stop_training = True
