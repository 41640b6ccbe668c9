"""The ablations of arXiv 2306.13585, table 2, as configurations of `SemiPairedGAN`."""

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from keras_semisis import models
from keras_semisis.gans.semantic import published_widths
from keras_semisis.gans.semi_paired import SemiPairedGAN


@dataclass(frozen=True)
class Ablation:
    """What differs from the complete method.

    Args:
        description: In the paper's words.
        arguments: Arguments of `SemiPairedGAN`.
        separate_reverse: Whether a network of its own leads back to the label map.
        sampler: That of `data.paired_dataset`.
    """

    description: str
    arguments: dict[str, Any] = field(default_factory=dict)
    separate_reverse: bool = False
    sampler: str = "rare_classes"


ABLATIONS = MappingProxyType(
    {
        "A": Ablation("a discriminator and a reverse network of their own", separate_reverse=True),
        "B": Ablation("an unfrozen discriminator", {"freeze_discriminator": False}),
        "C": Ablation("no feature matching", {"feature_matching_weight": 0.0}),
        "D": Ablation("no perceptual loss", {"perceptual": None}),
        "E": Ablation("no sampling of rare classes", sampler="uniform"),
        "F": Ablation("sampling of rare classes in the second half", sampler="rare_classes_second_half"),
        "complete": Ablation("the complete method"),
    }
)


def ablation(
    name: str, num_classes: int, image_size: tuple[int, int], ignore_class: int | None = None, **arguments
) -> SemiPairedGAN:
    """The `SemiPairedGAN` of an ablation. E and F differ in the data: give ``ABLATIONS[name].sampler`` to `paired_dataset`.

    Args:
        name: ``"A"`` to ``"F"``, or ``"complete"``.
        num_classes, image_size, ignore_class: As in `SemiPairedGAN`.
        **arguments: Its other arguments; for A, ``reverse`` may be among them, and is `models.oasis_discriminator` by
            default.

    Raises:
        ValueError: If there is no such ablation, or an argument contradicts it.

    Example:

    >>> sorted(ABLATIONS), ABLATIONS["E"].sampler
    (['A', 'B', 'C', 'D', 'E', 'F', 'complete'], 'uniform')
    """
    if name not in ABLATIONS:
        raise ValueError(f"ablation {name!r}: expected one of {', '.join(ABLATIONS)}.")
    chosen = ABLATIONS[name]
    if chosen.separate_reverse and arguments.get("reverse") is None:
        arguments["reverse"] = models.oasis_discriminator(
            num_classes, image_size, channels=published_widths(image_size), name="reverse"
        )
    contradicted = sorted(arguments.keys() & chosen.arguments.keys())
    if contradicted:
        raise ValueError(f"ablation {name!r} sets {', '.join(contradicted)}: leave it out.")
    return SemiPairedGAN(num_classes, image_size, ignore_class, **arguments | chosen.arguments)
