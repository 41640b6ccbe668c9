"""What a suite trains: the same for every cell, and what sets cells apart."""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

BASELINES = ("oasis", "tcr", "semi_paired")
ABLATIONS = ("A", "B", "C", "D", "E", "F")
# the semi-paired method with other options of `keras-semisis train`, beyond the paper; None is that command's default
_PRETRAINED = {"discriminator": "pretrained", "feature_matching_weight": None}
_PROJECTED = {
    "unconditional": "projected",
    "unconditional_channels": 0.5,
    "unconditional_learning_rate": 2e-4,
    "unconditional_betas": (0.0, 0.99),
    "r1_gamma": None,
    "augmentation": True,
}
_ON_TRUNKS = _PRETRAINED | _PROJECTED
_QUIET_WAVELET = {"generator": "wavelet", "detail_gain": 0.1}
VARIANTS = MappingProxyType(
    {
        "diff_augment": {"augmentation": True},
        "judge_pairs": {"judge_pairs": True},
        "cycle_and_tcr": {"consistency_weight": 10.0},
        "pretrained": _PRETRAINED,
        "projected": _PROJECTED,
        "pretrained_projected": _ON_TRUNKS,
        "confident_cycle": _ON_TRUNKS | {"cycle_confidence": 0.8},
        "diverse": _ON_TRUNKS | {"diversity_weight": 1.0},
        "focal": _ON_TRUNKS | {"focal_gamma": 2.0},
        "pseudo_labels": _ON_TRUNKS | {"pseudo_label_confidence": 0.8},
        "pretrained_projected_decay": _ON_TRUNKS | {"learning_rate_decay": 0.5},
        "pretrained_projected_tcr": _ON_TRUNKS | {"consistency_weight": 10.0},
        "wavelet": {"generator": "wavelet"},
        "wavelet_detail_gain": _QUIET_WAVELET,
        "wavelet_pretrained_projected": _ON_TRUNKS | _QUIET_WAVELET,
    }
)
METHODS = (*BASELINES, "usis", "spade", "cc_fpse", *ABLATIONS, *VARIANTS)
JUDGES = ("alexnet", "unet", "imagenet", "nearest_lpips")
GENERATORS = ("oasis", "wavelet", "published")
TABLES = {1: ("usis", *BASELINES), 2: ("oasis", "semi_paired", *ABLATIONS), 3: ("usis", *BASELINES)}
RATIOS = {1: (0.1, 0.2, 0.4, 0.6, 1.0), 2: (0.2,), 3: (0.005, 0.01, 0.05)}
# USIS has no pairs; SPADE and CC-FPSE, in no table unless they are named, are compared with all of them
ONLY_RATIO = {"usis": 0.0, "spade": 1.0, "cc_fpse": 1.0}

# Settings that only some methods have
ONLY_OF = {
    "feature_matching_weight": ("semi_paired", "A", "B", "D", "E", "F", *VARIANTS),
    "perceptual_weight": ("semi_paired", "A", "B", "C", "E", "F", *VARIANTS),
}


