"""SemiPairedGAN: the method of arXiv 2306.13585."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, cast

import keras
from keras import ops

from keras_semisis import models
from keras_semisis.gans.adversarial import average_of
from keras_semisis.gans.batch import batch_class
from keras_semisis.gans.phase import Phase
from keras_semisis.gans.pretext import Cycle
from keras_semisis.gans.pseudo_labels import check_confidence, pseudo_labels
from keras_semisis.gans.segmenting import SegmentingGAN
from keras_semisis.gans.semantic import published_depth, published_widths
from keras_semisis.gans.settings import SemiPairedSettings
from keras_semisis.gans.unconditional import adversarial_losses, unconditional_terms
from keras_semisis.losses import CycleLoss


@keras.saving.register_keras_serializable(package="keras_semisis")
class SemiPairedGAN(SegmentingGAN):
    """Learns to turn label maps into photos from few labeled photos and many unlabeled ones.

    Three networks: the generator G; the discriminator D, which segments an image into the C classes and a fake one; the
    unconditional discriminator D_u, which judges whole images. One iteration is the four phases of `phases`.

    Args:
        num_classes: Number of label ids, the don't-care class included.
        image_size: ``(height, width)``. G and D are the deepest that fit: six blocks at multiples of 64, five at 64×96.
        ignore_class: The don't-care id, or None where every pixel counts.
        generator: Model from ``[label_map, noise]`` to images in [-1, 1]; None is `models.wavelet_spade_generator`.
        discriminator: Model from images to logits ``(B, H, W, num_classes + 1)``, fake first; None is
            `models.oasis_discriminator`.
        unconditional_discriminator: Model from images to logits, ``(B, 1)`` or of patches; None is
            `models.wavelet_discriminator`.
        reverse: Model like D that leads from generated images back to label maps and learns together with G on unpaired
            data (ablation A); None leaves that to D.
        perceptual: Model from images in [-1, 1] to a list of features, ``"vgg19"`` for `models.vgg19_features`, or None
            for no perceptual loss. It is loaded by `compile`, is no part of a saved model, and is not needed to generate.
        segmentation_weight, fake_weight: Weights of D's two terms, eq. 1, and of G's first, eq. 2 (the former).
        feature_matching_weight, perceptual_weight: λ_fm and λ_vgg, eq. 2.
        cycle_weight, adversarial_weight: Weights of G's two terms on unpaired data, eq. 3.
        label_mix_weight: Weight of LabelMix in D's loss; 0 in the paper.
        focal_gamma: γ of the focal weights of D's and G's segmentation terms, `losses.SegmentationLoss`; 0 in the paper.
        r1_gamma, r1_every: γ of D_u's R1 regularization, ``γ/2 · E‖∇_x D_u(x)‖²``, taken at every k-th step, times k.
        freeze_discriminator: Whether D is frozen on unpaired data; False is ablation B.
        pretext: What G learns from unpaired label maps beside D_u's judgment: a list of tasks of `gans.pretext`. The
            paper's is ``[Cycle()]``, which None stands for; ``[Cycle(), TCR()]`` adds transformation consistency.
        judge_pairs: Whether D_u sees the paired batch as well, and G its judgment there. The paper tried it without gain.
        pseudo_label_confidence: In [0, 1): unpaired photos are pairs, too, with what D's moving average segments in them;
            pixels of which it gives no class this probability are don't-care. None, as in the paper, leaves them unpaired.
        adversarial_loss: ``"non_saturating"``, eq. 3 and 4, or ``"hinge"``, which `models.projected_discriminator` wants.
        augmentation: `layers.DiffAugment` of what D and D_u see, real and generated alike, or None. Where pairs are very
            few the discriminators learn them by heart without.
        ema_decay: Decay of the generator's moving average.
        seed: Seed of the noise that training draws.
        label_space: What the classes mean, `data.LabelSpace`; None takes that of the data sets of the first `fit`.

    Settings left at None are those of `compile`'s preset, by default ``"paper"``.

    Reference: Eskandar et al., "A Semi-Paired Approach for Label-to-Image Translation", arXiv 2306.13585.

    Example:

    >>> import numpy as np
    >>> gan = SemiPairedGAN(
    ...     num_classes=4, image_size=(32, 32), perceptual=None,
    ...     generator=models.wavelet_spade_generator(4, (32, 32), base_channels=1, noise_channels=4, num_blocks=3),
    ...     discriminator=models.oasis_discriminator(4, (32, 32), channels=(4, 4), final_channels=4),
    ...     unconditional_discriminator=models.wavelet_discriminator((32, 32), {4: 4, 8: 4, 32: 4}))
    >>> gan.compile()
    >>> gan.generate(np.zeros((1, 32, 32), "uint8")).shape
    (1, 32, 32, 3)
    """

    data_sets = ("paired_ds", "unpaired_ds")
    optimizer_of: Mapping[str, str] = MappingProxyType({**SegmentingGAN.optimizer_of, "reverse": "discriminator"})

    def __init__(
        self,
        num_classes: int,
        image_size: tuple[int, int],
        ignore_class: int | None = None,
        generator: keras.Model | None = None,
        discriminator: keras.Model | None = None,
        unconditional_discriminator: keras.Model | None = None,
        reverse: keras.Model | None = None,
        perceptual: str | keras.Model | None = "vgg19",
        segmentation_weight: float = 1.0,
        fake_weight: float = 1.0,
        feature_matching_weight: float = 1.0,
        perceptual_weight: float | None = None,
        cycle_weight: float = 1.0,
        adversarial_weight: float = 1.0,
        label_mix_weight: float | None = None,
        focal_gamma: float = 0.0,
        r1_gamma: float | None = None,
        r1_every: int | None = None,
        freeze_discriminator: bool = True,
        pretext: Sequence | None = None,
        judge_pairs: bool = False,
        pseudo_label_confidence: float | None = None,
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
            "discriminator": discriminator
            or models.oasis_discriminator(num_classes, image_size, channels=published_widths(image_size)),
            "unconditional_discriminator": unconditional_discriminator or models.wavelet_discriminator(image_size),
            "reverse": reverse,
        }
        settings = SemiPairedSettings(
            segmentation_weight=segmentation_weight,
            fake_weight=fake_weight,
            feature_matching_weight=feature_matching_weight,
            perceptual_weight=perceptual_weight,
            cycle_weight=cycle_weight,
            adversarial_weight=adversarial_weight,
            label_mix_weight=label_mix_weight,
            r1_gamma=r1_gamma,
            r1_every=r1_every,
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
        self.freeze_discriminator = freeze_discriminator
        self.pretext = [Cycle()] if pretext is None else list(pretext)
        names = [task.name for task in self.pretext] + ["adversarial"]
        if len(set(names)) < len(names):
            raise ValueError(
                f"pretext: the terms of the phase are called {', '.join(names)}, and two of them would be one. "
                "Give each task a name of its own."
            )
        self.judge_pairs = judge_pairs
        self.pseudo_label_confidence = pseudo_label_confidence
        self.ema_discriminator: Any = None
        if pseudo_label_confidence is not None:
            check_confidence(pseudo_label_confidence, ignore_class)
            self.ema_discriminator = average_of(self.discriminator)
        self.cycle_loss = CycleLoss(ignore_class)
        self.adversarial_loss = adversarial_loss
        self._critic_loss, self._adversarial_loss = adversarial_losses(adversarial_loss)

    # -- the algorithm (arXiv 2306.13585, section 3); eq. 1 and 2 are `SegmentingGAN`'s -----------------------------

    def phases(self) -> Sequence[Phase]:
        """One iteration: D and G on the paired batch, G on the unpaired batch through frozen D and D_u, then D_u."""
        w = self.settings
        on_unpaired = ["generator"]
        if self.reverse is not None:
            on_unpaired.append("reverse")
        elif not self.freeze_discriminator:
            on_unpaired.append("discriminator")
        tasks = {task.name: w.cycle_weight if task.weight is None else task.weight for task in self.pretext}
        return (
            self.discriminator_phase(),
            self.generator_phase(),
            Phase("unpaired", tuple(on_unpaired), self.unpaired_terms, tasks | {"adversarial": w.adversarial_weight}),
            Phase(
                "unconditional",
                ("unconditional_discriminator",),
                self.unconditional_terms,
                {"fake": 1.0, "real": 1.0, "r1": w.r1_gamma / 2 * w.r1_every},
                every={"r1": w.r1_every},
            ),
        )

    def batch(self, data: Any) -> Any:
        """The batches by name, and ``guessed``, the pseudo-labels of the unpaired photos, where they have some."""
        data = super().batch(data)
        if self.pseudo_label_confidence is None:
            return data
        parts = *data, self.run("pseudo_labels", self._guess, data.unpaired[0])
        return batch_class((*self.data_sets, "guessed"))(*parts)

    def _guess(self, photos):
        logits = self.ema_discriminator(photos, training=False)
        return pseudo_labels(logits, cast(float, self.pseudo_label_confidence), cast(int, self.ignore_class))

    def pairs_of(self, data: Any) -> tuple[Any, Any]:
        """The paired batch, and behind it the unpaired photos where they have pseudo-labels."""
        if self.pseudo_label_confidence is None:
            return data.paired
        image, label_map = data.paired
        guessed = ops.cast(data.guessed, label_map.dtype)
        return ops.concatenate([image, data.unpaired[0]]), ops.concatenate([label_map, guessed])

    def moving_averages(self) -> dict[str, keras.Model]:
        averages = super().moving_averages()
        return averages if self.ema_discriminator is None else averages | {"discriminator": self.ema_discriminator}

    def unpaired_terms(self, data: Any, due: Any) -> dict[str, Any]:
        """Eq. 3: frozen D leads back to the unpaired label map, and D_u takes the image for a real one."""
        _, label_map = data.unpaired
        noise = self.draw_noise(label_map)
        generated = self.generate_from(label_map, noise)
        terms = {task.name: task(self, label_map, noise, generated) for task in self.pretext if task.name in due}
        if "adversarial" in due:
            if self.judge_pairs:
                generated = ops.concatenate([generated, self.synthesize(data.paired[1])])
            terms["adversarial"] = self._adversarial_loss(1, self._judge(*self.augmented(generated)))
        return terms

    def unconditional_terms(self, data: Any, due: Any) -> dict[str, Any]:
        """Eq. 4: D_u tells unpaired photos from images generated for unpaired label maps."""
        image, label_map = data.unpaired
        if self.judge_pairs:
            image, label_map = ops.concatenate([data.paired[0], image]), ops.concatenate([data.paired[1], label_map])
        image, generated = self.augmented(image, self.synthesize(label_map))
        return unconditional_terms(self.unconditional_discriminator, self._critic_loss, image, generated, due)

    def _judge(self, image):
        return self.unconditional_discriminator(image, training=True)

    # -- save -------------------------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {
            "freeze_discriminator": self.freeze_discriminator,
            "judge_pairs": self.judge_pairs,
            "pseudo_label_confidence": self.pseudo_label_confidence,
            "adversarial_loss": self.adversarial_loss,
            "pretext": [keras.saving.serialize_keras_object(task) for task in self.pretext],
        }
