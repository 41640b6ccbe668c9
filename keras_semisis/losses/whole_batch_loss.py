"""What the losses that give one number a batch have in common."""

from typing import Any

import keras


class WholeBatchLoss(keras.losses.Loss):
    """A loss whose ``call`` gives the one number of a batch, in float32, of whatever structure its arguments are.

    There is no value of one image that a sample weight could weigh: it is refused.

    Args:
        name: Name of the loss.
    """

    def __init__(self, name: str):
        super().__init__(name=name, dtype="float32")

    def __call__(self, y_true, y_pred, sample_weight=None):
        refuse_sample_weight(self, sample_weight)
        return self.call(y_true, y_pred)

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name}


def refuse_sample_weight(loss: keras.losses.Loss, sample_weight: float) -> None:
    """Refuses weights of single images.

    Raises:
        ValueError: If there are any.
    """
    if sample_weight is not None:
        raise ValueError(
            f"{type(loss).__name__}: sample_weight cannot be used, because the loss is one number for the whole "
            "batch. Leave it out; multiply the result to weigh the term."
        )
