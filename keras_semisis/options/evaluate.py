"""What is scored, and what judges."""

from dataclasses import dataclass
from pathlib import Path

from keras_semisis.options.data import DataOptions
from keras_semisis.options.option import option, same_as
from keras_semisis.options.read import ReadOptions
from keras_semisis.options.text import SIZE
from keras_semisis.options.train import TrainSettings


@dataclass(kw_only=True)
class EvaluateOptions(DataOptions):
    """Every option of `evaluate`."""

    model: str = option(
        help="A .keras file of train, a preset's folder, hf://user/model (extra: hub), or the name of one that is built in.",
        argument=True,
        names="model",
    )
    protocol: str = option(
        "native",
        "oasis2021 (as OASIS and USIS are scored), clean (as clean-fid) or native (any networks, images as they are).",
    )
    segmenter: str | None = option(
        None,
        "What judges the photos: a .keras file of train-segmenter or import, or segformer:PRESET (extra: keras-hub).",
        names="segmenter",
    )
    features: str = option(
        "auto",
        "Features of the distances: inception, segmenter, efficientnet_lite0, efficientnet_lite2, alexnet, none; auto is "
        "inception where its file is given or the protocol wants it, else the segmenter's if it has any.",
    )
    inception: Path | None = option(None, "pt_inception-2015-12-05-6726825d.pth of pytorch-fid, for comparable FID.")
    perceptual: str = option(
        "none",
        "Distance of the diversity score: lpips_alexnet (LPIPS), lpips (LPIPS of VGG16), vgg16_imagenet, vgg16 (extra: "
        "offline), vgg19 (downloaded) or none.",
    )
    output: Path = option(Path("results.json"), "The JSON file that is written.")
    cache: Path | None = option(
        None, "Folder in which statistics of real photos are kept; by default keras_semisis in ~/.cache."
    )
    image_size: tuple[int, int] | None = option(
        None, "Height x width at which photos are drawn and compared; by default the model's.", form=SIZE
    )
    batch_size: int = same_as(TrainSettings, "batch_size")
    devices: str | None = option(None, "How many devices share a batch, or all of them, on JAX; by default one.")
    seed: int = same_as(TrainSettings, "seed")
    fit: str | None = same_as(ReadOptions, "fit", more="By default as the model's run has it, else stretch.")
