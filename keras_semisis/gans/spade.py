"""SPADEGAN: the GAN of SPADE (GauGAN), with or without the image encoder that gives it styles."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import keras
from keras import ops

from keras_semisis import models
from keras_semisis.gans.phase import Phase
from keras_semisis.gans.semantic import SemanticGAN
from keras_semisis.gans.settings import SPADESettings
from keras_semisis.gans.untracked import Untracked
from keras_semisis.layers import instance_edges as edges_of
from keras_semisis.losses import FeatureMatchingLoss, HingeLoss, KLDivergenceLoss
from keras_semisis.models.edges import reads_edges


@keras.saving.register_keras_serializable(package="keras_semisis")
class SPADEGAN(SemanticGAN):
    """Learns from pairs alone: hinge loss of a conditional discriminator on several scales, feature matching, VGG.

    With an encoder it is a variational autoencoder: the encoder makes the photo's style of which the generator draws, and
    a style drawn from N(0, 1) generates.

    Args:
        num_classes: Number of label ids, the don't-care class included.
        image_size: ``(height, width)``, multiples of 32 for the default generator.
        ignore_class: The don't-care id, or None. Kept for whoever reads the model; these losses have no classes.
        generator: Model from ``[label_map]``, or ``[label_map, noise]``, to images in [-1, 1]; None is
            `models.spade_generator`, with a latent vector as long as the encoder's where there is one.
        discriminator: Model from ``[label_map, image]`` to a list of predictions, one a scale; None is
            `models.multiscale_discriminator`.
        encoder: Model from photos to ``(mu, logvar)`` of a style, such as `models.spade_encoder`, which learns with G; or
            None.
        perceptual: Model from images in [-1, 1] to a list of features, ``"vgg19"``, or None for no perceptual loss. It is
            loaded by `compile` and is no part of a saved model.
        adversarial_weight: Weight of G's hinge term.
        feature_matching_weight: Weight of the L1 distance of D's features, summed over layers, averaged over scales.
        perceptual_weight: Weight of the perceptual term.
        kl_weight: Weight of the encoder's KL divergence, summed over the batch as published.
        augmentation: `layers.DiffAugment` of what D sees, photos, generated images and label maps alike, or None.
        ema_decay: Decay of the generator's moving average; 0, as published, for none.
        seed: Seed of the noise that training draws.
        instance_edges: Whether generator and discriminator read the edges between instances, as published for data that have
            instance maps. `fit` then takes batches ``(image, label_map, instances)``, as
            ``data.paired_dataset(..., instances=True)`` makes them, and networks that are given have ``edges`` as last input.
        label_space: What the classes mean, `data.LabelSpace`; None takes that of the data sets of the first `fit`.

    Settings left at None are those of `compile`'s preset, by default ``"spade"``.

    Reference: Park et al., "Semantic Image Synthesis with Spatially-Adaptive Normalization", CVPR 2019.

    Example:

    >>> gan = SPADEGAN(
    ...     num_classes=4, image_size=(32, 32), perceptual=None,
    ...     generator=models.spade_generator(4, (32, 32), base_channels=1, hidden_channels=4),
    ...     discriminator=models.multiscale_discriminator(4, (32, 32), base_channels=4))
    >>> gan.compile()
    >>> [phase.name for phase in gan.phases()]
    ['generator', 'discriminator']
    """

    default_preset = "spade"
    optimizer_of: Mapping[str, str] = MappingProxyType({"encoder": "generator"})
    takes_instances = True
    _predictions_and_features = Untracked()  # its layers are D's

    def __init__(
        self,
        num_classes: int,
        image_size: tuple[int, int],
        ignore_class: int | None = None,
        generator: keras.Model | None = None,
        discriminator: keras.Model | None = None,
        encoder: keras.Model | None = None,
        perceptual: str | keras.Model | None = "vgg19",
        adversarial_weight: float = 1.0,
        feature_matching_weight: float = 10.0,
        perceptual_weight: float | None = None,
        kl_weight: float = 0.05,
        augmentation: keras.layers.Layer | None = None,
        ema_decay: float | None = None,
        seed: int = 0,
        instance_edges: bool = False,
        **kwargs,
    ):
        if generator is None:
            latent_channels = None if encoder is None else encoder.output_shape[0][-1]
            generator = self.published_generator(num_classes, image_size, latent_channels, instance_edges)
        if discriminator is None:
            discriminator = self.published_discriminator(num_classes, image_size, instance_edges)
        networks = {"generator": generator, "encoder": encoder, "discriminator": discriminator}
        for name in ("generator", "discriminator"):
            if reads_edges(networks[name]) != instance_edges:
                does, other = ("does not read", False) if instance_edges else ("reads", True)
                raise ValueError(
                    f"{name}= {does} edges between instances, but instance_edges={instance_edges}. Build it with "
                    f"instance_edges={instance_edges}, or give instance_edges={other} to both networks and to "
                    f"{type(self).__name__}."
                )
        settings = SPADESettings(
            adversarial_weight=adversarial_weight,
            feature_matching_weight=feature_matching_weight,
            perceptual_weight=perceptual_weight,
            kl_weight=kl_weight,
            ema_decay=ema_decay,
        )
        super().__init__(
            num_classes,
            image_size,
            ignore_class,
            networks,
            settings,
            perceptual=perceptual,
            augmentation=augmentation,
            seed=seed,
            **kwargs,
        )
        if encoder is not None and self.noise_channels != encoder.output_shape[0][-1]:
            raise ValueError(
                f"The generator takes {self.noise_channels} latent channels, the encoder makes "
                f"{encoder.output_shape[0][-1]}: they must be as many."
            )
        self.discriminator_loss = HingeLoss()
        self.generator_loss = HingeLoss(generator=True)
        self.feature_matching_loss = FeatureMatchingLoss("l1")
        self.kl_loss = KLDivergenceLoss()

    @staticmethod
    def published_generator(
        num_classes: int, image_size: tuple[int, int], latent_channels: int | None, instance_edges: bool
    ) -> keras.Model:
        return models.spade_generator(num_classes, image_size, latent_channels=latent_channels, instance_edges=instance_edges)

    @staticmethod
    def published_discriminator(num_classes: int, image_size: tuple[int, int], instance_edges: bool) -> keras.Model:
        return models.multiscale_discriminator(num_classes, image_size, instance_edges=instance_edges)

    def phases(self) -> Sequence[Phase]:
        """One iteration: G (and the encoder), then D, on the paired batch."""
        w, encodes = self.settings, self.encoder is not None
        return (
            Phase(
                "generator",
                ("generator", "encoder") if encodes else ("generator",),
                self.generator_terms,
                {
                    "adversarial": w.adversarial_weight,
                    "perceptual": self.perceptual_weight,
                    "feature_matching": w.feature_matching_weight / len(self.discriminator.outputs),
                    "kl": w.kl_weight if encodes else 0.0,
                },
            ),
            Phase("discriminator", ("discriminator",), self.discriminator_terms, {"fake": 1.0, "real": 1.0}),
        )

    def generator_terms(self, data: Any, due: Any) -> dict[str, Any]:
        """G passes for real, its image has the photo's features, and the photo's style is one of N(0, 1)."""
        image, label_map, edges = self._pairs(data)
        (generated, style), terms = self.reconstruct(image, label_map, edges), {}
        (fake, fake_features), (_, real_features) = self._discriminate(label_map, edges, generated, image)
        terms["adversarial"] = self.generator_loss(1, fake)
        if "feature_matching" in due:
            terms["feature_matching"] = self.feature_matching_loss(real_features, fake_features)
        if "perceptual" in due:
            terms["perceptual"] = self._perceptual_loss(image, generated)
        if "kl" in due:
            terms["kl"] = self.kl_loss(None, style)
        return terms

    def discriminator_terms(self, data: Any, due: Any) -> dict[str, Any]:
        """D tells photos from generated images, given the label map."""
        image, label_map, edges = self._pairs(data)
        generated, _ = self.reconstruct(image, label_map, edges)
        (fake, _), (real, _) = self._discriminate(label_map, edges, ops.stop_gradient(generated), image)
        return {"fake": self.discriminator_loss(0, fake), "real": self.discriminator_loss(1, real)}

    def _pairs(self, data):
        """Photos, label maps, and the edges between their instances, or None."""
        image, label_map, *instances = data.paired
        return image, label_map, edges_of(instances[0]) if instances else None

    def reconstruct(self, image: Any, label_map: Any, edges: Any = None) -> Any:
        """The generator's images, in the photo's style where there is an encoder, and ``(mu, logvar)`` of that style."""
        if self.encoder is None:
            return self.synthesize(label_map, edges=edges), None
        mu, logvar = (ops.cast(x, "float32") for x in self.encoder(image, training=True))
        style = mu + ops.exp(0.5 * logvar) * keras.random.normal(ops.shape(mu), seed=self.seed_generator)
        return self.generate_from(label_map, style, edges=edges), (mu, logvar)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"instance_edges": self.instance_edges}

    def _configure(self, optimizers, settings, **kwargs):
        super()._configure(optimizers, settings, **kwargs)
        self._predictions_and_features = keras.Model(
            self.discriminator.inputs, [self.discriminator.outputs, models.features(self.discriminator).outputs]
        )

    def _discriminate(self, label_map, edges, generated, image):
        """Predictions and features of both, which go through D as one batch, the generated images first."""
        label_map, generated, image, *edges = self.augmented(label_map, generated, image, *([] if edges is None else [edges]))
        twice = [ops.concatenate([part, part]) for part in (label_map, *edges)]
        both = self._predictions_and_features([twice[0], ops.concatenate([generated, image]), *twice[1:]], training=True)
        return [keras.tree.map_structure(lambda x, i=i: ops.split(x, 2)[i], both) for i in (0, 1)]
