"""The divergence of a style from the standard normal distribution."""

import keras
from keras import ops

from keras_semisis.losses.whole_batch_loss import WholeBatchLoss


@keras.saving.register_keras_serializable(package="keras_semisis")
class KLDivergenceLoss(WholeBatchLoss):
    """``KL(N(mu, exp(logvar)) ‖ N(0, 1))``, summed over the style's entries and, as published, over the batch.

    SPADE weighs it by 0.05.

    Call arguments:
        y_true: Not used; None.
        y_pred: ``(mu, logvar)``, what `models.spade_encoder` returns: means ``(B, latent_channels)``, and logarithms of the
            variances, of the same shape.

    Raises:
        ValueError: If ``y_pred`` is no such pair.

    Reference: Kingma and Welling, "Auto-Encoding Variational Bayes", ICLR 2014, appendix B; Park et al. (SPADE), CVPR 2019,
    section 3.1.

    Example:

    >>> float(KLDivergenceLoss()(None, (ops.ones((2, 8)), ops.zeros((2, 8)))))
    8.0
    """

    def __init__(self, name: str = "kl_divergence_loss"):
        super().__init__(name)

    def call(self, y_true, y_pred):
        if not isinstance(y_pred, list | tuple) or len(y_pred) != 2:
            raise ValueError(
                f"KLDivergenceLoss: y_pred is a {type(y_pred).__name__}, but a pair (mu, logvar) is expected. "
                "Call loss(None, (mu, logvar))."
            )
        mu, logvar = (ops.cast(part, "float32") for part in y_pred)
        return 0.5 * ops.sum(ops.square(mu) + ops.exp(logvar) - 1 - logvar)
