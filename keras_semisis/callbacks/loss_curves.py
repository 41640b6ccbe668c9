"""The losses of every step, as a file and as a picture."""

from pathlib import Path

import numpy as np
from keras import ops

from keras_semisis.callbacks.every_steps import EverySteps
from keras_semisis.callbacks.records import append_records, read_records, write_records

_SMOOTHED = 25


class LossCurves(EverySteps):
    """Keeps the losses of every step in ``losses.jsonl``, and draws them in ``losses.png``, one panel a phase.

    The file grows at every step, so that whatever ends a run leaves it; the picture is drawn every n steps and at the end. A
    term that was not due at a step is not in that step's line. A resumed run goes on with what is there.

    Args:
        directory: Folder of the two files.
        every: Number of steps from one drawing to the next.

    Attributes:
        history: The losses so far: dicts with ``"step"`` and ``"<phase>/<term>"``.
    """

    def __init__(self, directory: str | Path, every: int = 100):
        super().__init__(every)
        self.directory = Path(directory)
        self.history: list[dict] = []

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        self.history = read_records(self.directory / "losses.jsonl", self.step)
        write_records(self.directory / "losses.jsonl", self.history)

    def on_train_batch_end(self, batch, logs=None):
        terms = {name: float(ops.convert_to_numpy(value)) for name, value in (logs or {}).items()
                 if "/" in name}
        self.history.append({"step": self.step + 1, **terms})
        append_records(self.directory / "losses.jsonl", self.history[-1:])
        super().on_train_batch_end(batch, logs)

    def act(self, logs):
        _draw(self.history).savefig(self.directory / "losses.png", dpi=110)


def _draw(history):
    # not pyplot, which would choose a window system and keep the figure
    from matplotlib.figure import Figure

    phases = {}
    for name in dict.fromkeys(name for record in history for name in record if name != "step"):
        phases.setdefault(name.split("/")[0], []).append(name)
    figure = Figure(figsize=(4.2 * max(1, len(phases)), 3.4), layout="constrained")
    for panel, (phase, names) in enumerate(phases.items(), start=1):
        axes = figure.add_subplot(1, len(phases), panel)
        for name in names:
            points = [(record["step"], record[name]) for record in history if name in record]
            steps, values = np.array(points).T
            line, = axes.plot(steps, values, alpha=0.25, linewidth=0.8)
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
