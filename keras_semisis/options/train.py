"""What a run trains."""

from dataclasses import dataclass
from typing import Any

from keras_semisis.options.methods import METHODS, ON_PAIRS, SEGMENTING, WITH_JUDGE
from keras_semisis.options.named_data import NamedData
from keras_semisis.options.option import DATA, LOSSES, NETWORKS, RUN, given_options, option, option_name, options_of, same_as
from keras_semisis.options.read import ReadOptions, check_fit
from keras_semisis.options.text import BETAS, CHANNELS, SIZE, UNCONDITIONAL_CHANNELS

PRECISIONS = ("float32", "mixed_bfloat16")
_PERCEPTUAL = ("semi_paired", "spade", "cc_fpse")


@dataclass
class TrainSettings(ReadOptions):
    """Every option of `train` that a run keeps.

    None leaves the choice to the library: what the method or preset has, or the deepest networks that fit.

    Raises:
        ValueError: If there is no such method, or it has no use for an option that is given.
    """

    data: str = same_as(NamedData, "data", chosen=True)
    output: str = option(help="The run folder; by default runs/ and the time.", panel=RUN, chosen=True)
    method: str = option(
        "semi_paired",
        "semi_paired, oasis, tcr, usis (without pairs), spade or cc_fpse. Each has its own defaults, and refuses what it "
        "has no use for.",
        NETWORKS,
        by_hand=False,
    )
    recipe: str | None = option(
        None,
        "few_labels: networks on frozen features of ImageNet and rates for minutes or an hour (extra: offline; --trunk "
        "none goes without), the default of semi_paired where no option of networks or losses is given; or paper. "
        "Options that are given replace the recipe's.",
        RUN,
    )
    ratio: float | None = option(
        None,
        "Share of the pairs that are used as such. By default 1 for data of your own (folder:, hf:, records:, and tfds: of no "
        "benchmark), where a method learns from pairs alone, and where there are further photos or label maps without a "
        "partner; 0.1 for benchmarks and synthetic.",
        DATA,
        methods=ON_PAIRS,
    )
    image_size: tuple[int, int] = option(
        (64, 96), "Height x width; by default that of published results on the data, or 64x96.", DATA, form=SIZE, chosen=True
    )
    load_size: tuple[int, int] | None = option(
        None,
        "Height x width that images are resized to before a random crop; by default that of published results, if "
        "--image-size is not given, else no crop.",
        DATA,
        form=SIZE,
    )
    sampler: str | None = option(
        None,
        "Of the pairs: rare_classes (of semi_paired by default), uniform or rare_classes_second_half.",
        DATA,
        methods=ON_PAIRS,
    )
    minutes: float | None = option(
        None,
        "Time for the training, in place of --steps: the first steps are timed, and as many follow as fit. Given "
        "both, the run ends at what comes first.",
        RUN,
        min=0.1,
    )
    steps: int = option(2000, panel=RUN, min=1)
    batch_size: int = option(8, panel=RUN, min=1)
    seed: int = option(0, panel=RUN, min=0)
    precision: str = option(
        "float32", "float32, or mixed_bfloat16, which some processors compute fast and others very slowly.", RUN
    )
    devices: str | None = option(
        None,
        "How many devices share a batch, or all of them, on JAX; by default one, and of several processes all of each.",
        RUN,
        of_resume=True,
    )
    init: str | None = option(
        None,
        "A .keras file of train, demo or import, of the same classes and networks: the training begins with its weights.",
        RUN,
        by_hand=True,
        names="model",
    )
    adapt: str | None = option(
        None,
        "A model of other classes, a .keras file or a preset such as street: its networks begin the training, the new classes "
        "as mixtures of those that it knows, by what it sees in the pairs and by their names.",
        RUN,
        by_hand=False,
        names="model",
    )
    affinity: str | None = option(
        None,
        'With --adapt: what classes begin as, whatever names and pairs say, such as "path: road; hedge: fence 0.5, '
        'plant 0.5", or a text file of such lines.',
        RUN,
        by_hand=False,
    )
    adapt_alone: bool = option(
        False, "With --adapt: of the generator the matrix from new to old classes alone learns.", RUN, by_hand=False
    )
    segmenter: str | None = option(None, "A .keras file of train-segmenter, which judges the photos.", RUN, names="segmenter")
    features: str = option(
        "auto",
        "Features of the distances: segmenter, efficientnet_lite0, efficientnet_lite2, alexnet, none; auto is the "
        "segmenter's if there is one.",
        RUN,
    )
    best: str | None = option(
        None, "Score that chooses best.keras: frechet, kid or miou; by default the first that there is.", RUN
    )
    evaluate_every: int = option(500, "Steps from one scoring to the next.", RUN, min=1)
    sample_every: int = option(500, "Steps from one grid of pictures to the next.", RUN, min=1)
    save_every: int = option(500, "Steps from one last.keras to the next.", RUN, min=1)
    generator: str | None = option(
        None,
        "wavelet (waveletSPADE, of semi_paired and usis by default) or oasis, which shows more after a short training.",
        NETWORKS,
        methods=SEGMENTING,
        of_generator=True,
    )
    detail_gain: float | None = option(
        None,
        "Of a wavelet generator: gain of the details that its convolutions give, by default 1 as published; 0.1 for short "
        "trainings, which begin with less of blocks and dots.",
        NETWORKS,
        methods=SEGMENTING,
        of_generator=True,
    )
    base_channels: int = option(
        16, "Generator width; all but waveletSPADE have four times as many.", NETWORKS, min=1, of_generator=True
    )
    noise_channels: int | None = option(
        None,
        "Length of the noise vector, by default 64; 0 for one photo a label map.",
        NETWORKS,
        methods=SEGMENTING,
        min=0,
        of_generator=True,
    )
    latent_channels: int | None = option(
        None,
        "Length of a style, 256 in published work, that an encoder of photos learns with the generator: photos are then drawn "
        "in the style of others (generate --style). By default there is none.",
        NETWORKS,
        methods=("spade", "cc_fpse"),
        min=1,
        of_generator=True,
    )
    instance_edges: bool = option(
        False,
        "Both networks read the edges between instances as well, as published for data that have instance maps: those of a "
        "folder instances beside the label maps, of Cityscapes and of COCO-Stuff.",
        NETWORKS,
        methods=("spade", "cc_fpse"),
        of_system=True,
    )
    hidden_channels: int = option(128, "Width of SPADE's hidden maps.", NETWORKS, min=1, of_generator=True)
    num_blocks: int | None = option(
        None, "Generator depth; by default the deepest that fits.", NETWORKS, methods=SEGMENTING, of_generator=True
    )
    discriminator: str | None = option(
        None,
        "oasis (by default) or pretrained: a decoder on frozen features of ImageNet (extra: offline), which learns far "
        "more from few label maps.",
        NETWORKS,
        methods=SEGMENTING,
    )
    discriminator_channels: tuple[int, ...] | None = option(
        None, "Encoder widths, such as 32,32,64,64,128.", NETWORKS, form=CHANNELS
    )
    discriminator_final_channels: int | None = option(
        None, "Width of the last decoder block, by default 64.", NETWORKS, methods=SEGMENTING, min=1
    )
    unconditional: str | None = option(
        None,
        "What judges photos alone: wavelet (by default) or projected, on frozen features of ImageNet (extra: offline), "
        "with the hinge loss and no R1.",
        NETWORKS,
        methods=WITH_JUDGE,
    )
    unconditional_channels: dict[int, int] | float | None = option(
        None,
        "A factor on the published widths, or resolution:width pairs such as 4:64,8:64,16:32,64:16.",
        NETWORKS,
        methods=WITH_JUDGE,
        form=UNCONDITIONAL_CHANNELS,
    )
    trunk: str | None = option(
        None,
        "The frozen network of pretrained and projected: vgg16 (by default) or efficientnet_lite0. none: few_labels "
        "without it.",
        NETWORKS,
        methods=SEGMENTING,
        by_hand=False,
    )
    trunk_size: tuple[int, int] | None = option(
        None,
        "Height x width that photos are enlarged to for it; by default they are taken as they are.",
        NETWORKS,
        methods=SEGMENTING,
        form=SIZE,
        by_hand=False,
    )
    preset: str | None = option(
        None,
        "What is not given below: paper, oasis, oasis_cityscapes, usis, usis_cityscapes, spade; by default the method's.",
        LOSSES,
    )
    perceptual: str | None = option(
        None,
        "vgg19 (downloaded, of semi_paired, spade and cc_fpse by default), vgg16_imagenet or lpips (extra: offline), "
        "vgg16 (fine-tuned for edges; extra: offline) or none.",
        LOSSES,
        methods=_PERCEPTUAL,
    )
    augmentation: bool = option(
        False,
        "DiffAugment of what the discriminators see: colors, and, where there is a don't-care class, translation and cutout.",
        LOSSES,
    )
    judge_pairs: bool = option(
        False,
        "The discriminator of photos alone sees the pairs' photos as well.",
        LOSSES,
        methods=("semi_paired",),
        of_system=True,
    )
    learning_rate: float | None = option(None, "Of all networks.", LOSSES, min=0)
    generator_learning_rate: float | None = option(None, None, LOSSES, min=0)
    discriminator_learning_rate: float | None = option(None, None, LOSSES, min=0)
    unconditional_learning_rate: float | None = option(
        None, "Of the discriminator of photos alone.", LOSSES, methods=WITH_JUDGE, min=0
    )
    unconditional_betas: tuple[float, float] | None = option(
        None, "β of that one's Adam, such as 0.5,0.99.", LOSSES, methods=WITH_JUDGE, form=BETAS
    )
    learning_rate_decay: float = option(
        0.0,
        "Share of the training, at its end, over which all rates fall linearly to 0: 0.5 is SPADE's niter_decay.",
        LOSSES,
        by_hand=False,
        min=0,
    )
    segmentation_weight: float | None = option(
        None,
        "On pairs: the discriminator sees the label map in the generated photo.",
        LOSSES,
        methods=SEGMENTING,
        of_system=True,
        min=0,
    )
    focal_gamma: float | None = option(
        None,
        "On pairs: a pixel whose class has probability p weighs (1 - p)^this in the segmentation; 0 by default.",
        LOSSES,
        methods=("semi_paired", "oasis", "tcr"),
        of_system=True,
        min=0,
    )
    feature_matching_weight: float | None = option(
        None,
        "On pairs: the discriminator's features of generated and real photo agree. 1 of semi_paired by default, 0.1 of "
        "pretrained, 10 of spade and cc_fpse.",
        LOSSES,
        methods=_PERCEPTUAL,
        of_system=True,
        min=0,
    )
    perceptual_weight: float | None = option(
        None,
        "On pairs: VGG's features of generated and real photo agree.",
        LOSSES,
        methods=_PERCEPTUAL,
        of_system=True,
        min=0,
    )
    cycle_weight: float | None = option(
        None,
        "On unpaired label maps: the frozen discriminator leads back to them.",
        LOSSES,
        methods=("semi_paired",),
        of_system=True,
        min=0,
    )
    cycle_confidence: float | None = option(
        None,
        "On unpaired label maps: the cycle counts only where the discriminator gives some class at least this "
        "probability; by default everywhere.",
        LOSSES,
        methods=("semi_paired",),
    )
    pseudo_label_confidence: float | None = option(
        None,
        "Unpaired photos are pairs, too, with what a moving average of the discriminator segments in them; pixels without a "
        "class of at least this probability are don't-care. Left out by default.",
        LOSSES,
        methods=("semi_paired",),
        of_system=True,
    )
    diversity_weight: float | None = option(
        None,
        "On unpaired label maps: two photos of one label map differ as their noises do. Left out by default.",
        LOSSES,
        methods=("semi_paired",),
        min=0,
    )
    consistency_weight: float | None = option(
        None,
        "On unpaired label maps: to warp and to generate commute. 10 of tcr by default; semi_paired has it beside the "
        "cycle if this is given.",
        LOSSES,
        methods=("semi_paired", "tcr"),
        min=0,
    )
    adversarial_weight: float | None = option(
        None,
        "On unpaired label maps: the photos look like unpaired ones.",
        LOSSES,
        methods=("semi_paired", "usis", "spade", "cc_fpse"),
        of_system=True,
        min=0,
    )
    adversarial_loss: str | None = option(
        None,
        "Of the discriminator of photos alone: non_saturating, or hinge (of projected by default).",
        LOSSES,
        methods=WITH_JUDGE,
        of_system=True,
    )
    label_mix_weight: float | None = option(
        None,
        "The discriminator's LabelMix consistency, of OASIS.",
        LOSSES,
        methods=("semi_paired", "oasis", "tcr"),
        of_system=True,
        min=0,
    )
    r1_gamma: float | None = option(
        None,
        "R1 of the discriminator of photos alone; the published 1.25 is for 256 pixels and far too strong at 64.",
        LOSSES,
        methods=WITH_JUDGE,
        of_system=True,
        min=0,
    )
    r1_every: int | None = option(None, "Steps from one R1 to the next.", LOSSES, methods=WITH_JUDGE, of_system=True, min=1)
    ema_decay: float | None = option(
        None,
        "Of the moving average that generates. It matters beyond some 4,500 steps (0.998) or 9,000 (0.999): until then the "
        "average follows the last tenth of the training.",
        LOSSES,
        of_system=True,
        min=0,
        max=1,
    )

    def __post_init__(self):
        from keras_semisis.data.argument_error import ArgumentError, require_choice

        check_fit(self.fit)
        require_choice("method", self.method, METHODS)
        for name in ("affinity", "adapt_alone"):
            if getattr(self, name) and self.adapt is None:
                raise ValueError(f"{option_name(name)} is of --adapt MODEL: name the model, or leave it out.")
        if self.adapt is not None and self.init is not None:
            raise ValueError("--adapt and --init: a training begins with one model. Leave one of them out.")
        if not 0 <= self.learning_rate_decay <= 1:
            raise ArgumentError("{} is no share, from 0 to 1.", {"learning_rate_decay": self.learning_rate_decay})
        method = METHODS[self.method]
        useless = [
            option_name(name)
            for name, value in given_options(self)
            if not self.has_use_for(name, self.method) and value != getattr(method, name, None)
        ]
        if useless:
            raise ValueError(
                f"--method {self.method} has no use for {', '.join(useless)}: leave that out, or train another method."
            )
        for name in ("sampler", "generator"):
            if getattr(self, name) is None:
                setattr(self, name, getattr(method, name))

    @classmethod
    def has_use_for(cls, name: str, method: str) -> bool:
        """Whether a method has an option."""
        methods = options_of(cls)[name].methods
        return methods is None or method in methods

    @property
    def of_system(self) -> dict[str, Any]:
        """What is given of the arguments that a system's constructor has by the same names."""
        declared = options_of(type(self))
        return {name: value for name, value in given_options(self) if declared[name].of_system}

    def choose_ratio(self, has_unpaired: bool, published: bool) -> None:
        """Fixes the ratio, if none is given.

        Args:
            has_unpaired: Whether the data hold photos or label maps without a partner.
            published: Whether they are a benchmark's or synthetic, whose labels are left out as published comparisons do.
                Of data of one's own all labels are used.
        """
        if self.ratio is None:
            usual = METHODS[self.method].ratio
            further = has_unpaired or self.unpaired_images is not None or self.unpaired_labels is not None
            self.ratio = 1.0 if usual > 0 and (further or not published) else usual


def check_precision(precision: str) -> None:
    """Refuses what no network here trains in; float16 would need a loss scale for each phase."""
    from keras_semisis.data.argument_error import require_choice

    require_choice("precision", precision, PRECISIONS)
