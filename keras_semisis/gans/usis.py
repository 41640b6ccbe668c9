"""USIS: no pairs at all; a segmenter that learns on generated images, and an unconditional discriminator."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import keras
from keras import ops

from keras_semisis import models
from keras_semisis.gans.phase import Phase
from keras_semisis.gans.semantic import SemanticGAN, published_depth, published_widths
from keras_semisis.gans.settings import USISSettings
from keras_semisis.gans.unconditional import adversarial_losses, unconditional_terms
from keras_semisis.gans.untracked import Untracked
from keras_semisis.losses import CycleLoss


@keras.saving.register_keras_serializable(package="keras_semisis")
class USIS(SemanticGAN):
    """Learns from photos and label maps that do not belong together.

    G and the segmenter S learn together that S leads from a generated image back to its label map; D_u sees to it that the
    image looks like a photo.

    Args:
        num_classes: Number of label ids, the don't-care class included.
        image_size: ``(height, width)``. G and S are the deepest that fit.
        ignore_class: The don't-care id, or None where every pixel counts.
        generator: Model from ``[label_map, noise]`` to images in [-1, 1]; None is `models.wavelet_spade_generator`.
        segmenter: Model from images to logits ``(B, H, W, num_classes + 1)``, of which the first is not used; None is
            `models.oasis_discriminator`, which the published program takes.
        unconditional_discriminator: Model from images to logits, such as `models.wavelet_discriminator` (None) or
            `models.stylegan2_discriminator`, whole or in tiles.
        decoder: `models.wavelet_decoder`, which learns with D_u to rebuild photos from D_u's features, or None. Its
            inputs are those features.
        segmentation_weight, adversarial_weight: Weights of G's two terms.
        reconstruction_weight: Weight of the decoder's ``E|x - decoder(features(x))|``.
        r1_gamma, r1_every: γ of D_u's R1 regularization, ``γ/2 · E‖∇_x D_u(x)‖²``, taken at every k-th step, times k.
        adversarial_loss: ``"non_saturating"``, or ``"hinge"``, which `models.projected_discriminator` wants.
        augmentation: `layers.DiffAugment` of what D_u sees, real and generated alike, or None.
        ema_decay: Decay of the generator's moving average.
        seed: Seed of the noise that training draws.
        label_space: What the classes mean, `data.LabelSpace`; None takes that of the data sets of the first `fit`.

    Settings left at None are those of `compile`'s preset, by default ``"usis"``. The published program weighs D_u's
    adversarial loss by 4; Adam makes that a matter of R1's relative weight, which ``r1_gamma`` has.

    Reference: Eskandar et al., "Wavelet-based unsupervised label-to-image translation", ICASSP 2022.

    Example:

    >>> gan = USIS(
    ...     num_classes=4, image_size=(32, 32),
    ...     generator=models.wavelet_spade_generator(4, (32, 32), base_channels=1, noise_channels=4, num_blocks=3),
    ...     segmenter=models.oasis_discriminator(4, (32, 32), channels=(4, 4), final_channels=4),
    ...     unconditional_discriminator=models.wavelet_discriminator((32, 32), {4: 4, 8: 4, 32: 4}))
    >>> gan.compile()
    >>> [phase.name for phase in gan.phases()]
    ['unpaired', 'unconditional']
    """

    data_sets = ("unpaired_ds",)
    default_preset = "usis"
    optimizer_of: Mapping[str, str] = MappingProxyType(
        {**SemanticGAN.optimizer_of, "segmenter": "discriminator", "decoder": "unconditional"}
    )
    _features = Untracked()  # its layers are D_u's

    def __init__(
        self,
        num_classes: int,
        image_size: tuple[int, int],
        ignore_class: int | None = None,
        generator: keras.Model | None = None,
        segmenter: keras.Model | None = None,
        unconditional_discriminator: keras.Model | None = None,
        decoder: keras.Model | None = None,
        segmentation_weight: float = 1.0,
        adversarial_weight: float = 1.0,
        reconstruction_weight: float = 1.0,
        r1_gamma: float | None = None,
        r1_every: int | None = None,
        adversarial_loss: str = "non_saturating",
        augmentation: keras.layers.Layer | None = None,
        ema_decay: float | None = None,
        seed: int = 0,
        **kwargs,
    ):
        if generator is None:
            generator = models.wavelet_spade_generator(num_classes, image_size, num_blocks=published_depth(image_size))
        networks = {
            "generator": generator,
            "segmenter": segmenter
            or models.oasis_discriminator(num_classes, image_size, channels=published_widths(image_size), name="segmenter"),
            "unconditional_discriminator": unconditional_discriminator or models.wavelet_discriminator(image_size),
            "decoder": decoder,
        }
        settings = USISSettings(
            segmentation_weight=segmentation_weight,
            adversarial_weight=adversarial_weight,
            reconstruction_weight=reconstruction_weight,
            r1_gamma=r1_gamma,
            r1_every=r1_every,
            ema_decay=ema_decay,
        )
        super().__init__(
            num_classes, image_size, ignore_class, networks, settings, augmentation=augmentation, seed=seed, **kwargs
        )
        self.cycle_loss = CycleLoss(ignore_class)
        self.adversarial_loss = adversarial_loss
        self._critic_loss, self._adversarial_loss = adversarial_losses(adversarial_loss)

    def phases(self) -> Sequence[Phase]:
        """One iteration: G with the segmenter, then D_u (with the decoder)."""
        w = self.settings
        judges = ("unconditional_discriminator",) + (("decoder",) if self.decoder is not None else ())
        return (
            Phase(
                "unpaired",
                ("generator", "segmenter"),
                self.unpaired_terms,
                {"segmentation": w.segmentation_weight, "adversarial": w.adversarial_weight},
            ),
            Phase(
                "unconditional",
                judges,
                self.unconditional_terms,
                {
                    "fake": 1.0,
                    "real": 1.0,
                    "r1": w.r1_gamma / 2 * w.r1_every,
                    "reconstruction": w.reconstruction_weight if self.decoder is not None else 0.0,
                },
                every={"r1": w.r1_every},
            ),
        )

    def unpaired_terms(self, data: Any, due: Any) -> dict[str, Any]:
        """S leads back to the label map, and D_u takes the image for a real one."""
        _, label_map = data.unpaired
        generated = self.synthesize(label_map)
        return {
            "segmentation": self.cycle_loss(label_map, self.segmenter(generated, training=True)),
            "adversarial": self._adversarial_loss(1, self._judge(*self.augmented(generated))),
        }

    def unconditional_terms(self, data: Any, due: Any) -> dict[str, Any]:
        """D_u tells photos from generated images, and keeps what the decoder rebuilds photos from."""
        image, label_map = data.unpaired
        image, generated = self.augmented(image, self.synthesize(label_map))
        terms = unconditional_terms(self.unconditional_discriminator, self._critic_loss, image, generated, due)
        if "reconstruction" in due:
            rebuilt = ops.cast(self.decoder(self._features(image, training=True), training=True), image.dtype)
            terms["reconstruction"] = ops.mean(ops.abs(image - rebuilt))
        return terms

    def _judge(self, image):
        return self.unconditional_discriminator(image, training=True)

    def _configure(self, optimizers, settings, **kwargs):
        super()._configure(optimizers, settings, **kwargs)
        if self.decoder is not None:
            self._features = models.features(self.unconditional_discriminator)

    @property
    def segmenting_network(self):
        return self.segmenter

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["perceptual"]  # which compares with the photo of a pair
        return config | {"adversarial_loss": self.adversarial_loss}
