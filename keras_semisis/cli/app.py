"""The commands and their options."""

import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from keras_semisis.cli.messages import reports_errors
from keras_semisis.options.text import parse_betas, parse_channels, parse_range, parse_size, parse_unconditional_channels

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help=("Semantic image synthesis with few labels: label map in, photo out."),
)

_DATA = (
    "What to train on: cityscapes:PATH, ade20k:PATH, coco_stuff:PATH, camvid:PATH, tfds:NAME, hf:NAME, folder:PATH "
    "(images/ and labels/ in it), records:PATH (of pack) or synthetic."
)
_VALIDATION_DATA = (
    "folder:PATH, records:PATH, hf:NAME or tfds:NAME to validate with. Otherwise the data's own validation "
    "split, or every tenth pair of a folder."
)
_SIZE = "Height x width; by default that of published results on the data, or 64x96."
_IGNORE_CLASS = (
    "Don't-care id of the label maps of folder, hf and tfds: a class, or a stored id above all classes, such as "
    "255, of which a class is made."
)
_ID_MAP = "STORED=CLASS for ids of folder, hf and tfds that differ, such as 255=11. Repeatable."
_IMAGE_RANGE = (
    "BLACK:WHITE, such as 0:4095, for photos (of folder and hf) of 16 bits that use fewer, or 0:1 for floating-point numbers."
)
_SKIP_BAD = "Number of damaged or wrongly labeled files to tolerate; they are listed at the end."
_FIT = (
    "What is done with photos of other proportions than the image size: stretch, as published work does, or crop: the "
    "shorter side is scaled and the longer one cropped."
)
_TRAIN_SPLIT = "Name of the split to train on, where it is not called train or training."
_VALIDATION_SPLIT = "Name of the split to validate with, where it is not called val, valid or validation; such as test."
_IMAGE_SUFFIX = "What the names of a folder's photos have after the part that they share with label maps, such as _sat."
_LABEL_SUFFIX = (
    "What the names of its label maps have there, such as _mask. Both are found by themselves, unless there are several kinds."
)
_IMAGE_PREFIX = "What the names of a folder's photos have before that part, such as img_."
_LABEL_PREFIX = "What the names of its label maps have there, such as mask_."
Data = Annotated[str, typer.Option("--data", help=_DATA)]
ValidationData = Annotated[str | None, typer.Option(help=_VALIDATION_DATA)]
ImageSize = Annotated[str | None, typer.Option(help=_SIZE)]
BatchSize = Annotated[int, typer.Option(min=1)]
Seed = Annotated[int, typer.Option(min=0)]
IgnoreClass = Annotated[int | None, typer.Option(help=_IGNORE_CLASS)]
IdMap = Annotated[list[str], typer.Option(help=_ID_MAP)]
ImageRange = Annotated[str | None, typer.Option(help=_IMAGE_RANGE)]
TrainSplit = Annotated[str | None, typer.Option(help=_TRAIN_SPLIT)]
ValidationSplit = Annotated[str | None, typer.Option(help=_VALIDATION_SPLIT)]
ImageSuffix = Annotated[str | None, typer.Option(help=_IMAGE_SUFFIX)]
LabelSuffix = Annotated[str | None, typer.Option(help=_LABEL_SUFFIX)]
ImagePrefix = Annotated[str | None, typer.Option(help=_IMAGE_PREFIX)]
LabelPrefix = Annotated[str | None, typer.Option(help=_LABEL_PREFIX)]
FitOfRun = Annotated[str | None, typer.Option(help=f"{_FIT} By default as the model's run has it, else stretch.")]
SkipBad = Annotated[int, typer.Option(min=0, help=_SKIP_BAD)]
Precision = Annotated[str, typer.Option(help="float32 or mixed_bfloat16.")]

# What may be given with --resume
_OF_RESUME = {"resume", "skip_bad", "id_map", "ignore_class", "check"}
_NETWORKS, _LOSSES, _RUN, _SOURCES = "Networks", "Losses and optimizers", "Run", "Data"


