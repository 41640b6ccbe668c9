"""`train --adapt MODEL`: a run that begins with a model of other classes."""

import warnings
from collections.abc import Collection, Mapping
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType
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
OPTIONS_OF_ROLES = MappingProxyType(
    {
        "discriminator": ("discriminator", "discriminator_channels", "discriminator_final_channels"),
        "unconditional": ("unconditional", "unconditional_channels"),
    }
)
"""The options by which a run builds the network that segments, or judges photos with label maps, and that of photos alone."""


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


def options_of_generator() -> list[str]:
    """Names of the options that say how a generator is built, which that of a model is."""
    return [name for name, declared in options_of(TrainSettings).items() if declared.of_generator]


def refuse_options_of_generator(given: Collection[str]) -> None:
    """Raises a `ValueError` if options that were given by hand are of the generator, which is the model's."""
    useless = [option_name(name) for name in options_of_generator() if name in given]
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
    networks: dict[str, Any] = {"generator": adapted.generator, **_roles(adapted, asdict(settings))}
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


def networks_brought(model: Sampler, options: Mapping[str, Any]) -> dict[str, keras.Model]:
    """The networks of a model that a run goes on with, beside the generator: those of a role that no option builds.

    Args:
        model: The model.
        options: Of the run, by the names of `TrainSettings`.

    Returns:
        By the names of `OPTIONS_OF_ROLES`.
    """
    method = options["method"]
    found = {name: getattr(model, name) for name in model.network_names}
    brought = {"unconditional": found.get("unconditional_discriminator")}
    if method in ("spade", "cc_fpse"):
        same = type(model).__name__ == {"spade": "SPADEGAN", "cc_fpse": "CCFPSE"}[method]
        brought["discriminator"] = found.get("discriminator") if same else None
    else:
        brought["discriminator"] = model.segmenting_network
    return {
        role: network
        for role, network in brought.items()
        if network is not None
        and (role == "discriminator" or TrainSettings.has_use_for(role, method))
        and all(options[name] is None for name in OPTIONS_OF_ROLES[role])
    }


def _roles(adapted, options):
    """The same by the names of the constructor's arguments, and the encoder that the generator was trained with."""
    names = {
        "discriminator": "segmenter" if options["method"] == "usis" else "discriminator",
        "unconditional": "unconditional_discriminator",
    }
    roles = {names[role]: network for role, network in networks_brought(adapted, options).items()}
    if options["method"] in ("spade", "cc_fpse"):
        roles["encoder"] = adapted.encoder
    return roles
