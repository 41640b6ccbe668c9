"""What a run trains: the methods that there are with what each has where nothing is said, and the options of a run."""

from dataclasses import dataclass
from types import MappingProxyType

from keras_semisis.data.stream.pipeline import FITS
from keras_semisis.gans import CCFPSE, OASIS, SPADEGAN, TCR, USIS, SemiPairedGAN
from keras_semisis.gans.semantic import SemanticGAN

PRECISIONS = ("float32", "mixed_bfloat16")


@dataclass(frozen=True)
class Method:
    """A system as `train` offers it.

    Args:
        system: Its class.
        ratio, sampler, generator: What it has where nothing is said. The ratio is 1 where there are further photos or label
            maps that can be unpaired ones, and the method takes these.
        lacks: The options that it has no use for.
    """

    system: type[SemanticGAN]
    ratio: float
    sampler: str
    generator: str | None
    lacks: tuple[str, ...] = ()


_ON_PAIRS = ("feature_matching_weight", "perceptual", "perceptual_weight")
_JUDGE = (
    "unconditional",
    "adversarial_loss",
    "unconditional_channels",
    "unconditional_learning_rate",
    "unconditional_betas",
    "r1_gamma",
    "r1_every",
)
_OF_CYCLE = ("cycle_weight", "cycle_confidence", "diversity_weight")
_PRETEXT = (*_OF_CYCLE, "consistency_weight")
_TRUNK = ("discriminator", "trunk", "trunk_size")
_SPADE_LACKS = (
    "unpaired_images",
    "unpaired_labels",
    *_JUDGE,
    "judge_pairs",
    "generator",
    "noise_channels",
    "num_blocks",
    "discriminator_final_channels",
    "segmentation_weight",
    *_PRETEXT,
    "label_mix_weight",
    *_TRUNK,
)

METHODS = MappingProxyType(
    {
        "semi_paired": Method(SemiPairedGAN, 0.1, "rare_classes", "wavelet"),
        "oasis": Method(
            OASIS,
            1.0,
            "uniform",
            "oasis",
            ("unpaired_images", "unpaired_labels", *_JUDGE, "judge_pairs", *_ON_PAIRS, *_PRETEXT, "adversarial_weight"),
        ),
        "tcr": Method(
            TCR,
            0.1,
            "uniform",
            "oasis",
            ("unpaired_images", *_JUDGE, "judge_pairs", *_ON_PAIRS, *_OF_CYCLE, "adversarial_weight"),
        ),
        "usis": Method(
            USIS, 0.0, "uniform", "wavelet", ("ratio", "sampler", "judge_pairs", *_ON_PAIRS, *_PRETEXT, "label_mix_weight")
        ),
        "spade": Method(SPADEGAN, 1.0, "uniform", None, _SPADE_LACKS),
        "cc_fpse": Method(CCFPSE, 1.0, "uniform", None, _SPADE_LACKS),
    }
)


@dataclass(frozen=True)
class Layout:
    """How data lie, where it is not to be found by their usual names. None leaves it to these.

    Args:
        train_split, validation_split: Names of the splits to train on and to validate with.
        image_suffix, label_suffix, image_prefix, label_prefix: As `Folder` takes them.
    """

    train_split: str | None = None
    validation_split: str | None = None
    image_suffix: str | None = None
    label_suffix: str | None = None
    image_prefix: str | None = None
    label_prefix: str | None = None

    @property
    def affixes(self) -> dict[str, str | None]:
        """The arguments of `Folder`."""
        return {name: getattr(self, name) for name in ("image_suffix", "label_suffix", "image_prefix", "label_prefix")}


USUAL_LAYOUT = Layout()


