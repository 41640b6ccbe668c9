"""What the systems of semantic image synthesis have in common: settings, presets, perceptual loss, configuration."""

import warnings
from dataclasses import replace

import keras
import numpy as np
from keras import ops

from keras_semisis.data import DataError
from keras_semisis.data.batch_rule import host_array
from keras_semisis.gans.adversarial import AdversarialModel, Untracked
from keras_semisis.gans.presets import PRESETS
from keras_semisis.losses import PerceptualLoss
from keras_semisis.losses.perceptual_networks import PERCEPTUAL_NETWORKS
from keras_semisis.models.trunk_families import families_of

# Whose optimiser a network has: its own, or a copy of that of the network that it learns beside
_OPTIMIZER_OF = {
    "generator": "generator", "encoder": "generator",
    "discriminator": "discriminator", "reverse": "discriminator", "segmenter": "discriminator",
    "unconditional_discriminator": "unconditional", "decoder": "unconditional",
}


# Arguments of Keras's fit: what they are where nothing is said, and what there is instead
_KERAS_FIT = {
    "shuffle": (True, "the data sets shuffle by their seed: paired_dataset(..., seed=...)"),
    "validation_split": (0.0, "give validation_data, such as source.subset(...) in a paired_dataset(..., training=False)"),
    "class_weight": (None, "the losses weigh classes by their share of a batch, and sampler=\"rare_classes\" draws rare ones"),
    "sample_weight": (None, "a pixel that is not to count has the id ignore_class"),
}


def _refuse(arguments):
    unknown = sorted(arguments.keys() - _KERAS_FIT.keys())
    if unknown:
        raise TypeError(f"fit: there is no argument {', '.join(unknown)}.")
    for name, value in arguments.items():
        default, instead = _KERAS_FIT[name]
        if value is not default and value != default:
            raise ValueError(f"fit: {name} has no use here; {instead}.")


