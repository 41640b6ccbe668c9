"""`train --adapt MODEL`: a run that begins with a model of other classes."""

import warnings
from collections.abc import Collection
from pathlib import Path
from typing import Any

import keras

from keras_semisis.data import DataError, paired_dataset
from keras_semisis.data.argument_error import ArgumentError
from keras_semisis.gans import Sampler, adapt
from keras_semisis.gans.class_affinity import affinity_of_text, affinity_text
from keras_semisis.gans.semantic import SemanticGAN
from keras_semisis.models.other_classes import class_affinity_of
from keras_semisis.options.option import option_name, options_of
from keras_semisis.options.train import TrainSettings
from keras_semisis.recipes.notices import tell, warn
from keras_semisis.recipes.systems import build_gan
from keras_semisis.recipes.trained_models import label_space_of_model, load_gan
from keras_semisis.recipes.training_data import TrainingData

# Beyond, the system may refuse to look for a file
_LONGEST_PATH = 250


def affinity_given(text: str) -> str:
    """What ``--affinity`` says: its text, or that of the file which it names.

    Raises:
        DataError: If it is neither.
    """
    path = Path(text)
    if ":" not in text or (len(text) < _LONGEST_PATH and path.is_file()):
        try:
            return path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise DataError(
                f"--affinity {text}: there is no such text file ({error}). Give one, or CLASS: CLASS OF THE MODEL, such as "
                '"path: road; hedge: fence 0.5, plant 0.5".'
            ) from None
    return text


def refuse_options_of_generator(given: Collection[str]) -> None:
    """Raises a `ValueError` if options that were given by hand are of the generator, which is the model's."""
    useless = [option_name(name) for name, option in options_of(TrainSettings).items() if option.of_generator and name in given]
    if useless:
        raise ValueError(f"--adapt takes the generator of the model as it is: leave {', '.join(useless)} out.")


def adapted_gan(settings: TrainSettings, data: TrainingData, model: Sampler | None = None) -> SemanticGAN:
    """The model of a run, compiled: its generator, and the networks of the same roles, are those of a model of other classes.

    What a class begins as is told in a line.

    Args:
        settings: With ``adapt``.
        data: What it trains on. Where the model has a network that segments, its pairs show what a class begins as.
        model: That of ``adapt``, if it has been loaded.

    Raises:
        ValueError: If there is no such model, its photos are of another size, or ``affinity`` names other classes.
        DataError: If the pairs cannot be read.
    """
    space, model = data.sources.train.label_space, model or load_gan(settings.adapt or "", "--adapt")
    former = label_space_of_model(model, settings.adapt or "")
    if tuple(model.image_size) != tuple(settings.image_size):
        raise ArgumentError(
            f"{{}}: the photos of {settings.adapt} are {'×'.join(map(str, model.image_size))}. Leave the size out.",
            {"image_size": settings.image_size},
        )
    affinity = settings.affinity and affinity_of_text(settings.affinity, space, former, "--affinity")
    if model.instance_edges and not settings.instance_edges:
        raise ValueError(
            f"--adapt {settings.adapt}: this model reads edges between instances. Give --instance-edges, and --method spade or "
            "cc_fpse."
        )
    if settings.instance_edges and not model.instance_edges:
        raise ValueError(f"--instance-edges: {settings.adapt} does not read edges between instances. Leave it out.")
    pairs = None
    if model.segmenting_network is not None and data.pairs is not None and len(data.pairs):
        size, batch = settings.image_size, settings.batch_size
        pairs = paired_dataset(data.pairs, size, batch, training=False, skip_bad=data.bad_files, fit=settings.fit)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        adapted = adapt(model, space, affinity, pairs, alone=settings.adapt_alone)
    for warning in caught:
        if issubclass(warning.category, UserWarning):
            warn(str(warning.message))
    networks: dict[str, Any] = {"generator": adapted.generator, **_roles(adapted, settings)}
    layer = class_affinity_of(adapted.generator)
    assert layer is not None
    mixtures = affinity_text(keras.ops.convert_to_numpy(layer.affinity), space, former)
    gan = build_gan(settings, space, networks)
    gan.ema_generator.set_weights(adapted.ema_generator.get_weights())
    gan.inherit_trunks(model)
    taken = [name for name in gan.network_names if networks.get(name) is not None]
    new = [name.replace("_", " ") for name in gan.network_names if name not in taken]
    tell(
        f"Begins with {', '.join(name.replace('_', ' ') for name in taken)} of {settings.adapt}"
        f"{'; new: ' + ', '.join(new) if new else ''}. Classes begin as: {mixtures}."
    )
    return gan


def _roles(adapted, settings):
    """The networks beside the generator that a method has too, by its name for them."""
    found = {name: getattr(adapted, name) for name in adapted.network_names if getattr(adapted, name) is not None}
    segmenting = adapted.segmenting_network
    names = {"usis": "segmenter"}.get(settings.method, "discriminator")
    roles = {}
    if settings.has_use_for("discriminator", settings.method) and segmenting is not None:
        roles[names] = segmenting
    if settings.method in ("spade", "cc_fpse"):
        conditional = type(adapted).__name__ == {"spade": "SPADEGAN", "cc_fpse": "CCFPSE"}[settings.method]
        roles |= {"discriminator": found["discriminator"]} if conditional else {}
        roles["encoder"] = adapted.encoder
    if settings.has_use_for("unconditional", settings.method) and "unconditional_discriminator" in found:
        roles["unconditional_discriminator"] = found["unconditional_discriminator"]
    return roles
