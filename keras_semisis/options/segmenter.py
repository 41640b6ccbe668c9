"""What a segmenter is trained on, and how."""

from dataclasses import dataclass
from pathlib import Path

from keras_semisis.options.data import DataOptions
from keras_semisis.options.option import option, same_as
from keras_semisis.options.read import ReadOptions
from keras_semisis.options.text import CHANNELS
from keras_semisis.options.train import TrainSettings

NETWORKS = ("unet", "efficientnet_lite0")


@dataclass(kw_only=True)
class SegmenterOptions(DataOptions):
    """Every option of `train-segmenter`."""

    output: Path = option(Path("segmenter.keras"), "The .keras file that is written.")
    augmented: Path | None = option(
        None, "Folder of augment: of its photos is half of what the segmenter learns from, of those of --data the other half."
    )
    network: str = option(
        "unet",
        "unet, or efficientnet_lite0: a decoder on features of ImageNet (extra: offline), which learns more from few "
        "photos and is not of the discriminator's kind.",
    )
    image_size: tuple[int, int] = same_as(TrainSettings, "image_size")
    fit: str | None = same_as(ReadOptions, "fit")
    batch_size: int = same_as(TrainSettings, "batch_size")
    steps: int = same_as(TrainSettings, "steps")
    channels: tuple[int, ...] = option((32, 64, 128, 128, 128), "Encoder widths of the U-Net.", form=CHANNELS)
    final_channels: int = option(32, "Width of the U-Net's last block.", min=1)
    learning_rate: float = option(1e-3, "At the begin; falls to 0 along a cosine.")
    precision: str = same_as(TrainSettings, "precision")
    seed: int = same_as(TrainSettings, "seed")
