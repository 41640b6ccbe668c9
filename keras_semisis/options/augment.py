"""What `augment` may be told."""

from dataclasses import dataclass
from pathlib import Path

from keras_semisis.options.data import DataOptions
from keras_semisis.options.evaluate import EvaluateOptions
from keras_semisis.options.named_data import NamedData
from keras_semisis.options.option import option, same_as
from keras_semisis.options.read import ReadOptions
from keras_semisis.options.text import SIZE
from keras_semisis.options.train import TrainSettings

SAMPLERS = ("rare_classes", "uniform")
THRESHOLD = 0.3


@dataclass(kw_only=True)
class AugmentOptions(DataOptions):
    """Every option of `augment`."""

    model: str = same_as(EvaluateOptions, "model")
    data: str = same_as(
        NamedData,
        "data",
        help="Whose label maps are drawn, as --data of train: those of its training split, the ones without a photo included.",
    )
    unpaired_labels: str | None = same_as(ReadOptions, "unpaired_labels", methods=None)
    output: Path = option(help="Folder of the data set: images/, labels/, classes.csv, manifest.json and photos.jsonl.")
    per_map: int = option(
        1, "Photos for each label map; on average, where --sampler prefers rare classes. Dropped ones count.", min=1
    )
    sampler: str = option(
        "rare_classes",
        "rare_classes: label maps with rare classes are drawn more often, as in the training; or uniform: each alike.",
    )
    filter: bool = option(
        True,
        "Whether photos are dropped in which the model's discriminator does not find the classes of the label map again.",
    )
    threshold: float = option(
        THRESHOLD,
        "Least agreement of a photo that is kept: the intersection over union of what the discriminator sees and the label "
        "map, the mean over the classes in it. From 0 to 1.",
        min=0,
    )
    class_threshold: tuple[str, ...] = option((), "CLASS=LEAST: of one class, in the photos that show it. Repeatable.")
    pixel_tolerance: float | None = option(
        None,
        "Pixels of photos that are kept become don't-care where the discriminator's cross-entropy with the label map is more "
        "than this many times the mean of their class, such as 1.25; by default label maps stay as they are.",
        min=0,
    )
    segmenter: str | None = same_as(
        EvaluateOptions,
        "segmenter",
        help="What judges in place of the discriminator: a .keras file of train-segmenter, or "
        "segformer:PRESET (extra: keras-hub).",
    )
    image_size: tuple[int, int] | None = option(None, "Height x width of the photos; by default the model's.", form=SIZE)
    seed: int = same_as(TrainSettings, "seed")
    batch_size: int = same_as(TrainSettings, "batch_size")
    devices: str | None = same_as(EvaluateOptions, "devices")
    fit: str | None = same_as(EvaluateOptions, "fit")