class SemanticGAN(AdversarialModel):
    """Networks and settings around a list of phases: the base of the published systems.

    A subclass names the data sets that `fit` reads and its default preset, hands its networks and settings to this
    constructor, and returns its algorithm from `phases`. A setting left at None is that of `compile`'s preset.

    Args:
        num_classes: Number of label ids, the don't-care class included.
        image_size: ``(height, width)``.
        ignore_class: The don't-care id, or None.
        networks: The networks by name, ``"generator"`` among them; one that is None is left out.
        settings: Loss weights and the like, by name.
        perceptual: Feature model, the name of one (a key of `losses.perceptual_networks.PERCEPTUAL_NETWORKS`), or None.
        augmentation: `layers.DiffAugment` of what discriminators see, or None.
        seed: Seed of the noise that training draws.
        trunks: What a saved model has from `trunks`.
        label_space: What the classes mean, `data.LabelSpace`; None takes that of the data sets of the first `fit`. All systems
            take it.
    """

    data_sets: tuple[str, ...] = ("paired_ds",)
    default_preset = "paper"

    def __init__(self, num_classes, image_size, ignore_class, networks, settings, perceptual=None,
                 augmentation=None, seed=0, trunks=None, label_space=None, **kwargs):
        if ignore_class is not None and not 0 <= ignore_class < num_classes:
            raise ValueError(f"ignore_class={ignore_class} is not one of the class ids 0..{num_classes - 1}. The don't-care "
                             f"class counts as one: give num_classes={num_classes + 1}, ignore_class={num_classes}, and label "
                             f"maps in which it has that id: np.where(label_map == {ignore_class}, {num_classes}, label_map).")
        super().__init__(networks["generator"], ema_decay=settings["ema_decay"], seed=seed, **kwargs)
        for name, network in networks.items():
            setattr(self, name, network)
        self.network_names = tuple(name for name, network in networks.items() if network is not None)
        self.num_classes = num_classes
        self.image_size = tuple(image_size)
        self.ignore_class = ignore_class
        self.label_space = label_space
        self._given = Untracked(dict(settings))
        self._perceptual = Untracked(perceptual)
        self._trunks_before = Untracked(trunks or {})
        self._perceptual_origin = perceptual if perceptual is None or isinstance(perceptual, str) else "given"
        if self._perceptual_origin not in (None, "given", *PERCEPTUAL_NETWORKS):
            raise ValueError(f"perceptual={perceptual!r}: expected a model, None, or one of "
                             f"{', '.join(map(repr, PERCEPTUAL_NETWORKS))}.")
        if tuple(self.generator.output_shape[1:]) != (*self.image_size, 3):
            raise ValueError(f"The generator returns {tuple(self.generator.output_shape[1:])}; expected images of "
                             f"{(*self.image_size, 3)}.")
        if augmentation is not None:
            augmentation.check_fill_class(ignore_class)
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

    def compile(self, generator_optimizer=None, discriminator_optimizer=None, unconditional_optimizer=None, preset=None,
                metrics=None, statistics_batches=51, jit_compile="auto", run_eagerly=False, **settings):
        """Sets optimisers and loss weights, and loads the perceptual network.

        Args:
            generator_optimizer, discriminator_optimizer, unconditional_optimizer: Keras optimisers; None is Adam with the
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
            ValueError: For an unknown preset or setting, an optimiser of a network that there is not or that accumulates
                gradients, or where the perceptual network cannot be had.
        """
        preset = self.default_preset if preset is None else preset
        if preset not in PRESETS:
            raise ValueError(f"preset={preset!r}: expected one of {', '.join(map(repr, PRESETS))}.")
        preset, given = PRESETS[preset], self._given.value
        unknown = sorted(settings.keys() - given.keys())
        if unknown:
            raise ValueError(f"compile: unknown settings {unknown}; those that there are: {sorted(given)}.")
        resolved = {name: next((v for v in (settings.get(name), own, preset.get(name)) if v is not None), None)
                    for name, own in given.items()}
        missing = sorted(name for name, value in resolved.items() if value is None)
        if missing:
            raise ValueError(f"compile: this preset has no {', '.join(missing)}; give {'it' if len(missing) == 1 else 'them'}.")
        optimizers = self._optimizers_of({
            "generator": generator_optimizer, "discriminator": discriminator_optimizer,
            "unconditional": unconditional_optimizer}, preset)
        self._configure(optimizers, resolved, metrics=metrics, statistics_batches=statistics_batches,
                        jit_compile=jit_compile, run_eagerly=run_eagerly)
        self._load_perceptual()

    def _optimizers_of(self, given, preset):
        owners = [_OPTIMIZER_OF[name] for name in self.network_names]
        unused = [f"{owner}_optimizer" for owner, optimizer in given.items() if optimizer is not None and owner not in owners]
        if unused:
            raise ValueError(f"compile: {', '.join(unused)}: {type(self).__name__} has no such network.")
        optimizers = {}
        for name, owner in zip(self.network_names, owners, strict=True):
            optimizer = given[owner]
            if optimizer is None:
                optimizer = keras.optimizers.Adam(preset[f"{owner}_learning_rate"], beta_1=0.0, beta_2=preset["beta_2"])
            optimizer = keras.optimizers.get(optimizer)
            # an optimiser holds the slots of one network
            optimizers[name] = type(optimizer).from_config(optimizer.get_config()) if (
                optimizer in optimizers.values()) else optimizer
        return optimizers

    def _configure(self, optimizers, settings, **kwargs):
        self._remember_trunks()
        self.settings = settings
        self.ema_decay = settings["ema_decay"]
        super().compile(optimizers, **kwargs)

    @property
    def perceptual(self):
        """The feature model of the perceptual loss, or None. To be set again on a loaded model that is to train on."""
        return self._perceptual.value

    def __setattr__(self, name, value):
        # Not a property's setter: Keras and PyTorch would track a model assigned to an attribute, and save it
        if name != "perceptual":
            return super().__setattr__(name, value)
        self._remember_trunks()
        self._perceptual = Untracked(value)
        self._perceptual_origin = None if value is None else "given"
        self._forget_compiled()

    def _load_perceptual(self):
        if self.perceptual is None or not self.settings["perceptual_weight"]:
            return
        if self.perceptual == "given":
            raise ValueError("This model was trained with a perceptual network of its own, which a saved model does not "
                             "hold. Before going on, set gan.perceptual to that network (or to None).")
        if isinstance(self.perceptual, str):
            self._perceptual = Untracked(PERCEPTUAL_NETWORKS[self.perceptual].build())
        named = PERCEPTUAL_NETWORKS.get(self._perceptual_origin)
        self._perceptual_loss = (PerceptualLoss if named is None else named.loss)(self.perceptual)

    @property
    def trunks(self) -> dict[str, list[str]]:
        """The families of pretrained networks that this model trains with, and has before, by what they stand in.

        ``{"perceptual loss": ["VGG"]}``, for instance. None of them judges the model: see `check_judges`.
        """
        found = {role: set(families) for role, families in self._trunks_before.value.items()}
        for name in self.network_names:
            found.setdefault(name, set()).update(families_of(getattr(self, name)))
        settings = self.settings if self.compiled else self._given.value
        if settings.get("perceptual_weight") != 0:
            named = PERCEPTUAL_NETWORKS.get(self._perceptual_origin)
            families = families_of(self.perceptual) if named is None else {named.family}
            found.setdefault("perceptual loss", set()).update(families)
        return {role: sorted(families) for role, families in found.items() if families}

    def inherit_trunks(self, other: AdversarialModel) -> None:
        """Remembers what trained another model, whose weights this one begins with."""
        before = self._trunks_before.value
        self._trunks_before = Untracked({role: sorted({*before.get(role, ()), *other.trunks.get(role, ())})
                                         for role in {**before, **other.trunks}})

    def _remember_trunks(self):
        # what has trained stays a relative of its judges when it is replaced
        if self.step:
            self._trunks_before = Untracked(self.trunks)

    @property
    def perceptual_weight(self) -> float:
        """Weight of the perceptual term; 0 without a perceptual network."""
        return self.settings["perceptual_weight"] if self.perceptual is not None else 0.0

    # -- use --------------------------------------------------------------------------------------------------------

    def fit(self, x=None, y=None, epochs=1, steps_per_epoch=None, callbacks=None, validation_data=None,
            validation_freq=1, initial_epoch=0, initial_step=None, verbose="auto", validation_steps=None,
            validation_batch_size=None, batch_size=8, **others):
        """Trains on the data sets that the system needs, `data_sets`.

        Args:
            x: The first data set. A paired one has batches ``(image, label_map)``, float ``(B, H, W, 3)`` in [-1, 1] and
                integer ``(B, H, W)``; from `data.paired_dataset`, a `tf.data.Dataset`, a `keras.utils.PyDataset` or another
                iterable of batches; or it is two arrays ``(images, label_maps)``. An unpaired one, from
                `data.unpaired_dataset`, has the same form, but images and label maps do not belong together. Photos may be
                uint8. What is not ours is checked: the first batch whole, the ids of every batch.
            y: The second data set, where the system needs two. They may differ in length; each repeats by itself. Where it
                needs one, x and y may be the two arrays.
            epochs, steps_per_epoch, callbacks, initial_epoch, verbose: As in Keras. An epoch without ``steps_per_epoch``
                is one pass over the longer set.
            validation_data: Data set for `evaluate`, or arrays ``(images, label_maps)``, run every ``validation_freq``
                epochs with the metrics given to `compile`; scores are logged with the prefix ``val_``. What can be wrong
                with it is found before the first step: photos take the place of generated images in the metrics.
            validation_freq: Number of epochs, or a list of the epochs' numbers, as in Keras.
            initial_step: Step at which the data sets, and the epochs, go on where a run stopped inside an epoch. None is
                the begin of ``initial_epoch``; where that is 0, the data sets go on at `step`: a second call of `fit` reads
                on where the first has ended, and the first half of a training, which the sampler of rare classes knows, is
                that of all steps up to the end of this call. ``initial_step=0`` begins the data sets anew.
            validation_steps, validation_batch_size: As in Keras: number of batches, and batch size of arrays.
            batch_size: Items a batch, of arrays alone.
            **others: Keras's other arguments of fit, which have no use here. One that is set is named in an error.

        Returns:
            Keras's History: per epoch, the mean of every loss term, named ``"<phase>/<term>"``, and the scores. Every list
            has one value an epoch, NaN where a term was not due or no validation was run.

        Raises:
            NonFiniteLossError: If a loss or gradient is not finite, naming phase and term; the last good state is saved.
            DataError: As the data sets raise it, or if batches are not what the model takes, or classes or don't-care class
                others than the model's. The callbacks end before, as they do when training ends: `callbacks.Checkpoint` saves.

        Warns:
            UserWarning: If a data set can be read from its beginning alone, or has a don't-care class and the model none.
        """
        _refuse(others)
        if len(self.data_sets) == 1 and hasattr(x, "__array__") and y is not None:
            x, y = (x, y), None
        given = [dataset for dataset in (x, y) if dataset is not None]
        if x is None or len(given) != len(self.data_sets):
            count = "one data set" if len(self.data_sets) == 1 else "two data sets"
            raise ValueError(f"{type(self).__name__}.fit needs {count}: fit({', '.join(self.data_sets)}).")
        self._take_label_space(**dict(zip(self.data_sets, given, strict=True)), validation_data=validation_data)
        self._load_perceptual()
        return self._fit(tuple(given), epochs=epochs, steps_per_epoch=steps_per_epoch, callbacks=callbacks,
                         validation_data=validation_data, validation_freq=validation_freq, initial_epoch=initial_epoch,
                         initial_step=initial_step, verbose=verbose, validation_steps=validation_steps,
                         validation_batch_size=validation_batch_size, names=self.data_sets, batch_size=batch_size)

    def _take_label_space(self, **datasets):
        """Checks that all data sets have one label space, which is the model's from then on."""
        label_space = self.require_same_classes(**datasets)
        for name, dataset in datasets.items():
            ignored = getattr(getattr(dataset, "label_space", None), "ignore_class", None)
            if ignored in (None, self.ignore_class):
                continue
            what = (f"{name} says that class {ignored}, {dataset.label_space.class_names[ignored]!r}, is don't-care, the model "
                    f"has ignore_class={self.ignore_class}")
            if self.ignore_class is not None:
                raise DataError(f"{what}. Build the model with ignore_class={ignored}, or give data of the model's.")
            warnings.warn(f"{what}: its pixels count as those of any other. Build the model with ignore_class={ignored} unless "
                          "that is meant.", stacklevel=3)
        if self.label_space is None and label_space is not None:
            self.label_space = replace(label_space, ignore_class=self.ignore_class)

    def _segment(self, network, photos) -> np.ndarray:
        photos = host_array(photos)
        images = self.batch_rule.photos(photos if photos.ndim != 3 else photos[None], "segment")
        logits = np.array(network.predict(images, batch_size=8, verbose=0)[..., 1:])
        if self.ignore_class is not None:
            logits[..., self.ignore_class] = -np.inf
        label_maps = logits.argmax(-1).astype("int32")
        return label_maps if photos.ndim != 3 else label_maps[0]

    # -- save -------------------------------------------------------------------------------------------------------

    def get_config(self):
        networks = {name: keras.saving.serialize_keras_object(getattr(self, name)) for name in self.network_names}
        return super().get_config() | self._given.value | networks | {
            "num_classes": self.num_classes, "image_size": self.image_size, "ignore_class": self.ignore_class,
            "perceptual": self._perceptual_origin, "seed": self.seed, "trunks": self.trunks,
            "label_space": self.label_space and keras.saving.serialize_keras_object(self.label_space),
            "augmentation": self.augmentation and keras.saving.serialize_keras_object(self.augmentation)}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        def restored(value):
            if isinstance(value, list):
                return [restored(item) for item in value]
            is_object = isinstance(value, dict) and "class_name" in value
            return keras.saving.deserialize_keras_object(value, custom_objects) if is_object else value

        return cls(**{name: restored(value) for name, value in config.items()})

    def get_compile_config(self):
        if not self.compiled:
            return None
        return {
            "optimizers": {name: keras.saving.serialize_keras_object(o) for name, o in self.optimizers.items()},
            "settings": self.settings, "statistics_batches": self.statistics_batches,
            "optimized": self._optimized_places()}

    def compile_from_config(self, config):
        optimizers = {name: keras.saving.deserialize_keras_object(o) for name, o in config["optimizers"].items()}
        # older files say nothing: what is trainable
        self._restored = Untracked(config.get("optimized"))
        try:
            self._configure(optimizers, config["settings"], statistics_batches=config["statistics_batches"])
        finally:
            self._restored = Untracked(None)


def published_depth(image_size) -> int:
    """Blocks of the deepest networks, up to the published six, that an image size allows."""
    return max((n for n in range(1, 7) if all(side % 2**n == 0 for side in image_size)), default=1)


def published_widths(image_size) -> tuple[int, ...]:
    """Encoder widths of the deepest OASIS discriminator that an image size allows."""
    return (128, 128, 256, 256, 512, 512)[:published_depth(image_size)]