@app.callback()
def prepare(ctx: typer.Context, debug: Annotated[bool, typer.Option(help="Show tracebacks.")] = False):
    ctx.obj = {"debug": debug}
    sys.stdout.reconfigure(errors="backslashreplace")  # what cannot be printed is no reason to fail


def command(name: str):
    """A command that reports the user's errors in one line."""

    def decorate(function):
        return app.command(name)(reports_errors(function))

    return decorate


@command("demo")
def demo(
    ctx: typer.Context,
    name: Annotated[str | None, typer.Option(help="Name of the folder in ./runs; by default the time.")] = None,
    minutes: Annotated[float, typer.Option(min=0.1, help="Time for training.")] = 5.0,
    steps: Annotated[int | None, typer.Option(min=1, help="Number of steps; by default what fits into the time.")] = None,
    seed: Seed = 0,
):
    """Trains on embedded synthetic street scenes for five minutes and shows what came of it."""
    from keras_semisis.cli.demo import demo as run

    run(name or time.strftime("demo-%Y%m%d-%H%M%S"), minutes, steps, seed)


@command("train")
def train(
    ctx: typer.Context,
    data: Annotated[str | None, typer.Option(help=_DATA, rich_help_panel=_SOURCES)] = None,
    validation_data: Annotated[str | None, typer.Option(help=_VALIDATION_DATA, rich_help_panel=_SOURCES)] = None,
    train_split: Annotated[str | None, typer.Option(help=_TRAIN_SPLIT, rich_help_panel=_SOURCES)] = None,
    validation_split: Annotated[str | None, typer.Option(help=_VALIDATION_SPLIT, rich_help_panel=_SOURCES)] = None,
    image_suffix: Annotated[str | None, typer.Option(help=_IMAGE_SUFFIX, rich_help_panel=_SOURCES)] = None,
    label_suffix: Annotated[str | None, typer.Option(help=_LABEL_SUFFIX, rich_help_panel=_SOURCES)] = None,
    image_prefix: Annotated[str | None, typer.Option(help=_IMAGE_PREFIX, rich_help_panel=_SOURCES)] = None,
    label_prefix: Annotated[str | None, typer.Option(help=_LABEL_PREFIX, rich_help_panel=_SOURCES)] = None,
    ratio: Annotated[
        float | None,
        typer.Option(
            help="Share of the pairs that are used as such; by default 0.1, or 1 where a method learns from pairs "
            "alone, or there "
            "are further photos or label maps that have no partner.",
            rich_help_panel=_SOURCES,
        ),
    ] = None,
    unpaired_images: Annotated[
        str | None,
        typer.Option(
            help="Further photos: a folder, records:PATH, hf:NAME, tfds:NAME, or a split of a benchmark such as "
            "cityscapes:PATH:train_extra, coco_stuff:PATH:unlabeled or ade20k:PATH:test.",
            rich_help_panel=_SOURCES,
        ),
    ] = None,
    unpaired_labels: Annotated[
        str | None,
        typer.Option(
            help="Further label maps of the same classes: a folder, records:PATH, hf:NAME, tfds:NAME, or a split of a "
            "benchmark such as cityscapes:PATH:train_extra.",
            rich_help_panel=_SOURCES,
        ),
    ] = None,
    ignore_class: Annotated[int | None, typer.Option(help=_IGNORE_CLASS, rich_help_panel=_SOURCES)] = None,
    id_map: Annotated[list[str], typer.Option(help=_ID_MAP, rich_help_panel=_SOURCES)] = [],  # noqa: B006
    image_range: Annotated[str | None, typer.Option(help=_IMAGE_RANGE, rich_help_panel=_SOURCES)] = None,
    image_size: Annotated[str | None, typer.Option(help=_SIZE, rich_help_panel=_SOURCES)] = None,
    load_size: Annotated[
        str | None,
        typer.Option(
            help="Height x width that images are resized to before a random crop; by default that of published results, if "
            "--image-size is not given, else no crop.",
            rich_help_panel=_SOURCES,
        ),
    ] = None,
    fit: Annotated[str | None, typer.Option(help=_FIT, rich_help_panel=_SOURCES)] = None,
    skip_bad: Annotated[int, typer.Option(min=0, help=_SKIP_BAD, rich_help_panel=_SOURCES)] = 0,
    check: Annotated[
        bool, typer.Option("--check", help="Read every file once before, as the command check does.", rich_help_panel=_SOURCES)
    ] = False,
    sampler: Annotated[
        str | None,
        typer.Option(
            help="Of the pairs: rare_classes (of semi_paired by default), uniform or rare_classes_second_half.",
            rich_help_panel=_SOURCES,
        ),
    ] = None,
    output: Annotated[
        str | None, typer.Option(help="The run folder; by default runs/ and the time.", rich_help_panel=_RUN)
    ] = None,
    resume: Annotated[
        Path | None,
        typer.Option(
            help="Go on with this run folder, by its own settings. Of the others give --skip-bad, --id-map and --check alone.",
            rich_help_panel=_RUN,
        ),
    ] = None,
    recipe: Annotated[
        str | None,
        typer.Option(
            help="few_labels: networks on frozen features of ImageNet and rates for minutes or an hour (extra: "
            "offline; --trunk "
            "none goes without), the default of semi_paired where no option of networks or losses is given; or paper. "
            "Options that are given replace the recipe's.",
            rich_help_panel=_RUN,
        ),
    ] = None,
    minutes: Annotated[
        float | None,
        typer.Option(
            min=0.1,
            help="Time for the training, in place of --steps: the first steps are timed, and as many follow as fit. Given "
            "both, the run ends at what comes first.",
            rich_help_panel=_RUN,
        ),
    ] = None,
    steps: Annotated[int, typer.Option(min=1, rich_help_panel=_RUN)] = 2000,
    batch_size: Annotated[int, typer.Option(min=1, rich_help_panel=_RUN)] = 8,
    seed: Annotated[int, typer.Option(min=0, rich_help_panel=_RUN)] = 0,
    precision: Annotated[str, typer.Option(help="float32 or mixed_bfloat16.", rich_help_panel=_RUN)] = "float32",
    init: Annotated[
        str | None,
        typer.Option(
            help="A .keras file of train, demo or import, of the same classes and networks: the training begins "
            "with its weights.",
            rich_help_panel=_RUN,
        ),
    ] = None,
    segmenter: Annotated[
        str | None, typer.Option(help="A .keras file of train-segmenter, which judges the photos.", rich_help_panel=_RUN)
    ] = None,
    features: Annotated[
        str,
        typer.Option(
            help="Features of the distances: segmenter, efficientnet_lite0, efficientnet_lite2, alexnet, none; auto is the "
            "segmenter's if there is one.",
            rich_help_panel=_RUN,
        ),
    ] = "auto",
    best: Annotated[
        str | None,
        typer.Option(
            help="Score that chooses best.keras: frechet, kid or miou; by default the first that there is.",
            rich_help_panel=_RUN,
        ),
    ] = None,
    evaluate_every: Annotated[int, typer.Option(min=1, help="Steps from one scoring to the next.", rich_help_panel=_RUN)] = 500,
    sample_every: Annotated[
        int, typer.Option(min=1, help="Steps from one grid of pictures to the next.", rich_help_panel=_RUN)
    ] = 500,
    save_every: Annotated[int, typer.Option(min=1, help="Steps from one last.keras to the next.", rich_help_panel=_RUN)] = 500,
    method: Annotated[
        str,
        typer.Option(
            help="semi_paired, oasis, tcr, usis (without pairs), spade or cc_fpse. Each has its own defaults, and "
            "refuses what it "
            "has no use for.",
            rich_help_panel=_NETWORKS,
        ),
    ] = "semi_paired",
    generator: Annotated[
        str | None,
        typer.Option(
            help="wavelet (waveletSPADE, of semi_paired and usis by default) or oasis, which shows more after a "
            "short training.",
            rich_help_panel=_NETWORKS,
        ),
    ] = None,
    base_channels: Annotated[
        int,
        typer.Option(min=1, help="Generator width; all but waveletSPADE have four times as many.", rich_help_panel=_NETWORKS),
    ] = 16,
    noise_channels: Annotated[
        int | None,
        typer.Option(
            min=0, help="Length of the noise vector, by default 64; 0 for one photo a label map.", rich_help_panel=_NETWORKS
        ),
    ] = None,
    hidden_channels: Annotated[int, typer.Option(min=1, help="Width of SPADE's hidden maps.", rich_help_panel=_NETWORKS)] = 128,
    num_blocks: Annotated[
        int | None, typer.Option(help="Generator depth; by default the deepest that fits.", rich_help_panel=_NETWORKS)
    ] = None,
    discriminator: Annotated[
        str | None,
        typer.Option(
            help="oasis (by default) or pretrained: a decoder on frozen features of ImageNet (extra: offline), "
            "which learns far "
            "more from few label maps.",
            rich_help_panel=_NETWORKS,
        ),
    ] = None,
    discriminator_channels: Annotated[
        str | None, typer.Option(help="Encoder widths, such as 32,32,64,64,128.", rich_help_panel=_NETWORKS)
    ] = None,
    discriminator_final_channels: Annotated[
        int | None, typer.Option(min=1, help="Width of the last decoder block, by default 64.", rich_help_panel=_NETWORKS)
    ] = None,
    unconditional: Annotated[
        str | None,
        typer.Option(
            help="What judges photos alone: wavelet (by default) or projected, on frozen features of ImageNet "
            "(extra: offline), "
            "with the hinge loss and no R1.",
            rich_help_panel=_NETWORKS,
        ),
    ] = None,
    unconditional_channels: Annotated[
        str | None,
        typer.Option(
            help="A factor on the published widths, or resolution:width pairs such as 4:64,8:64,16:32,64:16.",
            rich_help_panel=_NETWORKS,
        ),
    ] = None,
    trunk: Annotated[
        str | None,
        typer.Option(
            help="The frozen network of pretrained and projected: vgg16 (by default) or efficientnet_lite0. none: "
            "few_labels without it.",
            rich_help_panel=_NETWORKS,
        ),
    ] = None,
    trunk_size: Annotated[
        str | None,
        typer.Option(
            help="Height x width that photos are enlarged to for it; by default they are taken as they are.",
            rich_help_panel=_NETWORKS,
        ),
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(
            help="What is not given below: paper, oasis, oasis_cityscapes, usis, usis_cityscapes, spade; by default "
            "the method's.",
            rich_help_panel=_LOSSES,
        ),
    ] = None,
    perceptual: Annotated[
        str | None,
        typer.Option(
            help="vgg19 (downloaded, of semi_paired, spade and cc_fpse by default), vgg16_imagenet or lpips (extra: offline), "
            "vgg16 (fine-tuned for edges; extra: offline) or none.",
            rich_help_panel=_LOSSES,
        ),
    ] = None,
    augmentation: Annotated[
        bool,
        typer.Option(
            "--augmentation",
            help="DiffAugment of what the discriminators see: colors, and, where there is a don't-care class, "
            "translation and cutout.",
            rich_help_panel=_LOSSES,
        ),
    ] = False,
    judge_pairs: Annotated[
        bool,
        typer.Option(
            "--judge-pairs", help="The discriminator of photos alone sees the pairs' photos as well.", rich_help_panel=_LOSSES
        ),
    ] = False,
    learning_rate: Annotated[float | None, typer.Option(help="Of all networks.", rich_help_panel=_LOSSES)] = None,
    generator_learning_rate: Annotated[float | None, typer.Option(rich_help_panel=_LOSSES)] = None,
    discriminator_learning_rate: Annotated[float | None, typer.Option(rich_help_panel=_LOSSES)] = None,
    unconditional_learning_rate: Annotated[
        float | None, typer.Option(help="Of the discriminator of photos alone.", rich_help_panel=_LOSSES)
    ] = None,
    unconditional_betas: Annotated[
        str | None, typer.Option(help="β of that one's Adam, such as 0.5,0.99.", rich_help_panel=_LOSSES)
    ] = None,
    segmentation_weight: Annotated[
        float | None,
        typer.Option(help="On pairs: the discriminator sees the label map in the generated photo.", rich_help_panel=_LOSSES),
    ] = None,
    feature_matching_weight: Annotated[
        float | None,
        typer.Option(
            help="On pairs: the discriminator's features of generated and real photo agree. 1 by default, 0.1 of pretrained.",
            rich_help_panel=_LOSSES,
        ),
    ] = None,
    perceptual_weight: Annotated[
        float | None, typer.Option(help="On pairs: VGG's features of generated and real photo agree.", rich_help_panel=_LOSSES)
    ] = None,
    cycle_weight: Annotated[
        float | None,
        typer.Option(help="On unpaired label maps: the frozen discriminator leads back to them.", rich_help_panel=_LOSSES),
    ] = None,
    cycle_confidence: Annotated[
        float | None,
        typer.Option(
            help="On unpaired label maps: the cycle counts only where the discriminator gives some class at least this "
            "probability; by default everywhere.",
            rich_help_panel=_LOSSES,
        ),
    ] = None,
    diversity_weight: Annotated[
        float | None,
        typer.Option(
            help="On unpaired label maps: two photos of one label map differ as their noises do. Left out by default.",
            rich_help_panel=_LOSSES,
        ),
    ] = None,
    consistency_weight: Annotated[
        float | None,
        typer.Option(
            help="On unpaired label maps: to warp and to generate commute. 10 of tcr by default; semi_paired has it beside the "
            "cycle if this is given.",
            rich_help_panel=_LOSSES,
        ),
    ] = None,
    adversarial_weight: Annotated[
        float | None, typer.Option(help="On unpaired label maps: the photos look like unpaired ones.", rich_help_panel=_LOSSES)
    ] = None,
    adversarial_loss: Annotated[
        str | None,
        typer.Option(
            help="Of the discriminator of photos alone: non_saturating, or hinge (of projected by default).",
            rich_help_panel=_LOSSES,
        ),
    ] = None,
    label_mix_weight: Annotated[
        float | None, typer.Option(help="The discriminator's LabelMix consistency, of OASIS.", rich_help_panel=_LOSSES)
    ] = None,
    r1_gamma: Annotated[
        float | None,
        typer.Option(
            help="R1 of the discriminator of photos alone; the published 1.25 is for 256 pixels and far too strong at 64.",
            rich_help_panel=_LOSSES,
        ),
    ] = None,
    r1_every: Annotated[int | None, typer.Option(min=1, help="Steps from one R1 to the next.", rich_help_panel=_LOSSES)] = None,
    ema_decay: Annotated[
        float | None,
        typer.Option(help="Of the moving average that generates; 0.998 suits some thousand steps.", rich_help_panel=_LOSSES),
    ] = None,
):
    """Trains a semi-paired GAN, or a method to compare with, on photos of your own.

    Ctrl-C, or a file that cannot be used, leaves a run that --resume goes on with.
    """
    given = {name for name in ctx.params if ctx.get_parameter_source(name).name == "COMMANDLINE"}
    if resume is None and data is None:
        raise ValueError("train needs --data (such as camvid:PATH, folder:PATH or synthetic), or --resume RUN.")
    if resume is not None and given - _OF_RESUME:
        extra = ", ".join(sorted("--" + name.replace("_", "-") for name in given - _OF_RESUME))
        raise ValueError(f"--resume takes all settings from the run folder: leave {extra} out.")
    options = {name: value for name, value in ctx.params.items() if name not in ("resume", "check")}
    if resume is None:
        size, load = _sizes(data, image_size, load_size)
        options |= {
            "image_size": size,
            "load_size": load,
            "id_map": tuple(id_map),
            "image_range": image_range and parse_range(image_range),
            "output": output or time.strftime("runs/train-%Y%m%d-%H%M%S"),
            "discriminator_channels": (
                None if discriminator_channels is None else parse_channels(discriminator_channels, "--discriminator-channels")
            ),
            "unconditional_channels": (
                None if unconditional_channels is None else parse_unconditional_channels(unconditional_channels)
            ),
            "trunk_size": None if trunk_size is None else parse_size(trunk_size, "--trunk-size"),
            "unconditional_betas": None if unconditional_betas is None else parse_betas(unconditional_betas),
        }
    from keras_semisis.cli import training

    if resume is not None:
        training.go_on(resume, skip_bad if "skip_bad" in given else None, id_map, check, ignore_class)
    else:
        from keras_semisis.recipes.choice import with_recipe
        from keras_semisis.recipes.settings import TrainSettings

        if minutes is not None and "steps" not in given:
            options["steps"] = training.MOST_STEPS_OF_MINUTES
        training.train(TrainSettings(**with_recipe(options, given)), checked=check)


