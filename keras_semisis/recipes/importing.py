"""A published PyTorch checkpoint as a Keras file."""

import inspect
import json
from collections.abc import Sequence
from pathlib import Path

import keras

from keras_semisis import models
from keras_semisis.checkpoints import load_reference_weights, published_label_space
from keras_semisis.data.argument_error import ArgumentError, require_choice
from keras_semisis.models import LabeledModel
from keras_semisis.options.option import option_name

FAMILY_OF = {
    "oasis_generator": "oasis",
    "oasis_discriminator": "oasis",
    "wavelet_spade_generator": "usis",
    "wavelet_discriminator": "usis",
    "stylegan2_discriminator": "usis",
    "wavelet_decoder": "usis",
    "spade_generator": "spade",
    "spade_encoder": "spade",
    "multiscale_discriminator": "spade",
    "cc_fpse_generator": "cc_fpse",
    "fpse_discriminator": "cc_fpse",
    "inception_v3_fid": "pytorch_fid",
    "vgg19_features": "torchvision",
    "drn_d_105": "drn",
    "upernet_101": "csail",
    "deeplab_v2_101": "deeplab_pytorch",
}


def import_weights(
    weights: Sequence[Path],
    network: str,
    num_classes: int | None,
    image_size: tuple[int, int] | None,
    options: Sequence[str],
    output: Path,
) -> keras.Model:
    """Builds a network, fills it with a published checkpoint, and saves it.

    Args:
        weights: ``.pth``, ``.safetensors`` or ``.npz`` files of a state dict, one in general.
        network: Name of a builder in `keras_semisis.models`.
        num_classes, image_size: Arguments of the builder, where it has them.
        options: Its other arguments, as ``"base_channels=64"``; values are JSON or plain words.
        output: The `.keras` file.

    Returns:
        The network, as a `models.LabeledModel` where family and number of classes tell the data set.

    Raises:
        ValueError: If there is no such network or argument, or one is missing.
        CheckpointError: If the file cannot be read or does not fit the network.
    """
    require_choice("network", network, FAMILY_OF)
    builder = getattr(models, network)
    arguments = _options(options)
    if num_classes is not None:
        arguments["num_classes"] = num_classes
    if image_size is not None:
        arguments["image_size"] = image_size
    if "channels" in arguments and isinstance(arguments["channels"], dict):
        arguments["channels"] = {int(key): value for key, value in arguments["channels"].items()}
    if network == "vgg19_features":
        arguments.setdefault("weights", None)
    known = inspect.signature(builder).parameters
    unknown = sorted(arguments.keys() - known.keys())
    if unknown:
        raise ValueError(f"--network {network} has no {', '.join(unknown)}; it takes {', '.join(known) or 'no options'}.")
    missing = [name for name, parameter in known.items() if parameter.default is parameter.empty and name not in arguments]
    if missing:
        raise ValueError(f"--network {network} needs {', '.join(map(option_name, missing))}.")
    family = FAMILY_OF[network]
    label_space = published_label_space(family, arguments["num_classes"]) if "num_classes" in arguments else None
    model = LabeledModel.of(load_reference_weights(builder(**arguments), weights, family), label_space)
    output.parent.mkdir(parents=True, exist_ok=True)
    model.save(output)
    return model


def _options(options):
    arguments = {}
    for option in options:
        name, equals, value = option.partition("=")
        if not equals:
            raise ArgumentError("{}: expected NAME=VALUE, such as base_channels=64.", {"option": option})
        try:
            arguments[name] = json.loads(value)
        except json.JSONDecodeError:
            arguments[name] = value
    return arguments
