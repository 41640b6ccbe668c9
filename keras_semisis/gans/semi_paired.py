"""SemiPairedGAN: the method of arXiv 2306.13585."""

import keras
import numpy as np
from keras import ops

from keras_semisis import models
from keras_semisis.gans.adversarial import AdversarialModel, _Untracked
from keras_semisis.gans.engines import engine
from keras_semisis.gans.phase import Phase
from keras_semisis.gans.presets import PRESETS
from keras_semisis.losses import (
    CycleLoss,
    FakeLoss,
    FeatureMatchingLoss,
    LabelMixLoss,
    NonSaturatingLoss,
    PerceptualLoss,
    SegmentationLoss,
    label_mix_mask,
    r1_penalty,
)


@keras.saving.register_keras_serializable(package="keras_semisis")
class SemiPairedGAN(AdversarialModel):
    """Learns to turn label maps into photos from few labelled photos and many unlabelled ones.

    Three networks: the generator G; the discriminator D, which segments an image into the C classes and a fake one; the
    unconditional discriminator D_u, which judges whole images. One iteration is the four phases of `phases`.

    Args:
        num_classes: Number of label ids, the don't-care class included.
        image_size: ``(height, width)``. G and D are the deepest that fit: six blocks at multiples of 64, five at 64×96.
        ignore_class: The don't-care id, or None where every pixel counts.
        generator: Model from ``[label_map, noise]`` to images in [-1, 1]; None is `models.wavelet_spade_generator`.
        discriminator: Model from images to logits ``(B, H, W, num_classes + 1)``, fake first; None is
            `models.oasis_discriminator`.
        unconditional_discriminator: Model from images to logits ``(B, 1)``; None is `models.wavelet_discriminator`.
        perceptual: Model from images in [-1, 1] to a list of features, ``"vgg19"`` for `models.vgg19_features`, or None
            for no perceptual loss. It is loaded by `compile`, is no part of a saved model, and is not needed to generate.
        segmentation_weight, fake_weight: Weights of D's two terms, eq. 1, and of G's first, eq. 2 (the former).
        feature_matching_weight, perceptual_weight: λ_fm and λ_vgg, eq. 2.
        cycle_weight, adversarial_weight: Weights of G's two terms on unpaired data, eq. 3.
        label_mix_weight: Weight of LabelMix in D's loss; 0 in the paper.
        r1_gamma, r1_every: γ of D_u's R1 regularisation, ``γ/2 · E‖∇_x D_u(x)‖²``, taken at every k-th step, times k.
        freeze_discriminator: Whether D is frozen in the cycle phase; False is ablation B.
        ema_decay: Decay of the generator's moving average.
        seed: Seed of the noise that training draws.

    Loss weights left at None are those of `compile`'s preset.

    Reference: Eskandar et al., "A Semi-Paired Approach for Label-to-Image Translation", arXiv 2306.13585.

    Example:

    >>> gan = SemiPairedGAN(
    ...     num_classes=4, image_size=(32, 32), perceptual=None,
    ...     generator=models.wavelet_spade_generator(4, (32, 32), base_channels=1, noise_channels=4, num_blocks=3),
    ...     discriminator=models.oasis_discriminator(4, (32, 32), channels=(4, 4), final_channels=4),
    ...     unconditional_discriminator=models.wavelet_discriminator((32, 32), {4: 4, 8: 4, 32: 4}))
    >>> gan.compile()
    >>> gan.generate(np.zeros((1, 32, 32), "uint8")).shape
    (1, 32, 32, 3)
    """

    network_names = ("generator", "discriminator", "unconditional_discriminator")

    def __init__(self, num_classes, image_size, ignore_class=None, generator=None, discriminator=None,
                 unconditional_discriminator=None, perceptual="vgg19", segmentation_weight=1.0, fake_weight=1.0,
                 feature_matching_weight=1.0, perceptual_weight=None, cycle_weight=1.0, adversarial_weight=1.0,
                 label_mix_weight=None, r1_gamma=None, r1_every=None, freeze_discriminator=True, ema_decay=None, seed=0,
                 **kwargs):
        depth = _depth(image_size)
        if generator is None:
            generator = models.wavelet_spade_generator(num_classes, image_size, num_blocks=depth)
        super().__init__(generator, ema_decay=ema_decay, seed=seed, **kwargs)
        widths = (128, 128, 256, 256, 512, 512)[:depth]
        self.discriminator = discriminator or models.oasis_discriminator(num_classes, image_size, channels=widths)
        self.unconditional_discriminator = unconditional_discriminator or models.wavelet_discriminator(image_size)
        self.num_classes = num_classes
        self.image_size = tuple(image_size)
        self.ignore_class = ignore_class
        self.freeze_discriminator = freeze_discriminator
        self._given = {
            "segmentation_weight": segmentation_weight, "fake_weight": fake_weight,
            "feature_matching_weight": feature_matching_weight, "perceptual_weight": perceptual_weight,
            "cycle_weight": cycle_weight, "adversarial_weight": adversarial_weight, "label_mix_weight": label_mix_weight,
            "r1_gamma": r1_gamma, "r1_every": r1_every, "ema_decay": ema_decay,
        }
        self._check_networks()
        self._perceptual = _Untracked(perceptual)
        self._perceptual_origin = perceptual if perceptual in (None, "vgg19") else "given"
        self.segmentation_loss = SegmentationLoss(ignore_class)
        self.fake_loss = FakeLoss()
        self.cycle_loss = CycleLoss(ignore_class)
        self.feature_matching_loss = FeatureMatchingLoss()
        self.adversarial_loss = NonSaturatingLoss()
        self.label_mix_loss = LabelMixLoss()

    def _check_networks(self):
        expected = (*self.image_size, self.num_classes + 1)
        if tuple(self.discriminator.output_shape[1:]) != expected:
            raise ValueError(f"The discriminator returns {tuple(self.discriminator.output_shape[1:])}; expected logits of "
                             f"{expected}: height, width, and num_classes + 1 channels, the fake class first.")
        if tuple(self.generator.output_shape[1:]) != (*self.image_size, 3):
            raise ValueError(f"The generator returns {tuple(self.generator.output_shape[1:])}; expected images of "
                             f"{(*self.image_size, 3)}.")

    # -- the algorithm (arXiv 2306.13585, section 3) --------------------------------------------------------------

    def phases(self):
        """One iteration: D and G on the paired batch, G on the unpaired batch through frozen D and D_u, then D_u."""
        w = self.settings
        cycle_networks = ("generator",) if self.freeze_discriminator else ("generator", "discriminator")
        return (
            Phase("discriminator", ("discriminator",), self.discriminator_terms, {
                "real": w["segmentation_weight"], "fake": w["fake_weight"], "label_mix": w["label_mix_weight"]}),
            Phase("generator", ("generator",), self.generator_terms, {
                "segmentation": w["segmentation_weight"], "feature_matching": w["feature_matching_weight"],
                "perceptual": w["perceptual_weight"] if self.perceptual is not None else 0.0}),
            Phase("cycle", cycle_networks, self.cycle_terms, {
                "segmentation": w["cycle_weight"], "adversarial": w["adversarial_weight"]}),
            Phase("unconditional", ("unconditional_discriminator",), self.unconditional_terms, {
                "fake": 1.0, "real": 1.0, "r1": w["r1_gamma"] / 2 * w["r1_every"]}, every={"r1": w["r1_every"]}),
        )

    def discriminator_terms(self, data, due):
        """Eq. 1: D sorts real pixels into their class and generated pixels into the fake class."""
        (image, label_map), _ = data
        generated = ops.stop_gradient(self.synthesise(label_map))
        real, fake = self.discriminator(image, training=True), self.discriminator(generated, training=True)
        terms = {"real": self.segmentation_loss(label_map, real), "fake": self.fake_loss(label_map, fake)}
        if "label_mix" in due:
            mask = label_mix_mask(label_map, self.num_classes, seed=self.seed_generator)
            mixed = self.discriminator(mask * image + (1 - mask) * generated, training=True)
            terms["label_mix"] = self.label_mix_loss((mask, real, fake), mixed)
        return terms

    def generator_terms(self, data, due):
        """Eq. 2: D takes the generated pixels for their classes, and features match those of the real image."""
        (image, label_map), _ = data
        generated = self.synthesise(label_map)
        logits, *features = _as_list(self._discriminate(generated))
        terms = {"segmentation": self.segmentation_loss(label_map, logits)}
        if "feature_matching" in due:
            _, *real_features = self._discriminate(image)
            terms["feature_matching"] = self.feature_matching_loss(real_features, features)
        if "perceptual" in due:
            terms["perceptual"] = self._perceptual_loss(image, generated)
        return terms

    def cycle_terms(self, data, due):
        """Eq. 3: frozen D leads back to the unpaired label map, and D_u takes the image for a real one."""
        _, (_, label_map) = data
        generated, terms = self.synthesise(label_map), {}
        if "segmentation" in due:
            terms["segmentation"] = self.cycle_loss(label_map, self.discriminator(generated, training=True))
        if "adversarial" in due:
            terms["adversarial"] = self.adversarial_loss(1, self.unconditional_discriminator(generated, training=True))
        return terms

    def unconditional_terms(self, data, due):
        """Eq. 4: D_u tells unpaired photos from images generated for unpaired label maps."""
        _, (image, label_map) = data
        generated = ops.stop_gradient(self.synthesise(label_map))
        judge = self.unconditional_discriminator
        terms = {
            "fake": self.adversarial_loss(0, judge(generated, training=True)),
            "real": self.adversarial_loss(1, judge(image, training=True)),
        }
        if "r1" in due:
            gradient = engine.input_gradient(lambda x: ops.sum(judge(x, training=True)), image)
            terms["r1"] = r1_penalty(gradient)
        return terms

    # -- settings ---------------------------------------------------------------------------------------------------

    def compile(self, generator_optimizer=None, discriminator_optimizer=None, unconditional_optimizer=None,
                preset="paper", metrics=None, statistics_batches=51, jit_compile="auto", run_eagerly=False, **settings):
        """Sets optimisers and loss weights, and loads the perceptual network.

        Args:
            generator_optimizer, discriminator_optimizer, unconditional_optimizer: Keras optimisers; None is
                Adam(β 0, 0.999) at the preset's learning rate.
            preset: ``"paper"`` (learning rate 1e-4 for everything, no LabelMix), or the settings of the published OASIS
                and USIS programs: ``"usis"``, ``"usis_cityscapes"``.
            metrics, statistics_batches, jit_compile, run_eagerly: As in `AdversarialModel.compile`.
            **settings: The constructor's loss weights, ``r1_gamma``, ``r1_every`` and ``ema_decay``: a value given here goes
                before the constructor's, and that before the preset's.

        Raises:
            ValueError: For an unknown preset or setting, or where VGG19 cannot be downloaded.
        """
        if preset not in PRESETS:
            raise ValueError(f"preset={preset!r}: expected one of {', '.join(map(repr, PRESETS))}.")
        unknown = sorted(settings.keys() - self._given.keys())
        if unknown:
            raise ValueError(f"compile: unknown settings {unknown}; those that there are: {sorted(self._given)}.")
        preset = PRESETS[preset]
        resolved = {name: next(v for v in (settings.get(name), own, preset.get(name)) if v is not None)
                    for name, own in self._given.items()}
        optimizers = {
            "generator": generator_optimizer, "discriminator": discriminator_optimizer,
            "unconditional_discriminator": unconditional_optimizer}
        for name, given in optimizers.items():
            adam = keras.optimizers.Adam(preset[f"{name}_learning_rate"], beta_1=0.0, beta_2=0.999)
            optimizers[name] = keras.optimizers.get(given or adam)
        self._configure(optimizers, resolved, metrics=metrics, statistics_batches=statistics_batches,
                        jit_compile=jit_compile, run_eagerly=run_eagerly)
        self._load_perceptual()

    def _configure(self, optimizers, settings, **kwargs):
        self.settings = settings
        self.ema_decay = settings["ema_decay"]
        super().compile(optimizers, **kwargs)
        outputs = [self.discriminator.output]
        if settings["feature_matching_weight"]:
            outputs += models.features(self.discriminator).outputs
        network = keras.Model(self.discriminator.input, outputs)
        # a closure, which Keras does not track: the network's layers are the discriminator's
        self._discriminate = lambda image: network(image, training=True)

    @property
    def perceptual(self):
        """The feature model of the perceptual loss, or None. To be set again on a loaded model that is to train on."""
        return self._perceptual.value

    def __setattr__(self, name, value):
        # Not a property's setter: Keras and PyTorch would track a model assigned to an attribute, and save it
        if name != "perceptual":
            return super().__setattr__(name, value)
        self._perceptual = _Untracked(value)
        self._perceptual_origin = None if value is None else "given"
        self._forget_compiled()

    def _load_perceptual(self):
        if not self.settings["perceptual_weight"] or self.perceptual is None:
            return
        if self.perceptual == "given":
            raise ValueError("This model was trained with a perceptual network of its own, which a saved model does not "
                             "hold. Before going on, set gan.perceptual to that network (or to None).")
        if self.perceptual == "vgg19":
            self._perceptual = _Untracked(models.vgg19_features())
        self._perceptual_loss = PerceptualLoss(self.perceptual)

    # -- use ----------------------------------------------------------------------------------------------------

    def fit(self, x=None, y=None, epochs=1, steps_per_epoch=None, callbacks=None, validation_data=None,
            validation_freq=1, initial_epoch=0, initial_step=None, verbose="auto"):
        """Trains on a paired and an unpaired data set.

        Args:
            x: Paired data set: batches ``(image, label_map)``, float ``(B, H, W, 3)`` in [-1, 1] and integer
                ``(B, H, W)``. From `data.paired_dataset`, or a `tf.data.Dataset`.
            y: Unpaired data set of the same form, whose images and label maps do not belong together. The two may differ
                in length; each repeats by itself.
            epochs, steps_per_epoch, callbacks, initial_epoch, verbose: As in Keras. An epoch without ``steps_per_epoch``
                is one pass over the longer set.
            validation_data: Data set for `evaluate`, run every ``validation_freq`` epochs with the metrics given to
                `compile`; scores are logged with the prefix ``val_``.
            validation_freq: As in Keras.
            initial_step: Step at which to go on, where a run stopped inside an epoch; None is the begin of
                ``initial_epoch``.

        Returns:
            Keras's History: per epoch, the mean of every loss term, named ``"<phase>/<term>"``.

        Raises:
            NonFiniteLossError: If a loss or gradient is not finite, naming phase and term; the last good state is saved.
            DataError: As the data sets raise it.
        """
        if x is None or y is None:
            raise ValueError("SemiPairedGAN.fit needs two data sets: fit(paired_ds, unpaired_ds).")
        self._load_perceptual()
        return self._fit((x, y), epochs=epochs, steps_per_epoch=steps_per_epoch, callbacks=callbacks,
                         validation_data=validation_data, validation_freq=validation_freq, initial_epoch=initial_epoch,
                         initial_step=initial_step, verbose=verbose)

    def segment(self, photos) -> np.ndarray:
        """Label maps of photos: D's arg max over the real classes, the don't-care class left out.

        Args:
            photos: ``(B, H, W, 3)`` or ``(H, W, 3)``, uint8, or float in [-1, 1].

        Returns:
            int32 ``(B, H, W)`` or ``(H, W)``, in the label space's ids.
        """
        photos = np.asarray(photos)
        images = photos if photos.ndim == 4 else photos[None]
        if images.dtype == np.uint8:
            images = images.astype("float32") / 127.5 - 1.0
        logits = np.array(self.discriminator.predict(images, batch_size=8, verbose=0)[..., 1:])
        if self.ignore_class is not None:
            logits[..., self.ignore_class] = -np.inf
        label_maps = logits.argmax(-1).astype("int32")
        return label_maps if photos.ndim == 4 else label_maps[0]

    # -- save ---------------------------------------------------------------------------------------------------

    def get_config(self):
        networks = {name: keras.saving.serialize_keras_object(getattr(self, name)) for name in self.network_names}
        return super().get_config() | self._given | networks | {
            "num_classes": self.num_classes, "image_size": self.image_size, "ignore_class": self.ignore_class,
            "perceptual": self._perceptual_origin, "freeze_discriminator": self.freeze_discriminator, "seed": self.seed}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        networks = {name: keras.saving.deserialize_keras_object(config[name], custom_objects)
                    for name in cls.network_names}
        return cls(**config | networks)

    def get_compile_config(self):
        return {
            "optimizers": {name: keras.saving.serialize_keras_object(o) for name, o in self.optimizers.items()},
            "settings": self.settings, "statistics_batches": self.statistics_batches}

    def compile_from_config(self, config):
        optimizers = {name: keras.saving.deserialize_keras_object(o) for name, o in config["optimizers"].items()}
        self._configure(optimizers, config["settings"], statistics_batches=config["statistics_batches"])


def _depth(image_size):
    """Blocks of the deepest networks, up to the published six, that an image size allows."""
    return max((n for n in range(1, 7) if all(side % 2**n == 0 for side in image_size)), default=1)


def _as_list(outputs):
    return outputs if isinstance(outputs, list) else [outputs]