def _sizes(data, image_size, load_size):
    from keras_semisis.cli.sources import default_sizes

    size, load = default_sizes(data)
    if image_size is not None:
        size, load = parse_size(image_size), None
    return size, parse_size(load_size, "--load-size") if load_size is not None else load


@command("check")
def check(
    ctx: typer.Context,
    data: Data,
    validation_data: ValidationData = None,
    train_split: TrainSplit = None,
    validation_split: ValidationSplit = None,
    image_suffix: ImageSuffix = None,
    label_suffix: LabelSuffix = None,
    image_prefix: ImagePrefix = None,
    label_prefix: LabelPrefix = None,
    unpaired_images: Annotated[str | None, typer.Option(help="Further photos, as train takes them.")] = None,
    unpaired_labels: Annotated[str | None, typer.Option(help="Further label maps, as train takes them.")] = None,
    ignore_class: IgnoreClass = None,
    id_map: IdMap = [],  # noqa: B006
    image_range: ImageRange = None,
    fit: Annotated[str | None, typer.Option(help=_FIT)] = None,
    skip_bad: Annotated[int, typer.Option(min=0, help="Number of bad files that make no error.")] = 0,
):
    """Reads every photo and label map once, and lists those that cannot be used, the sizes and the classes.

    The exit status is 0 if all can be used. train --check does the same before it trains.
    """
    from keras_semisis.cli.checking import check as run
    from keras_semisis.recipes.settings import TrainSettings

    run(
        TrainSettings(
            data,
            "",
            validation_data=validation_data,
            unpaired_images=unpaired_images,
            unpaired_labels=unpaired_labels,
            ignore_class=ignore_class,
            id_map=tuple(id_map),
            skip_bad=skip_bad,
            train_split=train_split,
            validation_split=validation_split,
            image_suffix=image_suffix,
            label_suffix=label_suffix,
            fit=fit,
            image_prefix=image_prefix,
            label_prefix=label_prefix,
            image_range=image_range and parse_range(image_range),
        )
    )


