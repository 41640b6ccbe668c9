"""Scores during training, and the best model by one of them."""

import math
from collections.abc import Iterable, Sequence
from pathlib import Path

from keras_semisis.callbacks.every_steps import EverySteps
from keras_semisis.callbacks.log_file import read_log, write_log
from keras_semisis.callbacks.model_file import save_model
from keras_semisis.gans.validation import check_read_again, rehearse
from keras_semisis.metrics import GenerationMetric
from keras_semisis.metrics.table import best_mode
from keras_semisis.processes import is_first_process


class PeriodicEvaluation(EverySteps):
    """Evaluates the model every n steps and at the end; keeps the scores, and the best model by one of them.

    The scores join the logs of their step with the prefix ``val_``, where callbacks that come later see them.

    Args:
        dataset: ``(image, label_map)`` batches, as for ``evaluate``.
        metrics: Objects as those of `keras_semisis.metrics`.
        every: Number of steps from one evaluation to the next.
        directory: Folder for ``scores.jsonl`` (one JSON object for each evaluation) and ``best.keras``; None
            keeps the scores in `history` alone. A resumed run goes on with what is there.
        best: Name of the score that chooses ``best.keras``, or None to keep no model.
        mode: ``"max"`` or ``"min"``: which value of that score is best. ``"auto"`` is as `metrics.SCORES` has it: the highest
            of ``"miou"``, the lowest of ``"fid"``; for a score of your own say which.

    Attributes:
        history: The scores so far: dicts with ``"step"``.

    Raises:
        ValueError: If ``mode`` is none of these; when training begins, if the data set can be read once alone, no metric gives
            the score ``best``, ``mode`` leaves open which value of it is best, the metrics cannot be had of this data set (one
            photo alone has no Fréchet distance), or a metric's network may not judge the model
            (`AdversarialModel.check_judges`).
    """

    def __init__(
        self,
        dataset: Iterable,
        metrics: Sequence[GenerationMetric],
        every: int = 500,
        directory: str | Path | None = None,
        best: str | None = "miou",
        mode: str = "auto",
    ):
        super().__init__(every)
        if mode not in ("auto", "max", "min"):
            raise ValueError(f'mode={mode!r} is none of "auto", "max" and "min".')
        self.dataset = dataset
        self.metrics = list(metrics)
        self.directory = None if directory is None else Path(directory)
        self.best = best
        self.mode = mode
        self._best_mode = best_mode(best) if mode == "auto" else mode
        self.history: list[dict] = []

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        check_read_again(self.dataset, "PeriodicEvaluation: dataset")
        self.model.check_judges(self.metrics)
        self.model.require_same_classes(dataset=self.dataset)
        names = rehearse(self.metrics, self.model.evaluation_batches(self.dataset), "PeriodicEvaluation")
        if self.best is not None and self.best not in names:
            raise ValueError(f"PeriodicEvaluation: best={self.best!r} is none of the scores {', '.join(names)}.")
        if self.best is not None and self._best_mode is None:
            raise ValueError(f'PeriodicEvaluation: which value of {self.best} is best? Give mode="max" or mode="min".')
        if self.directory is not None:
            self.history = read_log(self.directory / "scores.jsonl", self.step)

    def act(self, logs: dict | None) -> None:
        model = self.model
        scores = model.evaluate(self.dataset, metrics=self.metrics, verbose=0)
        listed = ", ".join(f"{name} {value:.4g}" for name, value in scores.items())
        if is_first_process():
            print(f"step {self.step}: {listed}")
        improved = self.best is not None and self._is_best(scores[self.best])
        self.history.append({"step": self.step, **scores})
        if logs is not None:
            logs.update({f"val_{name}": value for name, value in scores.items()})
        if self.directory is not None and is_first_process():
            write_log(self.directory / "scores.jsonl", self.history)
            if improved:
                save_model(model, self.directory / "best.keras")

    def _is_best(self, value):
        # a run that goes on may have had another best before, or other metrics
        before = [record[self.best] for record in self.history if math.isfinite(record.get(self.best, math.nan))]
        if not math.isfinite(value):
            return False
        return not before or (value > max(before) if self._best_mode == "max" else value < min(before))
