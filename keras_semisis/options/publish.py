"""What `publish` may be told."""

from dataclasses import dataclass
from pathlib import Path

from keras_semisis.options.option import option


@dataclass(kw_only=True)
class PublishOptions:
    """Every option of `publish`."""

    model: Path = option(
        help="A .keras file of train; what lies beside it in its run folder goes into the card.", argument=True
    )
    output: Path = option(help="The folder that is written.", argument=True)
    scores: Path | None = option(
        None, "A JSON file of evaluate; by default the scores that the run measured at the step of the model, if any."
    )
    dtype: str = option("float32", "float32, or float16 for half the size.")
    license: str | None = option(None, "The license, as the Hub names it, such as apache-2.0 or cc-by-4.0.")
    examples: int = option(
        0, "So many label maps of the run's validation data go along, for others to begin with; they are public then.", min=0
    )
    segmenter: bool = option(True, "Whether the network that segments goes along.")