@command("generate")
def generate(
    ctx: typer.Context,
    model: Annotated[Path, typer.Argument(help="A .keras file of train.")],
    label_maps: Annotated[list[Path], typer.Argument(help="Label maps as PNG files, or folders of them.")],
    output: Annotated[Path, typer.Option(help="Folder of the photos.")] = Path("generated"),
    seed: Seed = 0,
    samples: Annotated[int, typer.Option(min=1, help="Photos for each label map.")] = 1,
    id_map: IdMap = [],  # noqa: B006
    fit: FitOfRun = None,
):
    """Makes photos from label maps."""
    from keras_semisis.cli.generating import generate as run

    run(model, label_maps, output, seed, samples, id_map, fit)


@command("evaluate")
def evaluate(
    ctx: typer.Context,
    model: Annotated[Path, typer.Argument(help="A .keras file of train.")],
    data: Data,
    validation_data: ValidationData = None,
    train_split: TrainSplit = None,
    validation_split: ValidationSplit = None,
    image_suffix: ImageSuffix = None,
    label_suffix: LabelSuffix = None,
    image_prefix: ImagePrefix = None,
    label_prefix: LabelPrefix = None,
    protocol: Annotated[
        str,
        typer.Option(
            help="oasis2021 (as OASIS and USIS are scored), clean (as clean-fid) or native (any networks, images as they are)."
        ),
    ] = "native",
    segmenter: Annotated[
        str | None,
        typer.Option(
            help="What judges the photos: a .keras file of train-segmenter or import, or segformer:PRESET (extra: keras-hub)."
        ),
    ] = None,
    features: Annotated[
        str,
        typer.Option(
            help="Features of the distances: inception, segmenter, efficientnet_lite0, efficientnet_lite2, alexnet, "
            "none; auto is "
            "inception where its file is given or the protocol wants it, else the segmenter's if it has any."
        ),
    ] = "auto",
    inception: Annotated[
        Path | None, typer.Option(help="pt_inception-2015-12-05-6726825d.pth of pytorch-fid, for comparable FID.")
    ] = None,
    perceptual: Annotated[
        str,
        typer.Option(
            help="Distance of the diversity score: lpips_alexnet (LPIPS), lpips (LPIPS of VGG16), vgg16_imagenet, "
            "vgg16 (extra: "
            "offline), vgg19 (downloaded) or none."
        ),
    ] = "none",
    output: Annotated[Path, typer.Option(help="The JSON file that is written.")] = Path("results.json"),
    cache: Annotated[
        Path | None,
        typer.Option(help="Folder in which statistics of real photos are kept; by default keras_semisis in ~/.cache."),
    ] = None,
    batch_size: BatchSize = 8,
    seed: Seed = 0,
    ignore_class: IgnoreClass = None,
    id_map: IdMap = [],  # noqa: B006
    image_range: ImageRange = None,
    fit: FitOfRun = None,
    skip_bad: SkipBad = 0,
):
    """Scores a model on validation photos by a named protocol, beside the scores of real photos."""
    from keras_semisis.cli.evaluating import evaluate as run
    from keras_semisis.recipes.settings import Layout

    run(
        model,
        data,
        validation_data,
        protocol,
        segmenter,
        features,
        inception,
        perceptual,
        output,
        cache,
        batch_size,
        seed,
        ignore_class,
        tuple(id_map),
        skip_bad,
        image_range and parse_range(image_range),
        Layout(train_split, validation_split, image_suffix, label_suffix, image_prefix, label_prefix),
        fit,
    )


