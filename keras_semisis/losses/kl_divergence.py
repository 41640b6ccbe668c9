"""The divergence of a style from the standard normal distribution."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_semisis")
class KLDivergenceLoss(keras.losses.Loss):
    """``KL(N(mu, exp(logvar)) ‖ N(0, 1))``, summed over the style's entries and, as published, over the batch.

    SPADE weighs it by 0.05.

    Call arguments:
        mu: Means ``(B, latent_channels)``.
        logvar: Logarithms of the variances, of the same shape.

    Reference: Kingma and Welling, "Auto-Encoding Variational Bayes", ICLR 2014, appendix B; Park et al. (SPADE), CVPR 2019,
    section 3.1.

    Example:

    >>> float(KLDivergenceLoss()(ops.ones((2, 8)), ops.zeros((2, 8))))
    8.0
    """

    def __init__(self, name="kl_divergence_loss"):
        super().__init__(name=name, dtype="float32")

    def __call__(self, mu, logvar, sample_weight=None):
        return self.call(mu, logvar)

    def call(self, mu, logvar):
        mu, logvar = ops.cast(mu, "float32"), ops.cast(logvar, "float32")
        return 0.5 * ops.sum(ops.square(mu) + ops.exp(logvar) - 1 - logvar)

    def get_config(self):
        return {"name": self.name}
