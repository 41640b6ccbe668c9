"""The options of `keras-semisis train`, as they are written into the run folder."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any

from keras_semisis.data.pipeline import FITS
from keras_semisis.data.sources.image_range import checked_range
from keras_semisis.data.whole_file import whole_file
from keras_semisis.gans import CCFPSE, OASIS, SPADEGAN, TCR, USIS, SemiPairedGAN
from keras_semisis.gans.semantic import SemanticGAN
from keras_semisis.metrics.protocols.provenance import versions

FILE = "settings.json"


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
_JUDGE = ("unconditional", "adversarial_loss", "unconditional_channels", "unconditional_learning_rate", "unconditional_betas",
          "r1_gamma", "r1_every")
_PRETEXT = ("cycle_weight", "consistency_weight")
_TRUNK = ("discriminator", "trunk", "trunk_size")
_SPADE_LACKS = ("unpaired_images", "unpaired_labels", *_JUDGE, "judge_pairs", "generator", "noise_channels", "num_blocks",
                "discriminator_final_channels", "segmentation_weight", *_PRETEXT, "label_mix_weight", *_TRUNK)

METHODS = MappingProxyType({
    "semi_paired": Method(SemiPairedGAN, 0.1, "rare_classes", "wavelet"),
    "oasis": Method(OASIS, 1.0, "uniform", "oasis", (
        "unpaired_images", "unpaired_labels", *_JUDGE, "judge_pairs", *_ON_PAIRS, *_PRETEXT, "adversarial_weight")),
    "tcr": Method(TCR, 0.1, "uniform", "oasis", (
        "unpaired_images", *_JUDGE, "judge_pairs", *_ON_PAIRS, "cycle_weight", "adversarial_weight")),
    "usis": Method(USIS, 0.0, "uniform", "wavelet", (
        "ratio", "sampler", "judge_pairs", *_ON_PAIRS, *_PRETEXT, "label_mix_weight")),
    "spade": Method(SPADEGAN, 1.0, "uniform", None, _SPADE_LACKS),
    "cc_fpse": Method(CCFPSE, 1.0, "uniform", None, _SPADE_LACKS),
})


@dataclass(frozen=True)
class Layout:
    """How data lie, where it is not to be found by their usual names. None leaves it to these.

    Args:
        train_split, validation_split: Names of the splits to train on and to validate with.
        image_suffix, label_suffix: As `Folder` takes them.
    """

    train_split: str | None = None
    validation_split: str | None = None
    image_suffix: str | None = None
    label_suffix: str | None = None

    @property
    def suffixes(self) -> dict[str, str | None]:
        """The arguments of `Folder`."""
        return {"image_suffix": self.image_suffix, "label_suffix": self.label_suffix}


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
    validation_data: str | None = None
    train_split: str | None = None
    validation_split: str | None = None
    image_suffix: str | None = None
    label_suffix: str | None = None
    ratio: float | None = None
    image_size: tuple[int, int] = (64, 96)
    load_size: tuple[int, int] | None = None
    fit: str | None = None
    batch_size: int = 8
    steps: int = 2000
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
    consistency_weight: float | None = None
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
        useless = ["--" + name.replace("_", "-") for name in method.lacks
                   if getattr(self, name) not in (getattr(TrainSettings, name), getattr(method, name, None))]
        if useless:
            raise ValueError(f"--method {self.method} has no use for {', '.join(useless)}: leave that out, or train another "
                             "method.")
        for name in ("sampler", "generator"):
            if getattr(self, name) is None:
                setattr(self, name, getattr(method, name))

    @property
    def layout(self) -> Layout:
        """How the data lie."""
        return Layout(self.train_split, self.validation_split, self.image_suffix, self.label_suffix)

    def choose_ratio(self, has_unpaired: bool) -> None:
        """Fixes the ratio, if none is given.

        Args:
            has_unpaired: Whether the data hold photos or label maps without a partner.
        """
        if self.ratio is None:
            usual = METHODS[self.method].ratio
            further = has_unpaired or self.unpaired_images is not None or self.unpaired_labels is not None
            self.ratio = 1.0 if usual > 0 and further else usual


def check_fit(fit: str | None) -> None:
    """Refuses what is no way of fitting photos into the image size."""
    if fit not in (None, *FITS):
        raise ValueError(f"--fit {fit}: expected {' or '.join(FITS)}.")


def parse_size(text: str, option: str = "--image-size") -> tuple[int, int]:
    """``"64x96"`` to (height, width).

    >>> parse_size("64x96")
    (64, 96)
    """
    parts = text.lower().replace("×", "x").split("x")
    if len(parts) != 2 or not all(part.strip().isdigit() for part in parts):
        raise ValueError(f"{option} {text}: expected HEIGHTxWIDTH in pixels, such as 64x96.")
    return int(parts[0]), int(parts[1])


def parse_channels(text: str, option: str) -> tuple[int, ...]:
    """``"32,32,64"`` to widths.

    >>> parse_channels("32,32,64", "--discriminator-channels")
    (32, 32, 64)
    """
    parts = text.split(",")
    if not all(part.strip().isdigit() and int(part) > 0 for part in parts):
        raise ValueError(f"{option} {text}: expected widths from the first block to the deepest, such as 32,32,64.")
    return tuple(int(part) for part in parts)


def parse_unconditional_channels(text: str) -> dict[int, int] | float:
    """A factor on the published widths, or a width for each resolution.

    >>> parse_unconditional_channels("0.125"), parse_unconditional_channels("4:32,8:16")
    (0.125, {4: 32, 8: 16})
    """
    try:
        if ":" not in text:
            factor = float(text)
            if factor <= 0:
                raise ValueError
            return factor
        return {int(key): int(value) for key, value in (pair.split(":") for pair in text.split(","))}
    except ValueError:
        raise ValueError(f"--unconditional-channels {text}: expected a factor on the published widths, such as 0.125, or "
                         "resolution:width pairs, such as 4:64,8:64,16:32,32:32,64:16.") from None


def parse_betas(text: str) -> tuple[float, float]:
    """β_1 and β_2 of Adam.

    >>> parse_betas("0.5,0.99")
    (0.5, 0.99)
    """
    try:
        first, second = (float(part) for part in text.split(","))
        if not (0 <= first < 1 and 0 <= second < 1):
            raise ValueError
    except ValueError:
        raise ValueError(f"--unconditional-betas {text}: expected two numbers of at least 0 and below 1, such as "
                         "0.5,0.99.") from None
    return first, second


def parse_id_map(pairs: tuple[str, ...]) -> dict[int, int]:
    """``("255=11",)`` to {255: 11}.

    >>> parse_id_map(("255=11",))
    {255: 11}
    """
    try:
        return {int(old): int(new) for old, new in (pair.split("=") for pair in pairs)}
    except ValueError:
        raise ValueError(f"--id-map {' '.join(pairs)}: expected STORED=CLASS, such as 255=11.") from None


def parse_range(text: str) -> tuple[float, float]:
    """The values of black and white.

    >>> parse_range("0:4095"), parse_range("-0.5:1")
    ((0, 4095), (-0.5, 1))
    """
    try:
        first, last = (int(part) if re.fullmatch(r"-?\d+", part) else float(part) for part in text.split(":"))
    except ValueError:
        raise ValueError(f"--image-range {text}: expected BLACK:WHITE, such as 0:4095 or 0:1.") from None
    return checked_range((first, last))


def write_document(path: Path, document: Mapping[str, Any]) -> None:
    """Writes JSON; the file is there whole or not at all.

    Everything in it is ASCII, since a path whose bytes are no UTF-8 can be kept as an escape alone.
    """
    with whole_file(path) as unfinished:
        unfinished.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def read_settings(folder: Path) -> TrainSettings:
    """The settings of a run.

    Raises:
        ValueError: If the folder holds no run, or one of another version.
    """
    path = folder / FILE
    if not path.is_file():
        raise ValueError(f"{folder}: this folder holds no run (no {FILE}). Give the folder that `train --output` named.")
    options = json.loads(path.read_text(encoding="utf-8"))["options"]
    unknown = sorted(options.keys() - {field.name for field in fields(TrainSettings)})
    if unknown:
        raise ValueError(f"{path}: unknown options {', '.join(unknown)}; another version of keras-semisis wrote it.")
    for name in ("image_size", "load_size", "image_range", "id_map", "discriminator_channels", "unconditional_betas",
                 "trunk_size"):
        if options.get(name) is not None:
            options[name] = tuple(options[name])
    if isinstance(options.get("unconditional_channels"), dict):
        options["unconditional_channels"] = {int(k): v for k, v in options["unconditional_channels"].items()}
    return TrainSettings(**options)


def document_of(settings: TrainSettings, label_space, **facts) -> dict[str, Any]:
    """What ``settings.json`` holds: options, versions, the label space, and facts of the run."""
    return {
        "options": asdict(settings),
        "versions": versions(),
        "label_space": label_space.get_config(),
        **facts,
    }