@command("train-segmenter")
def train_segmenter(
    ctx: typer.Context,
    data: Data,
    train_split: TrainSplit = None,
    validation_split: ValidationSplit = None,
    image_suffix: ImageSuffix = None,
    label_suffix: LabelSuffix = None,
    image_prefix: ImagePrefix = None,
    label_prefix: LabelPrefix = None,
    output: Annotated[Path, typer.Option(help="The .keras file that is written.")] = Path("segmenter.keras"),
    network: Annotated[
        str,
        typer.Option(
            help="unet, or efficientnet_lite0: a decoder on features of ImageNet (extra: offline), which learns more from few "
            "photos and is not of the discriminator's kind."
        ),
    ] = "unet",
    image_size: ImageSize = None,
    fit: Annotated[str | None, typer.Option(help=_FIT)] = None,
    batch_size: BatchSize = 8,
    steps: Annotated[int, typer.Option(min=1)] = 2000,
    channels: Annotated[str, typer.Option(help="Encoder widths of the U-Net.")] = "32,64,128,128,128",
    final_channels: Annotated[int, typer.Option(min=1, help="Width of the U-Net's last block.")] = 32,
    learning_rate: Annotated[float, typer.Option(help="At the begin; falls to 0 along a cosine.")] = 1e-3,
    precision: Precision = "float32",
    seed: Seed = 0,
    ignore_class: IgnoreClass = None,
    id_map: IdMap = [],  # noqa: B006
    image_range: ImageRange = None,
    skip_bad: SkipBad = 0,
):
    """Trains the segmentation network that judges generated photos, on real ones."""
    from keras_semisis.cli.segmenter_command import run
    from keras_semisis.recipes.settings import Layout

    run(
        data,
        output,
        network,
        _sizes(data, image_size, None)[0],
        batch_size,
        steps,
        parse_channels(channels, "--channels"),
        final_channels,
        learning_rate,
        precision,
        seed,
        ignore_class,
        tuple(id_map),
        skip_bad,
        image_range and parse_range(image_range),
        Layout(train_split, validation_split, image_suffix, label_suffix, image_prefix, label_prefix),
        fit,
    )


