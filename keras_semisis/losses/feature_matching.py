"""Feature matching."""

from typing import Any

import keras
from keras import ops

from keras_semisis.losses.whole_batch_loss import WholeBatchLoss

DISTANCES = {"l1": ops.abs, "mse": ops.square}


@keras.saving.register_keras_serializable(package="keras_semisis")
class FeatureMatchingLoss(WholeBatchLoss):
    """Mean difference, squared or absolute, of D's features of the real and of the generated image, summed over D's layers.

    FM of eq. 2. The features are those of `keras_semisis.models.features`: every block of D, its last layer left out.
    The real side gets no gradient.

    Args:
        distance: ``"mse"``, or ``"l1"`` as in pix2pixHD and SPADE (which weigh it by 10 / number of scales).
        name: Name of the loss.

    Call arguments:
        y_true: List of features of the real image, or a list of such lists, one a scale.
        y_pred: Those of the generated image, of the same shapes.

    Raises:
        ValueError: If ``distance`` is unknown.

    Reference: arXiv 2306.13585, eq. 2; Wang et al. (pix2pixHD), CVPR 2018, eq. 4.

    Example:

    >>> import numpy as np
    >>> float(FeatureMatchingLoss()([np.zeros((1, 2, 2, 3))], [np.full((1, 2, 2, 3), 2.0)]))
    4.0
    """

    def __init__(self, distance: str = "mse", name: str = "feature_matching_loss"):
        super().__init__(name)
        if distance not in DISTANCES:
            raise ValueError(f"distance={distance!r}: expected one of {', '.join(map(repr, DISTANCES))}.")
        self.distance = distance

    def call(self, y_true, y_pred):
        distance = DISTANCES[self.distance]
        return sum(
            ops.mean(distance(ops.stop_gradient(_float32(real)) - _float32(fake)))
            for real, fake in zip(keras.tree.flatten(y_true), keras.tree.flatten(y_pred), strict=True)
        )

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"distance": self.distance}


def _float32(x):
    return ops.cast(x, "float32")
