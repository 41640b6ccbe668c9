"""The losses of every step, as a file and as a picture."""

from pathlib import Path

import numpy as np
from keras import ops

from keras_semisis.callbacks.every_steps import EverySteps
from keras_semisis.callbacks.log_file import append_log, read_log, write_log
from keras_semisis.processes import is_first_process

_SMOOTHED = 25
# More than the picture has pixels in a row
_MOST_POINTS = 2000


class LossCurves(EverySteps):
    """Keeps the losses of every step in ``losses.jsonl``, and draws them in ``losses.png``, one panel a phase.

    The file grows at every step, so that whatever ends a run leaves it; the picture is drawn every n steps and at the end. A
    term that was not due at a step is not in that step's line. A resumed run goes on with what is there. The picture shows
    the steps of a long run as means over neighbors, and takes no longer than that of a short one.

    Args:
        directory: Folder of the two files.
        every: Number of steps from one drawing to the next.
    """

    def __init__(self, directory: str | Path, every: int = 100):
        super().__init__(every)
        self.directory = Path(directory)
        self._thinned = _Thinned()

    @property
    def history(self) -> list[dict]:
        """The losses so far, read from the file: dicts with ``"step"`` and ``"<phase>/<term>"``."""
        return read_log(self.directory / "losses.jsonl", self.step)

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        if not is_first_process():
            return
        before = self.history
        write_log(self.directory / "losses.jsonl", before)
        self._thinned = _Thinned()
        for record in before:
            self._thinned.add(record)

    def on_train_batch_end(self, batch, logs=None):
        if not is_first_process():
            return
        terms = {name: float(ops.convert_to_numpy(value)) for name, value in (logs or {}).items() if "/" in name}
        record = {"step": self.step + 1, **terms}
        append_log(self.directory / "losses.jsonl", [record])
        self._thinned.add(record)
        super().on_train_batch_end(batch, logs)

    def act(self, logs: dict | None) -> None:
        if is_first_process():
            _draw(self._thinned.curves()).savefig(self.directory / "losses.png", dpi=110)


class _Thinned:
    """Curves of means over runs of entries, which grow so that there are few of them."""

    def __init__(self):
        self._run = 1  # entries in one
        self._count = 0
        self._means: list[dict[str, np.ndarray]] = []  # by term: sums of steps and of values, and how many there were

    def add(self, record):
        if self._count == self._run * len(self._means):
            if len(self._means) == _MOST_POINTS:
                self._means = [_sum(*pair) for pair in zip(self._means[::2], self._means[1::2], strict=True)]
                self._run *= 2
            self._means.append({})
        step = record["step"]
        last = {name: np.array([step, value, 1.0]) for name, value in record.items() if name != "step"}
        self._means[-1] = _sum(self._means[-1], last)
        self._count += 1

    def curves(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Steps and values of every term."""
        names = dict.fromkeys(name for sums in self._means for name in sums)
        points = {name: np.array([sums[name] for sums in self._means if name in sums]).T for name in names}
        return {name: (steps / counts, values / counts) for name, (steps, values, counts) in points.items()}


def _sum(one, other):
    return {name: one.get(name, 0.0) + other.get(name, 0.0) for name in one | other}


def _draw(curves):
    # not pyplot, which would choose a window system and keep the figure
    from matplotlib.figure import Figure

    phases: dict[str, list[str]] = {}
    for name in curves:
        phases.setdefault(name.split("/")[0], []).append(name)
    figure = Figure(figsize=(4.2 * max(1, len(phases)), 3.4), layout="constrained")
    for panel, (phase, names) in enumerate(phases.items(), start=1):
        axes = figure.add_subplot(1, len(phases), panel)
        for name in names:
            steps, values = curves[name]
            (line,) = axes.plot(steps, values, alpha=0.25, linewidth=0.8)
            axes.plot(steps, _running_mean(values), color=line.get_color(), label=name.split("/", 1)[1])
        axes.set(title=phase, xlabel="step")
        axes.legend(fontsize=8)
        axes.grid(alpha=0.3)
    return figure


def _running_mean(values):
    """The mean of the last few values, of fewer at the begin."""
    sums = np.concatenate([[0.0], np.cumsum(values)])
    ends = np.arange(1, len(values) + 1)
    starts = np.maximum(ends - _SMOOTHED, 0)
    return (sums[ends] - sums[starts]) / (ends - starts)