@command("classes")
def classes(
    ctx: typer.Context,
    data: Annotated[
        str,
        typer.Argument(help="cityscapes, ade20k, coco_stuff, camvid, synthetic, tfds:NAME, hf:NAME, records:PATH or a folder."),
    ],
    legend: Annotated[Path | None, typer.Option(help="A PNG file to draw names and colors into.")] = None,
    ignore_class: IgnoreClass = None,
    id_map: IdMap = [],  # noqa: B006
):
    """Prints the classes of a data set: ids, names, colors, the don't-care class."""
    from keras_semisis.cli.classes import classes as run

    run(data, legend, ignore_class, tuple(id_map))


@command("import")
def import_weights(
    ctx: typer.Context,
    weights: Annotated[
        list[Path],
        typer.Argument(
            help="A published checkpoint: .pth, .safetensors or .npz. Several files "
            "where it has several, as upernet_101's encoder and decoder."
        ),
    ],
    network: Annotated[
        str, typer.Option(help="The network that it is of, such as oasis_generator: a builder of keras_semisis.models.")
    ],
    output: Annotated[Path, typer.Option(help="The .keras file that is written.")],
    num_classes: Annotated[int | None, typer.Option(min=1, help="Number of labels, the don't-care one included.")] = None,
    image_size: Annotated[str | None, typer.Option(help="Height x width, such as 256x512.")] = None,
    option: Annotated[
        list[str], typer.Option(help="Another argument of the builder, such as base_channels=32. Repeatable.")
    ] = [],  # noqa: B006
):
    """Turns a checkpoint of a published PyTorch program into a Keras file; PyTorch is not needed."""
    from keras_semisis.cli.importing import import_weights as run

    run(weights, network, num_classes, image_size and parse_size(image_size), option, output)


