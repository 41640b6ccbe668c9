"""Building and training a SemiPairedGAN from settings: what `train` and `demo` share."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np

from keras_semisis import models
from keras_semisis.callbacks import (
    Checkpoint,
    LossCurves,
    PeriodicEvaluation,
    SampleGrid,
    TensorBoardScalars,
    resume,
)
from keras_semisis.cli import scoring
from keras_semisis.cli.messages import console, print_report
from keras_semisis.cli.progress import ProgressBar, StopOnInterrupt, counting
from keras_semisis.cli.settings import (
    FILE,
    TrainSettings,
    document_of,
    read_settings,
    write_document,
)
from keras_semisis.cli.sources import DataPair, open_data, training_sources
from keras_semisis.data import BadFiles, BatchStream, LabelSpace, Source, paired_dataset, unpaired_dataset
from keras_semisis.gans import SemiPairedGAN
from keras_semisis.gans.semantic import published_depth, published_widths
from keras_semisis.models.usis import DISCRIMINATOR_WIDTHS

PERCEPTUAL = ("vgg19", "vgg16", "none")
PRECISIONS = ("float32", "mixed_bfloat16")
GENERATORS = ("wavelet", "oasis")
_GRID_ROWS = 6


class TrainingData(NamedTuple):
    """What a run trains on and is judged by."""

    sources: DataPair
    paired: BatchStream
    unpaired: BatchStream
    val: BatchStream
    counts: dict[str, int]
    bad_files: BadFiles


def open_training_data(settings: TrainSettings) -> TrainingData:
    """The data sets of a run."""
    bad = BadFiles(settings.skip_bad)
    sources = open_data(settings.data, settings.image_size, settings.ignore_class, settings.id_map,
                        settings.validation_data, bad)
    size, batch, crop = settings.image_size, settings.batch_size, {"load_size": settings.load_size, "skip_bad": bad}
    with counting("Counting classes") as progress:
        counted = {"statistics_cache": Path(settings.output) / "class_statistics.npz", "progress": progress}
        paired, images, labels = training_sources(settings, sources.train, bad, **counted)
        pairs = paired_dataset(paired, size, batch, settings.sampler, settings.seed, **counted, **crop)
    return TrainingData(
        sources,
        pairs,
        unpaired_dataset(images, labels, size, batch, settings.seed, **crop),
        paired_dataset(sources.val, size, batch, training=False, skip_bad=bad),
        {"pairs": len(paired), "unpaired_images": len(images), "unpaired_label_maps": len(labels),
         "validation": len(sources.val)}, bad)


def build_gan(settings: TrainSettings, space: LabelSpace) -> SemiPairedGAN:
    """The model of a run, compiled, with its initial weights.

    Raises:
        ValueError: If an option is none of those that there are, or the image size does not fit the networks.
    """
    # again, since a segmenter that was built in between draws numbers too
    keras.utils.set_random_seed(settings.seed)
    classes, size = space.num_classes, settings.image_size
    widths = settings.discriminator_channels or published_widths(size)[:settings.num_blocks]
    weights = {name: getattr(settings, name) for name in (
        "segmentation_weight", "feature_matching_weight", "perceptual_weight", "cycle_weight", "adversarial_weight",
        "label_mix_weight", "r1_gamma", "r1_every", "ema_decay")}
    gan = SemiPairedGAN(
        classes, size, space.ignore_class,
        generator=make_generator(settings.generator, classes, size, settings.base_channels, settings.noise_channels,
                                 settings.hidden_channels, settings.num_blocks),
        discriminator=models.oasis_discriminator(classes, size, widths, settings.discriminator_final_channels),
        unconditional_discriminator=models.wavelet_discriminator(
            size, _unconditional_widths(settings.unconditional_channels)),
        perceptual=_perceptual(settings.perceptual), seed=settings.seed, **weights)
    gan.compile(preset=settings.preset, **{
        f"{name}_optimizer": _adam(getattr(settings, f"{name}_learning_rate") or settings.learning_rate)
        for name in ("generator", "discriminator", "unconditional")})
    return gan


def make_generator(kind: str, num_classes: int, image_size: tuple[int, int], base_channels: int, noise_channels: int,
                   hidden_channels: int, num_blocks: int | None = None) -> keras.Model:
    """A waveletSPADE generator, or OASIS's with blocks as wide: where that has a pixel, this has four coefficients.

    Args:
        kind: "wavelet" or "oasis".
        num_classes, image_size, noise_channels, hidden_channels: As those of `models.oasis_generator`.
        base_channels: Width of the waveletSPADE generator; OASIS's has four times as many.
        num_blocks: Residual blocks; None is as many as fit, up to the published six.

    Raises:
        ValueError: If there is no such kind, or the size does not fit.
    """
    depth = published_depth(image_size)
    if kind == "wavelet":
        return models.wavelet_spade_generator(num_classes, image_size, base_channels, noise_channels, num_blocks or depth,
                                              hidden_channels=hidden_channels)
    if kind == "oasis":
        return models.oasis_generator(num_classes, image_size, 4 * base_channels, noise_channels,
                                      num_blocks or min(depth + 1, 6), hidden_channels=hidden_channels)
    raise ValueError(f"--generator {kind}: expected {' or '.join(GENERATORS)}.")


def _adam(learning_rate):
    """The optimiser that the library takes by default, at another learning rate; None leaves it to the preset."""
    return None if learning_rate is None else keras.optimizers.Adam(learning_rate, beta_1=0.0, beta_2=0.999)


def _unconditional_widths(channels):
    if isinstance(channels, dict):
        return channels
    return {key: max(1, round(width * channels)) for key, width in DISCRIMINATOR_WIDTHS.items()}


def _perceptual(name):
    if name not in PERCEPTUAL:
        raise ValueError(f"--perceptual {name}: expected one of {', '.join(PERCEPTUAL)}.")
    return {"vgg19": "vgg19", "none": None}[name] if name != "vgg16" else models.vgg16_features()


def set_up(settings: TrainSettings) -> None:
    """Fixes precision and the seed of the initial weights."""
    if settings.precision not in PRECISIONS:
        raise ValueError(f"--precision {settings.precision}: expected one of {', '.join(PRECISIONS)}.")
    keras.config.set_dtype_policy(settings.precision)
    keras.utils.set_random_seed(settings.seed)


def run_callbacks(folder: Path) -> list[keras.callbacks.Callback]:
    """What every run writes about its losses."""
    return [LossCurves(folder), TensorBoardScalars(folder / "tensorboard")]


def fit(gan: SemiPairedGAN, data: TrainingData, steps: int, start: int,
        callbacks: Sequence[keras.callbacks.Callback], title: str = "Training") -> bool:
    """Trains with a progress bar until ``steps``, or Ctrl-C.

    One epoch is the whole run, so that any step can be gone on from.

    Returns:
        Whether training was interrupted.
    """
    with closing(ProgressBar(title, steps, start)) as bar, StopOnInterrupt() as interrupt:
        gan.fit(data.paired, data.unpaired, epochs=1, steps_per_epoch=steps, initial_step=start, verbose=0,
                callbacks=[*callbacks, bar, interrupt])
    return interrupt.interrupted


def examples(source: Source, image_size: tuple[int, int], rows: int = _GRID_ROWS,
             skip_bad: int | BadFiles = 0) -> tuple[np.ndarray, np.ndarray]:
    """Some images and their label maps, spread over a data set, for the pictures."""
    wanted = np.unique(np.linspace(0, len(source) - 1, rows).round().astype(int))
    return next(iter(paired_dataset(source.subset(wanted), image_size, len(wanted), training=False, skip_bad=skip_bad)))


def train(settings: TrainSettings, going_on: bool = False) -> None:
    """`keras-semisis train`: trains into the run folder, from the beginning or from the last checkpoint."""
    folder = Path(settings.output)
    if not going_on and (folder / FILE).exists():
        raise ValueError(f"--output {folder}: there is a run in this folder. Go on with it by --resume {folder}, or name "
                         "another.")
    set_up(settings)
    data = open_training_data(settings)
    space = data.sources.train.label_space
    judges = _judges(settings, data)
    if going_on and (folder / "last.keras").is_file():
        gan, start = resume(folder)
        if settings.perceptual == "vgg16":  # which a saved model does not hold
            gan.perceptual = _perceptual(settings.perceptual)
        if start >= settings.steps:
            raise ValueError(f"--resume {folder}: this run has done all of its {start} steps.")
    else:
        gan, start = build_gan(settings, space), 0
    if not going_on:
        write_document(folder / FILE, document_of(settings, space, counts=data.counts))
    console.print(f"{data.counts['pairs']} pairs, {data.counts['unpaired_images']} unpaired images, "
                  f"{data.counts['unpaired_label_maps']} unpaired label maps, {data.counts['validation']} for validation")
    images, label_maps = examples(data.sources.val, settings.image_size, skip_bad=data.bad_files)
    callbacks = [SampleGrid(folder, label_maps, images, settings.sample_every, space, settings.seed)]
    if judges:
        best = settings.best or judges[0].name
        callbacks.append(PeriodicEvaluation(
            data.val, judges, settings.evaluate_every, folder, best, "max" if best == "miou" else "min"))
    callbacks += [*run_callbacks(folder), Checkpoint(folder, settings.save_every)]
    interrupted = fit(gan, data, settings.steps, start, callbacks)
    print_report(data.bad_files)
    if interrupted and gan.step < settings.steps:
        console.print(f"Stopped at step {gan.step} of {settings.steps}. Go on with: "
                      f"keras-semisis train --resume {folder}", soft_wrap=True)
    else:
        console.print(f"Done. The model is {folder / 'last.keras'}", soft_wrap=True)


def _judges(settings, data):
    space = data.sources.train.label_space
    segmenter = None
    if settings.segmenter:
        segmenter = scoring.load_segmenter(settings.segmenter, space.num_classes, settings.image_size)
    return scoring.make_metrics(
        segmenter, settings.features, data.sources.train, settings.image_size, settings.batch_size, data.bad_files)


def go_on(folder: Path) -> None:
    """`keras-semisis train --resume`: the settings of the run, its last checkpoint, its data order."""
    settings = read_settings(folder)
    settings.output = str(folder)
    train(settings, going_on=True)