@dataclass
class TrainSettings:
    """Every option of `train`. None leaves the choice to the library: what the method or preset has, or the deepest networks
    that fit.

    Raises:
        ValueError: If there is no such method, or it has no use for an option that is given.
    """

    data: str
    output: str
    method: str = "semi_paired"
    recipe: str | None = None
    validation_data: str | None = None
    train_split: str | None = None
    validation_split: str | None = None
    image_suffix: str | None = None
    label_suffix: str | None = None
    image_prefix: str | None = None
    label_prefix: str | None = None
    ratio: float | None = None
    image_size: tuple[int, int] = (64, 96)
    load_size: tuple[int, int] | None = None
    fit: str | None = None
    batch_size: int = 8
    steps: int = 2000
    minutes: float | None = None
    unpaired_images: str | None = None
    unpaired_labels: str | None = None
    ignore_class: int | None = None
    image_range: tuple[float, float] | None = None
    id_map: tuple[str, ...] = ()
    skip_bad: int = 0
    sampler: str | None = None
    seed: int = 0
    precision: str = "float32"
    generator: str | None = None
    base_channels: int = 16
    noise_channels: int | None = None
    hidden_channels: int = 128
    num_blocks: int | None = None
    discriminator: str | None = None
    discriminator_channels: tuple[int, ...] | None = None
    discriminator_final_channels: int | None = None
    unconditional: str | None = None
    unconditional_channels: dict[int, int] | float | None = None
    trunk: str | None = None
    trunk_size: tuple[int, int] | None = None
    augmentation: bool = False
    judge_pairs: bool = False
    preset: str | None = None
    perceptual: str | None = None
    learning_rate: float | None = None
    generator_learning_rate: float | None = None
    discriminator_learning_rate: float | None = None
    unconditional_learning_rate: float | None = None
    unconditional_betas: tuple[float, float] | None = None
    segmentation_weight: float | None = None
    feature_matching_weight: float | None = None
    perceptual_weight: float | None = None
    cycle_weight: float | None = None
    cycle_confidence: float | None = None
    consistency_weight: float | None = None
    diversity_weight: float | None = None
    adversarial_weight: float | None = None
    adversarial_loss: str | None = None
    label_mix_weight: float | None = None
    r1_gamma: float | None = None
    r1_every: int | None = None
    ema_decay: float | None = None
    init: str | None = None
    segmenter: str | None = None
    features: str = "auto"
    best: str | None = None
    evaluate_every: int = 500
    sample_every: int = 500
    save_every: int = 500

    def __post_init__(self):
        check_fit(self.fit)
        if self.method not in METHODS:
            raise ValueError(f"--method {self.method}: expected one of {', '.join(METHODS)}.")
        method = METHODS[self.method]
        useless = [
            "--" + name.replace("_", "-")
            for name in method.lacks
            if getattr(self, name) not in (getattr(TrainSettings, name), getattr(method, name, None))
        ]
        if useless:
            raise ValueError(
                f"--method {self.method} has no use for {', '.join(useless)}: leave that out, or train another method."
            )
        for name in ("sampler", "generator"):
            if getattr(self, name) is None:
                setattr(self, name, getattr(method, name))

    @property
    def layout(self) -> Layout:
        """How the data lie."""
        return Layout(
            self.train_split, self.validation_split, self.image_suffix, self.label_suffix, self.image_prefix, self.label_prefix
        )

    def choose_ratio(self, has_unpaired: bool) -> None:
        """Fixes the ratio, if none is given.

        Args:
            has_unpaired: Whether the data hold photos or label maps without a partner.
        """
        if self.ratio is None:
            usual = METHODS[self.method].ratio
            further = has_unpaired or self.unpaired_images is not None or self.unpaired_labels is not None
            self.ratio = 1.0 if usual > 0 and further else usual


def check_precision(precision: str) -> None:
    """Refuses what no network here trains in; float16 would need a loss scale for each phase."""
    if precision not in PRECISIONS:
        raise ValueError(f"--precision {precision}: expected {' or '.join(PRECISIONS)}.")


def check_fit(fit: str | None) -> None:
    """Refuses what is no way of fitting photos into the image size."""
    if fit not in (None, *FITS):
        raise ValueError(f"--fit {fit}: expected {' or '.join(FITS)}.")