@command("pack")
def pack(
    ctx: typer.Context,
    data: Annotated[str, typer.Argument(help="What to pack, as --data of train: camvid:PATH, folder:PATH or synthetic.")],
    output: Annotated[Path, typer.Argument(help="The folder that is written, for --data records:FOLDER.")],
    validation_data: ValidationData = None,
    train_split: TrainSplit = None,
    validation_split: ValidationSplit = None,
    image_suffix: ImageSuffix = None,
    label_suffix: LabelSuffix = None,
    image_prefix: ImagePrefix = None,
    label_prefix: LabelPrefix = None,
    image_size: Annotated[str, typer.Option(help="Height x width that synthetic scenes are rendered at.")] = "64x96",
    ignore_class: IgnoreClass = None,
    id_map: IdMap = [],  # noqa: B006
    image_range: ImageRange = None,
    skip_bad: Annotated[
        int,
        typer.Option(
            min=0,
            help="Number of damaged or wrongly labeled files to leave out; they are listed at the end. All files are read "
            "before, to know them.",
        ),
    ] = 0,
):
    """Packs many small files into few large ones, with their class statistics; goes on where it was interrupted."""
    from keras_semisis.cli.packing import pack as run
    from keras_semisis.recipes.settings import Layout

    run(
        data,
        output,
        validation_data,
        parse_size(image_size),
        ignore_class,
        tuple(id_map),
        skip_bad,
        image_range and parse_range(image_range),
        Layout(train_split, validation_split, image_suffix, label_suffix, image_prefix, label_prefix),
    )
