"""What `demo` may be told."""

from dataclasses import dataclass

from keras_semisis.options.option import option, same_as
from keras_semisis.options.train import TrainSettings


@dataclass(kw_only=True)
class DemoOptions:
    """Every option of `demo`."""

    name: str | None = option(None, "Name of the folder in ./runs; by default the time.")
    minutes: float = option(5.0, "Time for training.", min=0.1)
    steps: int | None = option(None, "Number of steps; by default what fits into the time.", min=1)
    seed: int = same_as(TrainSettings, "seed")
