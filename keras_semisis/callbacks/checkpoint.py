"""Checkpoints to go on from, bit for bit."""

from pathlib import Path

import keras

from keras_semisis.callbacks.every_steps import EverySteps
from keras_semisis.callbacks.model_file import load_model, read_note, save_model
from keras_semisis.processes import is_first_process

_FILE = "last.keras"
_NOTE = "training.json"


class Checkpoint(EverySteps):
    """Saves the whole state of training as ``last.keras`` every n steps and at the end, for `resume`.

    The file holds networks, optimizers, moving average, noise generator and step. It is written beside its
    place and moved there when it is complete: whatever happens while it is written, the former one stays. It
    can be generated from: the moving-average generator's batch-norm statistics are re-estimated before.

    Args:
        directory: Folder of the file; made if missing.
        every: Number of steps from one checkpoint to the next.

    Example:

    >>> checkpoint = Checkpoint("runs/streets", every=1000)
    >>> gan.fit(paired_ds, unpaired_ds, epochs=9, callbacks=[checkpoint])  # doctest: +SKIP

    After an interruption:

    >>> gan, step = resume("runs/streets")  # doctest: +SKIP
    >>> gan.fit(paired_ds, unpaired_ds, epochs=9, initial_step=step, callbacks=[checkpoint])  # doctest: +SKIP
    """

    def __init__(self, directory: str | Path, every: int = 500):
        super().__init__(every)
        self.path = Path(directory) / _FILE

    def act(self, logs: dict | None) -> None:
        model = self.model
        model.refresh_statistics()
        if is_first_process():
            # the model's own step, which a callback that failed within a step may have kept from this one
            save_model(model, self.path, {_NOTE: {"step": model.step}})


def resume(directory: str | Path) -> tuple[keras.Model, int]:
    """The model that `Checkpoint` saved, and the step at which to go on.

    Give the step to ``fit(initial_step=...)`` with the data sets, ``epochs`` and ``steps_per_epoch`` of
    before: training then goes on as if it had not stopped, the order of the data included. A perceptual
    network that has a name, such as ``"vgg19"``, is loaded again; one that was given is not stored: set
    ``gan.perceptual`` first. So are the metrics of ``validation_data``: set ``gan.metrics_of_compile``, since
    ``compile`` would begin the optimizers anew.

    Args:
        directory: The folder that was given to `Checkpoint`.

    Returns:
        ``(model, step)``.

    Raises:
        ValueError: If the folder holds no checkpoint, or the file is damaged or none of `Checkpoint`.
    """
    path = Path(directory) / _FILE
    if not path.is_file():
        raise ValueError(
            f"{path}: there is no such checkpoint. Give the folder that was given to Checkpoint; "
            "a run that stopped before its first checkpoint has none and starts over."
        )
    model = load_model(path, "checkpoint")
    note = read_note(path, _NOTE)
    if note is None:
        raise ValueError(
            f"{path}: this model was not saved by Checkpoint, so the step to go on from is "
            "unknown. Load it with keras.saving.load_model and give fit the initial_step."
        )
    return model, note["step"]
