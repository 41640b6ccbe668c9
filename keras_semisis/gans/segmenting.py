"""D as a segmentation network, trained on pairs: what OASIS began and TCR and the semi-paired GAN build on."""

from typing import Any, cast

import keras
from keras import ops

from keras_semisis import models
from keras_semisis.gans.phase import Phase
from keras_semisis.gans.semantic import SemanticGAN
from keras_semisis.gans.untracked import Untracked
from keras_semisis.losses import (
    FakeLoss,
    FeatureMatchingLoss,
    LabelMixLoss,
    SegmentationLoss,
    label_mix_mask,
)


class SegmentingGAN(SemanticGAN):
    """A GAN whose discriminator sorts every pixel into one of C classes or a fake one.

    A batch's part ``paired`` is what it learns from here.
    """

    _logits_and_features = Untracked()  # its layers are D's

    def __init__(
        self,
        num_classes: int,
        image_size: tuple[int, int],
        ignore_class: int | None,
        networks,
        settings,
        focal_gamma: float = 0.0,
        **kwargs,
    ):
        super().__init__(num_classes, image_size, ignore_class, networks, settings, **kwargs)
        expected = (*self.image_size, num_classes + 1)
        if tuple(self.discriminator.output_shape[1:]) != expected:
            raise ValueError(
                f"The discriminator returns {tuple(self.discriminator.output_shape[1:])}; expected logits of "
                f"{expected}: height, width, and num_classes + 1 channels, the fake class first."
            )
        self.segmentation_loss = SegmentationLoss(ignore_class, focal_gamma=focal_gamma)
        self.fake_loss = FakeLoss()
        self.feature_matching_loss = FeatureMatchingLoss()
        self.label_mix_loss = LabelMixLoss()

    # -- the algorithm on pairs -------------------------------------------------------------------------------------

    def discriminator_phase(self) -> Phase:
        w = self.settings
        return Phase(
            "discriminator",
            ("discriminator",),
            self.discriminator_terms,
            {"real": w.segmentation_weight, "fake": w.fake_weight, "label_mix": w.label_mix_weight},
        )

    def generator_phase(self) -> Phase:
        w = self.settings
        return Phase(
            "generator",
            ("generator",),
            self.generator_terms,
            {
                "segmentation": w.segmentation_weight,
                "feature_matching": w.feature_matching_weight,
                "perceptual": self.perceptual_weight,
            },
        )

    def discriminator_terms(self, data: Any, due: Any) -> dict[str, Any]:
        """Eq. 1: D sorts real pixels into their class and generated pixels into the fake class."""
        image, label_map = self.pairs_of(data)
        generated = ops.stop_gradient(self.synthesize(label_map))
        image, generated, label_map = self.augmented(image, generated, label_map)
        real, fake = self.discriminator(image, training=True), self.discriminator(generated, training=True)
        terms = {"real": self.segmentation_loss(label_map, real), "fake": self.fake_loss(label_map, fake)}
        if "label_mix" in due:
            mask = label_mix_mask(label_map, cast(int, self.num_classes), seed=self.seed_generator)
            mixed = self.discriminator(mask * image + (1 - mask) * generated, training=True)
            terms["label_mix"] = self.label_mix_loss((mask, real, fake), mixed)
        return terms

    def generator_terms(self, data: Any, due: Any) -> dict[str, Any]:
        """Eq. 2: D takes the generated pixels for their classes, and features match those of the real image."""
        image, label_map = self.pairs_of(data)
        generated, terms = self.synthesize(label_map), {}
        if "perceptual" in due:
            terms["perceptual"] = self._perceptual_loss(image, generated)
        image, generated, label_map = self.augmented(image, generated, label_map)
        logits, *features = _as_list(self._logits_and_features(generated, training=True))
        terms["segmentation"] = self.segmentation_loss(label_map, logits)
        if "feature_matching" in due:
            _, *real_features = self._logits_and_features(image, training=True)
            terms["feature_matching"] = self.feature_matching_loss(real_features, features)
        return terms

    def pairs_of(self, data: Any) -> tuple[Any, Any]:
        """The images and label maps that D and G learn from as pairs."""
        return data.paired

    # -- the rest ---------------------------------------------------------------------------------------------------

    def _configure(self, optimizers, settings, **kwargs):
        super()._configure(optimizers, settings, **kwargs)
        outputs = [self.discriminator.output]
        if settings.feature_matching_weight:
            outputs += models.features(self.discriminator).outputs
        self._logits_and_features = keras.Model(self.discriminator.input, outputs)

    @property
    def segmenting_network(self):
        return self.discriminator

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"focal_gamma": self.segmentation_loss.focal_gamma}


def _as_list(outputs):
    return outputs if isinstance(outputs, list) else [outputs]
