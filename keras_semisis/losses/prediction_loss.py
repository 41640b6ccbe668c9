"""What the adversarial losses of predictions on one or several scales have in common."""

from typing import Any

from keras import ops

from keras_semisis.losses.whole_batch_loss import WholeBatchLoss


class PredictionLoss(WholeBatchLoss):
    """Mean of a loss of predictions, averaged over the scales where the discriminator has several."""

    def call(self, y_true, y_pred):
        scales = y_pred if isinstance(y_pred, list | tuple) else [y_pred]
        return sum(ops.mean(self.of_scale(y_true, ops.cast(prediction, "float32"))) for prediction in scales) / len(scales)

    def of_scale(self, real: Any, prediction: Any) -> Any:
        """The loss of each prediction, for an image that is ``real`` (1) or not (0)."""
        raise NotImplementedError