@dataclass(frozen=True)
class Settings:
    """The same for every method: `--data` to `--evaluations` of the command.

    The defaults are the profile for two CPU cores. ``generator`` is that of OASIS, TCR, USIS and the semi-paired method:
    ``"oasis"`` or ``"wavelet"`` for all four, or ``"published"``, OASIS's for the first two and the wavelet for the others. In
    a short run that choice makes more of a difference than the method does, and OASIS's learns faster. ``base_channels`` is
    the wavelet generator's; the others are four times as wide, which makes every block of all equally wide.
    """

    data: str
    profile: str = "cpu"
    image_size: tuple[int, int] = (48, 64)
    # of the training photos before a random crop of the image size, as `keras-semisis train` has it; None is no crop
    load_size: tuple[int, int] | None = None
    steps: int = 2000
    batch_size: int = 8
    precision: str = "mixed_bfloat16"
    generator: str = "oasis"
    base_channels: int = 8
    hidden_channels: int = 64
    noise_channels: int = 16
    discriminator_channels: tuple[int, ...] = (32, 32, 64, 128)
    discriminator_final_channels: int = 32
    unconditional_divisor: int = 8
    generator_learning_rate: float = 4e-4
    discriminator_learning_rate: float = 4e-4
    # D_u's equalized layers learn more slowly the narrower they are: these are for widths of an eighth
    unconditional_learning_rate: float = 5e-3
    unconditional_betas: tuple[float, float] = (0.5, 0.99)
    # 1.25 at 256×512: the fewer the pixels, the larger the gradient's square for the same difference of logits
    r1_gamma: float = 0.03
    ema_decay: float = 0.998
    feature_matching_weight: float = 1.0
    perceptual: str = "vgg16"
    perceptual_weight: float = 0.3
    features: str = "efficientnet_lite0"
    # beside them: Fréchet distances by AlexNet and by the bottleneck of the suite's U-Net, which never saw ImageNet, mIoU by a
    # decoder on EfficientNet-Lite0 that the suite trains, and LPIPS (AlexNet) to the nearest training photo
    judges: tuple[str, ...] = JUDGES
    segmenter_steps: int = 1500
    imagenet_segmenter_steps: int = 800
    augmentation: bool = False
    evaluations: int = 10

    def __post_init__(self):
        if self.generator not in GENERATORS:
            raise ValueError(f"--generator {self.generator}: expected {', '.join(GENERATORS[:-1])} or {GENERATORS[-1]}.")
        unknown = [judge for judge in self.judges if judge not in JUDGES]
        if unknown:
            raise ValueError(f"--judges {' '.join(unknown)}: expected some of {', '.join(JUDGES)}.")

    @property
    def evaluate_every(self) -> int:
        return max(1, self.steps // self.evaluations)


# What a profile has in place of the defaults
PROFILES = {
    "cpu": {},
    "gpu": {
        "image_size": (128, 192),
        "steps": 10_000,
        "generator": "published",
        "base_channels": 16,
        "hidden_channels": 128,
        "noise_channels": 64,
        "discriminator_channels": (64, 64, 128, 128, 256),
        "discriminator_final_channels": 64,
        "unconditional_divisor": 2,
        "unconditional_learning_rate": 3e-3,
        "r1_gamma": 0.25,
        "ema_decay": 0.999,
        "segmenter_steps": 5000,
        "evaluations": 20,
    },
}


@dataclass(frozen=True)
class Cell:
    """One training."""

    method: str
    ratio: float
    seed: int

    @property
    def name(self) -> str:
        return f"{self.method}-r{self.ratio:g}-s{self.seed}"

    def file(self, output: Path) -> Path:
        return output / "cells" / f"{self.name}.json"

    def folder(self, output: Path) -> Path:
        """Where its checkpoints are."""
        return output / "running" / self.name


def cells(methods, ratios, seeds) -> list[Cell]:
    """Every method at every ratio and seed, each cell once; USIS at ratio 0 only, SPADE and CC-FPSE at 1.

    >>> [cell.name for cell in cells(["usis", "oasis", "spade"], [0.1, 0.2], [0])]
    ['usis-r0-s0', 'oasis-r0.1-s0', 'oasis-r0.2-s0', 'spade-r1-s0']
    """
    unknown = [method for method in methods if method not in METHODS]
    if unknown:
        raise ValueError(f"--methods {' '.join(unknown)}: expected some of {', '.join(METHODS)}.")
    return list(
        dict.fromkeys(
            Cell(method, ratio, seed)
            for seed in seeds
            for method in methods
            for ratio in ([ONLY_RATIO[method]] if method in ONLY_RATIO else ratios)
        )
    )


def fix_settings(output: Path, settings: Settings) -> None:
    """Writes the settings of a suite, or checks that they are those of the cells that are there.

    A suite that is older than a setting has its default.

    Raises:
        ValueError: If they differ, naming what does.
    """
    path, document = output / "settings.json", dataclasses.asdict(settings)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(document, indent=1))
        return
    before = dataclasses.asdict(read_settings(output))
    differing = [
        f"{name} ({before[name]!r}, now {value!r})"
        for name, value in document.items()
        if before[name] != value and name != "data"
    ]  # where the data lie is no setting
    if differing:
        raise ValueError(
            f"{path}: its cells were trained with other settings: {', '.join(differing)}. Give these, or another --output."
        )


def read_settings(output: Path, data: str | None = None) -> Settings:
    """The settings of a suite, with the data at another place where one is given."""
    path = output / "settings.json"
    if not path.is_file():
        raise ValueError(f"--output {output}: there is no suite in this folder.")
    document = json.loads(path.read_text())
    document = {name: tuple(value) if isinstance(value, list) else value for name, value in document.items()}
    return Settings(**document | ({"data": data} if data else {}))
