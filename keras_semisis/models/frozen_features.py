"""Features of a network that learned elsewhere, as the discriminators on pretrained trunks take them."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_semisis.layers.resize import resize_antialiased
from keras_semisis.models.trunks import TRUNKS, trunk_named

# Photos of which the constants are taken: more change them by less than a percent
_PHOTOS = 128


@keras.saving.register_keras_serializable(package="keras_semisis")
class FrozenFeatures(keras.layers.Layer):
    """Normalized features of a frozen trunk at several depths.

    The features of a trunk's depths differ in scale by orders of magnitude. Each channel is brought to mean 0 and variance 1
    by constants that `adapt` takes from training photos (`fit` of every system does so before its first step), and that the
    layer stores. The gradient goes through to the image; nothing in the layer ever learns.

    Args:
        trunk: Name of the network, one of ``"vgg16"`` and ``"efficientnet_lite0"``.
        taps: Names of its layers whose outputs are taken, from the finest to the coarsest; None is all that
            `keras_semisis.models.trunks.TRUNKS` lists.
        trunk_size: ``(height, width)`` that images are resized to first (bilinear); None feeds them as they are.
        weights: ``"imagenet"``: the trunk's weights are those of an installed package, and a saved model names them by their
            hash instead of holding them. None: random weights, which a saved model holds.
        sha256: Hash of the weights that a saved model was trained with.

    Input shape: ``(B, H, W, 3)`` in [-1, 1].
    Output shape: List of ``(B, h_i, w_i, C_i)``, one a tap.

    Raises:
        ValueError: If there is no such trunk, or the installed weights are others than those that a saved model names.
        ModuleNotFoundError: If the package with the weights is not installed.

    Example:

    >>> layer = FrozenFeatures("vgg16", ("relu1_2", "relu2_2"), weights=None)
    >>> [tuple(x.shape) for x in layer(ops.zeros((1, 16, 32, 3)))]
    [(1, 16, 32, 64), (1, 8, 16, 128)]
    """

    def __init__(
        self,
        trunk: str = "vgg16",
        taps: Sequence[str] | None = None,
        trunk_size: tuple[int, int] | None = None,
        weights: str | None = "imagenet",
        sha256: str | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        known = trunk_named(trunk)
        if weights is not None and sha256 not in (None, known.sha256):
            raise ValueError(
                f"This model was trained on {trunk} with weights of the hash {sha256}; this version of "
                f"keras_semisis has those of {known.sha256}. Install the version that trained it."
            )
        self.trunk = trunk
        self.taps = tuple(known.taps if taps is None else taps)
        self.trunk_size = None if trunk_size is None else (trunk_size[0], trunk_size[1])
        self.weights_of = weights
        network = known.build(weights, self.taps, self.trunk_size, self.dtype_policy)
        network.trainable = False
        # the layer owns the trunk's variables, and no sublayer, so that it decides what a file holds
        self._network = lambda image: network(image, training=False)
        self.trunk_variables = list(network.variables)
        shapes = [output.shape[-1:] for output in network.outputs]
        constant = {"trainable": False, "autocast": False}
        self.means = [
            self.add_weight(name=f"mean_{i}", shape=shape, initializer="zeros", **constant) for i, shape in enumerate(shapes)
        ]
        self.scales = [
            self.add_weight(name=f"scale_{i}", shape=shape, initializer="ones", **constant) for i, shape in enumerate(shapes)
        ]
        self.adapted = self.add_weight(name="adapted", shape=(), initializer="zeros", **constant)

    def build(self, input_shape) -> None:
        self.built = True

    def call(self, image):
        return [
            ops.cast((ops.cast(x, "float32") - mean) * scale, self.compute_dtype)
            for x, mean, scale in zip(self.features(image), self.means, self.scales, strict=True)
        ]

    def features(self, image: Any) -> list:
        """The trunk's own features of images ``(B, H, W, 3)`` in [-1, 1], not normalized."""
        if self.trunk_size is not None and tuple(image.shape[1:3]) != self.trunk_size:
            image = resize_antialiased(image, self.trunk_size)
        outputs = self._network(image)
        return outputs if isinstance(outputs, list) else [outputs]

    def adapt(self, batches: Any) -> None:
        """Takes the constants from photos.

        Args:
            batches: Iterable of batches ``(B, H, W, 3)`` in [-1, 1], as arrays; what lies behind the first 128 photos is not
                read.
        """
        count = 0
        sums: list = []
        squares: list = []
        for batch in batches:
            features = [
                ops.convert_to_numpy(ops.cast(x, "float32")).astype("float64")
                for x in self.features(ops.convert_to_tensor(np.asarray(batch, "float32")))
            ]
            totals = [x.mean((1, 2)).sum(0) for x in features]
            total_squares = [np.square(x).mean((1, 2)).sum(0) for x in features]
            sums = totals if not count else [a + b for a, b in zip(sums, totals, strict=True)]
            squares = total_squares if not count else [a + b for a, b in zip(squares, total_squares, strict=True)]
            count += len(batch)
            if count >= _PHOTOS:
                break
        if not count:
            raise ValueError("FrozenFeatures.adapt: there are no photos.")
        for mean, scale, total, square in zip(self.means, self.scales, sums, squares, strict=True):
            variance = np.maximum(square / count - np.square(total / count), 0.0)
            # a channel that is silent on all photos stays small instead of being blown up
            variance = np.maximum(variance, 1e-2 * max(variance.mean(), 1e-12))
            mean.assign(total / count)
            scale.assign(1.0 / np.sqrt(variance))
        self.adapted.assign(1.0)

    def save_own_variables(self, store):
        for name, variable in self._stored().items():
            store[name] = ops.convert_to_numpy(variable)

    def load_own_variables(self, store):
        for name, variable in self._stored().items():
            variable.assign(store[name])

    def _stored(self):
        stored = {"adapted": self.adapted}
        for i, (mean, scale) in enumerate(zip(self.means, self.scales, strict=True)):
            stored |= {f"mean_{i}": mean, f"scale_{i}": scale}
        if self.weights_of is None:
            stored |= {f"trunk_{i}": variable for i, variable in enumerate(self.trunk_variables)}
        return stored

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {
            "trunk": self.trunk,
            "taps": self.taps,
            "trunk_size": self.trunk_size,
            "weights": self.weights_of,
            "sha256": None if self.weights_of is None else TRUNKS[self.trunk].sha256,
        }


def frozen_features_of(network: keras.Model) -> Sequence[FrozenFeatures]:
    """The layers of a network that hold a frozen trunk; see `FrozenFeatures`.

    >>> frozen_features_of(keras.Sequential([keras.layers.Dense(1)]))
    []
    """
    return [layer for layer in network.layers if isinstance(layer, FrozenFeatures)]
