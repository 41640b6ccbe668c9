"""What `invert` may be told."""

from dataclasses import dataclass
from pathlib import Path

from keras_semisis.options.data import DataOptions
from keras_semisis.options.evaluate import EvaluateOptions
from keras_semisis.options.option import option, same_as
from keras_semisis.options.text import SIZE_OR_OWN
from keras_semisis.options.train import TrainSettings


@dataclass(kw_only=True)
class InvertOptions:
    """Every option of `invert`."""

    model: str = same_as(EvaluateOptions, "model")
    photo: Path = option(help="The photo.", argument=True)
    label_map: Path = option(help="Its label map, a PNG file.")
    output: Path = option(
        Path("inverted"), "Folder of NAME.npz, the noise for generate --noise, and of NAME.png, the image that it makes."
    )
    steps: int = option(200, "Steps of the search.", min=0)
    learning_rate: float = option(0.05, "Of the search, by Adam.", min=0)
    seed: int = same_as(TrainSettings, "seed", help="Of the noise with which the search begins.")
    image_size: tuple[int, int] | str | None = option(
        None,
        "Height x width that photo and label map are resized to, multiples of the generator's strides, or own: as large as "
        "they are. By default the model's size.",
        form=SIZE_OR_OWN,
    )
    id_map: tuple[str, ...] = same_as(DataOptions, "id_map")
    snap: float | None = same_as(DataOptions, "snap")
    devices: str | None = same_as(EvaluateOptions, "devices")
    fit: str | None = same_as(EvaluateOptions, "fit")
