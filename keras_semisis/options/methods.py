"""The methods that `train` offers."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keras_semisis.gans.semantic import SemanticGAN

ON_PAIRS = ("semi_paired", "oasis", "tcr", "spade", "cc_fpse")
SEGMENTING = ("semi_paired", "oasis", "tcr", "usis")
"""Those whose discriminator segments, or a segmenter leads back."""
WITH_JUDGE = ("semi_paired", "usis")
"""Those with a discriminator of photos alone."""


@dataclass(frozen=True)
class Method:
    """A system as `train` offers it.

    Args:
        class_name: Of its class, in `keras_semisis.gans`.
        ratio, sampler, generator: What it has where nothing is said. The ratio is that for benchmarks; of a method that takes
            pairs it is 1 for data of one's own, and where there are further photos or label maps without a partner.
    """

    class_name: str
    ratio: float
    sampler: str
    generator: str | None

    @property
    def system(self) -> type[SemanticGAN]:
        """Its class."""
        from keras_semisis import gans

        return getattr(gans, self.class_name)


METHODS = MappingProxyType(
    {
        "semi_paired": Method("SemiPairedGAN", 0.1, "rare_classes", "wavelet"),
        "oasis": Method("OASIS", 1.0, "uniform", "oasis"),
        "tcr": Method("TCR", 0.1, "uniform", "oasis"),
        "usis": Method("USIS", 0.0, "uniform", "wavelet"),
        "spade": Method("SPADEGAN", 1.0, "uniform", None),
        "cc_fpse": Method("CCFPSE", 1.0, "uniform", None),
    }
)
