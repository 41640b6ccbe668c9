"""What the systems of semantic image synthesis have in common: settings, presets, perceptual loss, configuration."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from types import MappingProxyType
from typing import Any

import keras
from keras import ops

from keras_semisis.gans.adversarial import AdversarialModel
from keras_semisis.gans.fitting import refuse
from keras_semisis.gans.presets import PRESETS
from keras_semisis.gans.sampler import Sampler
from keras_semisis.gans.untracked import Untracked
from keras_semisis.losses import PerceptualLoss
from keras_semisis.losses.perceptual_networks import PERCEPTUAL_NETWORKS
from keras_semisis.models.functional import check_functional
from keras_semisis.models.trunk_families import families_of


class SemanticGAN(AdversarialModel):
    """Networks and settings around a list of phases: the base of the published systems.

    A subclass names the data sets that `fit` reads and its default preset, hands its networks and settings to this
    constructor, and returns its algorithm from `phases`. A setting left at None is that of `compile`'s preset.

    Attributes:
        settings: The settings: ``gan.settings.r1_gamma``. `compile` puts the preset's values in the place of None.

    Args:
        num_classes: Number of label ids, the don't-care class included.
        image_size: ``(height, width)``.
        ignore_class: The don't-care id, or None.
        networks: The networks by name, ``"generator"`` among them; one that is None is left out.
        settings: Loss weights and the like.
        perceptual: Feature model, the name of one (a key of `losses.perceptual_networks.PERCEPTUAL_NETWORKS`), or None.
        augmentation: `layers.DiffAugment` of what discriminators see, or None.
        seed: Seed of the noise that training draws.
        trunks: What a saved model has from `trunks`.
        label_space: What the classes mean, `data.LabelSpace`; None takes that of the data sets of the first `fit`. All systems
            take it.
    """

    data_sets: tuple[str, ...] = ("paired_ds",)
    default_preset = "paper"
    optimizer_of: Mapping[str, str] = MappingProxyType({"unconditional_discriminator": "unconditional"})
    takes_instances = False
    _given = Untracked()
    _perceptual = Untracked()
    _perceptual_loss = Untracked()
    _trunks_before = Untracked()

    def __init__(
        self,
        num_classes: int,
        image_size: tuple[int, int],
        ignore_class: int | None,
        networks,
        settings,
        perceptual: str | keras.Model | None = None,
        augmentation: keras.layers.Layer | None = None,
        seed: int = 0,
        trunks=None,
        label_space=None,
        **kwargs,
    ):
        check_functional(networks)
        super().__init__(
            networks["generator"],
            ema_decay=settings.ema_decay,
            seed=seed,
            num_classes=num_classes,
            image_size=image_size,
            **kwargs,
        )
        for name, network in networks.items():
            setattr(self, name, network)
        self.network_names = tuple(name for name, network in networks.items() if network is not None)
        self.ignore_class = ignore_class
        self.label_space = label_space
        self._given = self.settings = settings
        self._take_perceptual(perceptual)
        self._trunks_before = trunks or {}
        if tuple(self.generator.output_shape[1:]) != (*self.image_size, 3):
            raise ValueError(
                f"The generator returns {tuple(self.generator.output_shape[1:])}; expected images of {(*self.image_size, 3)}."
            )
        if self.instance_edges and not self.takes_instances:
            raise ValueError(
                f"The generator reads edges between instances, which {type(self).__name__} does not give it: build it with "
                "instance_edges=False, or train SPADEGAN or CCFPSE."
            )
        if augmentation is not None:
            augmentation.check_fill_class(ignore_class)
            # a file holds what a layer was built for
            augmentation.build([(None, *self.image_size, 3), (None, augmentation.num_random)])
        self.augmentation = augmentation

    # -- the algorithm ----------------------------------------------------------------------------------------------

    def augmented(self, *batches):
        """Images and label maps under one random augmentation, which they share; as they are without one."""
        if self.augmentation is None:
            return batches
        random = keras.random.uniform((ops.shape(batches[0])[0], self.augmentation.num_random), seed=self.seed_generator)
        # the layer computes in its own precision
        return [ops.cast(self.augmentation([x, random]), x.dtype) for x in batches]

    # -- settings ---------------------------------------------------------------------------------------------------

    def compile(  # type: ignore[override]  # of a system its optimizers are known
        self,
        generator_optimizer: Any = None,
        discriminator_optimizer: Any = None,
        unconditional_optimizer: Any = None,
        preset: str | None = None,
        metrics: Any = None,
        statistics_batches: int = 51,
        jit_compile: bool | str = "auto",
        run_eagerly: bool = False,
        **settings,
    ) -> None:
        """Sets optimizers and loss weights, and loads the perceptual network.

        Args:
            generator_optimizer, discriminator_optimizer, unconditional_optimizer: Keras optimizers; None is Adam with the
                preset's learning rate and β. An encoder has a copy of the generator's, a second network that segments one
                of the discriminator's, USIS's decoder one of D_u's. A learning-rate schedule sees the training step,
                however often the network is updated in one.
            preset: ``"paper"`` (learning rate 1e-4 for everything, no LabelMix), the settings of the published programs
                (``"oasis"``, ``"oasis_cityscapes"``, ``"usis"``, ``"usis_cityscapes"``, ``"spade"``), or None for the
                system's own.
            metrics, statistics_batches, jit_compile, run_eagerly: As in `AdversarialModel.compile`.
            **settings: The constructor's settings: a value given here goes before the constructor's, and that before the
                preset's.

        Raises:
            ValueError: For an unknown preset or setting, an optimizer of a network that there is not or that accumulates
                gradients, or where the perceptual network cannot be had.
        """
        preset = self.default_preset if preset is None else preset
        if preset not in PRESETS:
            raise ValueError(f"preset={preset!r}: expected one of {', '.join(map(repr, PRESETS))}.")
        defaults = PRESETS[preset]
        resolved = self._given.resolved(defaults, settings)
        optimizers = self._optimizers_of(
            {
                "generator": generator_optimizer,
                "discriminator": discriminator_optimizer,
                "unconditional": unconditional_optimizer,
            },
            defaults,
        )
        self._configure(
            optimizers,
            resolved,
            metrics=metrics,
            statistics_batches=statistics_batches,
            jit_compile=jit_compile,
            run_eagerly=run_eagerly,
        )
        self._load_perceptual()

    def _optimizers_of(self, given, preset):
        # in one order in every process, which a set of strings has not
        owners = dict.fromkeys(self.optimizer_of.get(name, name) for name in self.network_names)
        for owner, optimizer in given.items():
            if isinstance(optimizer, Mapping) and "class_name" not in optimizer:
                each = ", ".join(f"{name}_optimizer=..." for name in owners)
                raise ValueError(
                    f"compile: {owner}_optimizer is a mapping. {type(self).__name__} takes its optimizers one by one: "
                    f"compile({each})."
                )
        unused = [f"{owner}_optimizer" for owner, optimizer in given.items() if optimizer is not None and owner not in owners]
        if unused:
            raise ValueError(f"compile: {', '.join(unused)}: {type(self).__name__} has no such network.")
        return {
            owner: given[owner] or keras.optimizers.Adam(preset[f"{owner}_learning_rate"], beta_1=0.0, beta_2=preset["beta_2"])
            for owner in owners
        }

    def _configure(self, optimizers, settings, **kwargs):
        self._remember_trunks()
        self.settings = settings
        self.ema_decay = settings.ema_decay
        super().compile(optimizers, **kwargs)

    @Untracked
    def perceptual(self):
        """The feature model of the perceptual loss, its name, or None.

        One that was given as a model is to be set again on a loaded model that is to train on.
        """
        return self._perceptual

    @perceptual.setter  # type: ignore[no-redef]  # mypy knows the setters of `property` itself alone
    def perceptual(self, perceptual):
        self._remember_trunks()
        self._take_perceptual(perceptual)
        self.forget_compiled()

    def _take_perceptual(self, perceptual):
        origin = perceptual if perceptual is None or isinstance(perceptual, str) else "given"
        if origin not in (None, "given", *PERCEPTUAL_NETWORKS):
            raise ValueError(
                f"perceptual={perceptual!r}: expected a model, None, or one of {', '.join(map(repr, PERCEPTUAL_NETWORKS))}."
            )
        self._perceptual, self._perceptual_origin = perceptual, origin

    def _load_perceptual(self):
        if self.perceptual is None or not self.settings.perceptual_weight:
            return
        if self.perceptual == "given":
            raise ValueError(
                "This model was trained with a perceptual network of its own, which a saved model does not "
                "hold. Before going on, set gan.perceptual to that network (or to None)."
            )
        if isinstance(self.perceptual, str):
            self._perceptual = PERCEPTUAL_NETWORKS[self.perceptual].build()
        named = PERCEPTUAL_NETWORKS.get(self._perceptual_origin or "")
        self._perceptual_loss = (PerceptualLoss if named is None else named.loss)(self.perceptual)

    @property
    def trunks(self) -> dict[str, list[str]]:
        """The families of pretrained networks that this model trains with, and has before, by what they stand in.

        ``{"perceptual loss": ["VGG"]}``, for instance. None of them judges the model: see `check_judges`.
        """
        found = {role: set(families) for role, families in self._trunks_before.items()}
        for name in self.network_names:
            found.setdefault(name, set()).update(families_of(getattr(self, name)))
        if getattr(self.settings, "perceptual_weight", None) != 0:
            named = PERCEPTUAL_NETWORKS.get(self._perceptual_origin or "")
            families = families_of(self.perceptual) if named is None else {named.family}
            found.setdefault("perceptual loss", set()).update(families)
        return {role: sorted(families) for role, families in found.items() if families}

    def inherit_trunks(self, other: Sampler) -> None:
        """Remembers what trained another model, whose weights this one begins with."""
        before = self._trunks_before
        self._trunks_before = {
            role: sorted({*before.get(role, ()), *other.trunks.get(role, ())}) for role in {**before, **other.trunks}
        }

    def _remember_trunks(self):
        # what has trained stays a relative of its judges when it is replaced
        if self.step:
            self._trunks_before = self.trunks

    @property
    def perceptual_weight(self) -> float:
        """Weight of the perceptual term; 0 without a perceptual network."""
        return self.settings.perceptual_weight if self.perceptual is not None else 0.0

    # -- use --------------------------------------------------------------------------------------------------------

    def fit(  # type: ignore[override]  # of a system its data sets are known
        self,
        x: Any = None,
        y: Any = None,
        epochs: int = 1,
        steps_per_epoch: int | None = None,
        callbacks: Sequence[keras.callbacks.Callback] | None = None,
        validation_data: Any = None,
        validation_freq: int = 1,
        initial_epoch: int = 0,
        initial_step: int | None = None,
        verbose: int | str = "auto",
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        batch_size: int = 8,
        **others,
    ) -> keras.callbacks.History:
        """Trains on the data sets that the system needs, `data_sets`.

        Args:
            x: The first data set. A paired one has batches ``(image, label_map)``, float ``(B, H, W, 3)`` in [-1, 1] and
                integer ``(B, H, W)``; from `data.paired_dataset`, a `tf.data.Dataset`, a `keras.utils.PyDataset` or another
                iterable of batches; or it is two arrays ``(images, label_maps)``. An unpaired one, from
                `data.unpaired_dataset`, has the same form, but images and label maps do not belong together. Photos may be
                uint8. What is not ours is checked: the first batch whole, the ids of every batch.
            y: The second data set, where the system needs two. They may differ in length; each repeats by itself. Where it
                needs one, x and y may be the two arrays.
            epochs, steps_per_epoch, callbacks, validation_data, validation_freq, initial_epoch, initial_step, verbose, \
            validation_steps, validation_batch_size, batch_size, **others: As in `AdversarialModel.fit`.

        Returns:
            Keras's History, as `AdversarialModel.fit` does.

        Raises:
            ValueError, NonFiniteLossError, DataError: As `AdversarialModel.fit` does.
        """
        refuse("fit", others)
        return self._fit(
            tuple(dataset for dataset in (x, y) if dataset is not None),
            epochs=epochs,
            steps_per_epoch=steps_per_epoch,
            callbacks=callbacks,
            validation_data=validation_data,
            validation_freq=validation_freq,
            initial_epoch=initial_epoch,
            initial_step=initial_step,
            verbose=verbose,
            validation_steps=validation_steps,
            validation_batch_size=validation_batch_size,
            batch_size=batch_size,
        )

    def prepare_fit(self):
        self._load_perceptual()

    # -- save -------------------------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        return (
            super().get_config()
            | asdict(self._given)
            | {
                "perceptual": self._perceptual_origin,
                "trunks": self.trunks,
                "augmentation": self.augmentation and keras.saving.serialize_keras_object(self.augmentation),
            }
        )

    def get_compile_config(self) -> dict[str, Any] | None:
        config = super().get_compile_config()
        return config and config | {"settings": asdict(self.settings)}

    def compile_again(self, optimizers, config: Any):
        self._configure(optimizers, type(self._given)(**config["settings"]), statistics_batches=config["statistics_batches"])


def published_depth(image_size: tuple[int, int]) -> int:
    """Blocks of the deepest networks, up to the published six, that an image size allows."""
    return max((n for n in range(1, 7) if all(side % 2**n == 0 for side in image_size)), default=1)


def published_widths(image_size: tuple[int, int]) -> tuple[int, ...]:
    """Encoder widths of the deepest OASIS discriminator that an image size allows."""
    return (128, 128, 256, 256, 512, 512)[: published_depth(image_size)]
