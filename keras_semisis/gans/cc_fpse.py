"""CCFPSE: SPADE's losses on a generator whose kernels the layout predicts and a feature-pyramid discriminator."""

import keras

from keras_semisis import models
from keras_semisis.gans.spade import SPADEGAN


@keras.saving.register_keras_serializable(package="keras_semisis")
class CCFPSE(SPADEGAN):
    """Learns from pairs alone, as `SPADEGAN`, with the networks of CC-FPSE.

    Args: as in `SPADEGAN`; ``generator`` None is `models.cc_fpse_generator`, ``discriminator`` None
    `models.fpse_discriminator`. Both need multiples of 32.

    Reference: Liu et al., "Learning to Predict Layout-to-image Conditional Convolutions for Semantic Image Synthesis",
    NeurIPS 2019.

    Example:

    >>> gan = CCFPSE(
    ...     num_classes=4, image_size=(32, 64), perceptual=None,
    ...     generator=models.cc_fpse_generator(4, (32, 64), base_channels=1, hidden_channels=4),
    ...     discriminator=models.fpse_discriminator(4, (32, 64), base_channels=2))
    >>> gan.compile()
    >>> [phase.name for phase in gan.phases()]
    ['generator', 'discriminator']
    """

    @staticmethod
    def published_generator(
        num_classes: int, image_size: tuple[int, int], latent_channels: int | None, instance_edges: bool
    ) -> keras.Model:
        return models.cc_fpse_generator(num_classes, image_size, latent_channels=latent_channels, instance_edges=instance_edges)

    @staticmethod
    def published_discriminator(num_classes: int, image_size: tuple[int, int], instance_edges: bool) -> keras.Model:
        return models.fpse_discriminator(num_classes, image_size, instance_edges=instance_edges)
