"""OASIS: D segments, G makes it see the classes; no other loss."""

from collections.abc import Sequence

import keras

from keras_semisis import models
from keras_semisis.gans.phase import Phase
from keras_semisis.gans.segmenting import SegmentingGAN
from keras_semisis.gans.semantic import published_depth, published_widths
from keras_semisis.gans.settings import OASISSettings


@keras.saving.register_keras_serializable(package="keras_semisis")
class OASIS(SegmentingGAN):
    """Learns from pairs alone: a discriminator that segments, and LabelMix.

    Args:
        num_classes: Number of label ids, the don't-care class included.
        image_size: ``(height, width)``, multiples of 2. G and D are the deepest that fit: six blocks of G at multiples of 32,
            six of D at multiples of 64.
        ignore_class: The don't-care id, or None where every pixel counts.
        generator: Model from ``[label_map, noise]`` to images in [-1, 1]; None is `models.oasis_generator`.
        discriminator: Model from images to logits ``(B, H, W, num_classes + 1)``, fake first; None is
            `models.oasis_discriminator`.
        perceptual: Model from images in [-1, 1] to a list of features, ``"vgg19"``, or, as published, None for no
            perceptual loss. It is loaded by `compile` and is no part of a saved model.
        segmentation_weight, fake_weight: Weights of D's two terms, and of G's first (the former).
        feature_matching_weight, perceptual_weight: Weights of two terms that OASIS does without.
        label_mix_weight: Weight of LabelMix.
        focal_gamma: γ of the focal weights of D's and G's segmentation terms, `losses.SegmentationLoss`; 0 in the paper.
        augmentation: `layers.DiffAugment` of what D sees, or None.
        ema_decay: Decay of the generator's moving average.
        seed: Seed of the noise that training draws.
        label_space: What the classes mean, `data.LabelSpace`; None takes that of the data sets of the first `fit`.

    Settings left at None are those of `compile`'s preset, by default ``"oasis"``.

    Reference: Schönfeld et al., "You Only Need Adversarial Supervision for Semantic Image Synthesis", ICLR 2021.

    Example:

    >>> gan = OASIS(
    ...     num_classes=4, image_size=(32, 32),
    ...     generator=models.oasis_generator(4, (32, 32), base_channels=1, noise_channels=4),
    ...     discriminator=models.oasis_discriminator(4, (32, 32), channels=(4, 4), final_channels=4))
    >>> gan.compile()
    >>> [phase.name for phase in gan.phases()]
    ['discriminator', 'generator']
    """

    default_preset = "oasis"

    def __init__(
        self,
        num_classes: int,
        image_size: tuple[int, int],
        ignore_class: int | None = None,
        generator: keras.Model | None = None,
        discriminator: keras.Model | None = None,
        perceptual: str | keras.Model | None = None,
        segmentation_weight: float = 1.0,
        fake_weight: float = 1.0,
        feature_matching_weight: float = 0.0,
        perceptual_weight: float | None = None,
        label_mix_weight: float | None = None,
        focal_gamma: float = 0.0,
        augmentation: keras.layers.Layer | None = None,
        ema_decay: float | None = None,
        seed: int = 0,
        **kwargs,
    ):
        if generator is None:
            generator = models.oasis_generator(num_classes, image_size, num_blocks=min(published_depth(image_size) + 1, 6))
        if discriminator is None:
            discriminator = models.oasis_discriminator(num_classes, image_size, channels=published_widths(image_size))
        networks = {"generator": generator, "discriminator": discriminator}
        settings = OASISSettings(
            segmentation_weight=segmentation_weight,
            fake_weight=fake_weight,
            feature_matching_weight=feature_matching_weight,
            perceptual_weight=perceptual_weight,
            label_mix_weight=label_mix_weight,
            ema_decay=ema_decay,
        )
        super().__init__(
            num_classes,
            image_size,
            ignore_class,
            networks,
            settings,
            focal_gamma=focal_gamma,
            perceptual=perceptual,
            augmentation=augmentation,
            seed=seed,
            **kwargs,
        )

    def phases(self) -> Sequence[Phase]:
        """One iteration: D, then G, on the paired batch."""
        return self.discriminator_phase(), self.generator_phase()
