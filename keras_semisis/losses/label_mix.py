"""LabelMix, the consistency regularization of OASIS."""

from typing import Any

import keras
from keras import ops

from keras_semisis.losses.whole_batch_loss import WholeBatchLoss


def label_mix_mask(label_map: Any, num_classes: int, seed: Any = None) -> Any:
    """A binary mask that follows class borders: every class of the batch goes, by one fair coin, to the real or fake side.

    The published code overwrites the class map while it draws, so that classes 0 and 1 are drawn twice; here every class has
    its own coin.

    Args:
        label_map: Integer ``(B, H, W)``.
        num_classes: Number of label ids.
        seed: Integer or `keras.random.SeedGenerator`.

    Returns:
        float32 ``(B, H, W, 1)``: 1 takes the real image, 0 the generated one.

    Reference: Schönfeld et al. (OASIS), ICLR 2021, section 3.2.

    Example:

    >>> import numpy as np
    >>> mask = ops.convert_to_numpy(label_mix_mask(np.array([[[0, 1], [1, 1]]]), num_classes=2, seed=0))
    >>> bool(np.ptp(mask[0, :, 1]) == 0)  # one class, one side
    True
    """
    coins = ops.cast(keras.random.uniform((num_classes,), seed=seed) < 0.5, "float32")
    return ops.take(coins, ops.cast(label_map, "int32"), axis=0)[..., None]


@keras.saving.register_keras_serializable(package="keras_semisis")
class LabelMixLoss(WholeBatchLoss):
    """Mean squared difference between D of the mixed image and the mix of D of the two images.

    Call arguments:
        y_true: ``(mask, logits_real, logits_fake)``: ``(B, H, W, 1)`` and twice ``(B, H, W, C + 1)``.
        y_pred: D's logits of ``mask * real + (1 - mask) * fake``.

    Reference: Schönfeld et al. (OASIS), ICLR 2021, eq. 4.

    Example:

    >>> mask, logits = ops.ones((1, 2, 2, 1)), ops.ones((1, 2, 2, 3))
    >>> float(LabelMixLoss()((mask, logits, 0 * logits), logits))
    0.0
    """

    def __init__(self, name: str = "label_mix_loss"):
        super().__init__(name)

    def call(self, y_true, y_pred):
        mask, real, fake, mixed = (ops.cast(x, "float32") for x in (*y_true, y_pred))
        return ops.mean(ops.square(mask * real + (1 - mask) * fake - mixed))
