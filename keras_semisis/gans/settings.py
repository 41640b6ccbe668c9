"""The settings of each system: the weights of its losses and the like, one frozen dataclass a system."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Self


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What `compile` decides of every system. A value of None is that of a preset of `gans.PRESETS`.

    Args:
        ema_decay: Decay of the generator's moving average.

    Example:

    >>> from keras_semisis.gans import PRESETS
    >>> settings = OASISSettings(segmentation_weight=1.0, fake_weight=1.0, feature_matching_weight=0.0, perceptual_weight=None,
    ...                          label_mix_weight=None, ema_decay=None)
    >>> settings.resolved(PRESETS["oasis"], {"ema_decay": 0.99}).label_mix_weight
    10.0
    """

    ema_decay: float | None

    def resolved(self, preset: Mapping[str, Any], given: Mapping[str, Any]) -> Self:
        """These settings without any None: what is given goes before what they say, and that before the preset.

        Raises:
            ValueError: If a given one is unknown, or one is nowhere said.
        """
        names = [field.name for field in fields(self)]
        unknown = sorted(given.keys() - names)
        if unknown:
            raise ValueError(f"compile: unknown settings {unknown}; those that there are: {sorted(names)}.")
        settings = replace(self, **{name: value for name, value in given.items() if value is not None})
        open_ = [name for name in names if getattr(settings, name) is None]
        missing = sorted(name for name in open_ if preset.get(name) is None)
        if missing:
            raise ValueError(f"compile: this preset has no {', '.join(missing)}; give {'it' if len(missing) == 1 else 'them'}.")
        return replace(settings, **{name: preset[name] for name in open_})

    def __getitem__(self, name: str) -> Any:
        # settings were a dict before: settings["ema_decay"] is settings.ema_decay
        if name not in (field.name for field in fields(self)):
            raise KeyError(name)
        return getattr(self, name)


@dataclass(frozen=True, kw_only=True)
class OASISSettings(Settings):
    """Those of `OASIS`, `TCR`, and of whatever has a discriminator that segments.

    Args:
        segmentation_weight, fake_weight: Weights of D's two terms, and of G's first (the former).
        feature_matching_weight, perceptual_weight: Weights of G's other terms.
        label_mix_weight: Weight of LabelMix in D's loss.
    """

    segmentation_weight: float
    fake_weight: float
    feature_matching_weight: float
    perceptual_weight: float | None
    label_mix_weight: float | None


@dataclass(frozen=True, kw_only=True)
class SemiPairedSettings(OASISSettings):
    """Those of `SemiPairedGAN`.

    Args:
        cycle_weight, adversarial_weight: Weights of G's terms on unpaired data.
        r1_gamma, r1_every: γ of D_u's R1 regularization, and the number of steps from one time to the next.
    """

    cycle_weight: float
    adversarial_weight: float
    r1_gamma: float | None
    r1_every: int | None


@dataclass(frozen=True, kw_only=True)
class USISSettings(Settings):
    """Those of `USIS`.

    Args:
        segmentation_weight, adversarial_weight: Weights of G's two terms.
        reconstruction_weight: Weight of the decoder's term.
        r1_gamma, r1_every: γ of D_u's R1 regularization, and the number of steps from one time to the next.
    """

    segmentation_weight: float
    adversarial_weight: float
    reconstruction_weight: float
    r1_gamma: float | None
    r1_every: int | None


@dataclass(frozen=True, kw_only=True)
class SPADESettings(Settings):
    """Those of `SPADEGAN` and `CCFPSE`.

    Args:
        adversarial_weight, feature_matching_weight, perceptual_weight: Weights of G's terms.
        kl_weight: Weight of the encoder's KL divergence.
    """

    adversarial_weight: float
    feature_matching_weight: float
    perceptual_weight: float | None
    kl_weight: float
