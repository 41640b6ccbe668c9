"""The networks as other programs want them: whole numbers in, whole numbers out."""

from typing import Any

import keras
from keras import ops

from keras_semisis.models.class_logits import class_logits
from keras_semisis.models.edges import reads_edges
from keras_semisis.models.keras_privates import layers_of


def drawing_network(generator: keras.Model, batch_size: int | None) -> keras.Model:
    """A generator from ``label_map``, and ``noise`` and ``edges`` where it takes some, to ``photo`` in uint8.

    Args:
        generator: Model from ``[label_map, noise]`` or ``[label_map]`` to images in [-1, 1]; ``edges`` may be the last input.
        batch_size: Number of label maps; None leaves it open.

    Returns:
        A model from ``{"label_map": int32 (B, H, W), "noise": float32 (B, noise_channels), "edges": float32 (B, H, W, 1)}`` to
        ``{"photo": uint8 (B, H, W, 3)}``, rounded as `data.eight_bit.to_8_bit` does.

    Example:

    >>> import numpy as np
    >>> from keras_semisis import models
    >>> generator = models.oasis_generator(4, (32, 32), base_channels=1, noise_channels=4)
    >>> inputs = {"label_map": np.zeros((2, 32, 32), "int32"), "noise": np.zeros((2, 4), "float32")}
    >>> photo = drawing_network(generator, None)(inputs)["photo"]
    >>> tuple(photo.shape), keras.backend.standardize_dtype(photo.dtype)
    ((2, 32, 32, 3), 'uint8')
    """
    edges = ["edges"] if reads_edges(generator) else []
    names = ["label_map", "noise"][: len(generator.inputs) - len(edges)] + edges
    inputs = {
        name: keras.Input(given.shape[1:], batch_size, dtype="int32" if name == "label_map" else "float32", name=name)
        for name, given in zip(names, generator.inputs, strict=True)
    }
    images = in_float32(generator)([*inputs.values()], training=False)
    photo = ops.cast(ops.clip(ops.round((images + 1.0) * 127.5), 0.0, 255.0), "uint8")
    return keras.Model(inputs, {"photo": photo}, name="draw")


def segmenting_network(network: keras.Model, ignore_class: int | None, batch_size: int | None) -> keras.Model:
    """A network that segments from ``photo`` in uint8 to ``label_map``: the arg max over the real classes.

    Args:
        network: Model from images in [-1, 1] to logits ``(B, H, W, num_classes + 1)``, fake first.
        ignore_class: The don't-care class, which is never the answer, or None.
        batch_size: Number of photos; None leaves it open.

    Returns:
        A model from ``{"photo": uint8 (B, H, W, 3)}`` to ``{"label_map": int32 (B, H, W)}``.
    """
    photo = keras.Input(network.inputs[0].shape[1:], batch_size, dtype="uint8", name="photo")
    logits = class_logits(in_float32(network)(ops.cast(photo, "float32") / 127.5 - 1.0, training=False), ignore_class)
    # as arg max, whose form on TensorFlow ONNX does not have
    _, best = ops.top_k(logits, 1)
    return keras.Model({"photo": photo}, {"label_map": ops.cast(best[..., 0], "int32")}, name="segment")


def in_float32(network: keras.Model) -> keras.Model:
    """A network that computes in float32, with its weights: itself, where it does.

    The formats have no bfloat16, or none that their programs compute in.
    """
    if all(layer.compute_dtype == "float32" for layer in layers_of(network) if layer.weights):
        return network
    config = _float32_policies(keras.saving.serialize_keras_object(network))
    same: Any = keras.saving.deserialize_keras_object(config)
    same.set_weights(network.get_weights())
    return same


def _float32_policies(config):
    if isinstance(config, list | tuple):
        return [_float32_policies(item) for item in config]
    if not isinstance(config, dict):
        return config
    if config.get("class_name") == "DTypePolicy":
        return config | {"config": {"name": "float32"}}
    return {name: _float32_policies(value) for name, value in config.items()}


def signature(network: keras.Model) -> list:
    """What Keras's export is told of the inputs; it guesses those of networks alone that were called."""
    return [{name: keras.InputSpec(x.dtype, x.shape, name=name) for name, x in network.input.items()}]
