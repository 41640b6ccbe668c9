"""What a result depends on: hashes of weights and data, versions."""

import hashlib
import json
import platform
from importlib import metadata
from typing import Any, Literal

import keras
import numpy as np

from keras_semisis.data import Source
from keras_semisis.data.sources.source_digest import SourceDigest
from keras_semisis.metrics.generation_metric import to_numpy

PACKAGES = ("keras-semisis", "keras", "tensorflow", "jax", "torch", "numpy", "pillow", "keras-hub")
# In a network's config: what refers to layers by name, and what does not change what is computed
_OF_LAYERS = ("keras_history", "input_layers", "output_layers")
_LEFT_OUT = ("name", "build_config", "compile_config")


def versions() -> dict[str, str]:
    """Versions of what a result depends on.

    >>> versions()["backend"] == keras.config.backend()
    True
    """
    found = {"python": platform.python_version(), "backend": keras.config.backend()}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def weights_sha256(network: Any) -> str | None:
    """Hash of a network's weights in their order: shape, type and values. None for anything but a keras.Model.

    >>> weights_sha256(keras.Sequential([keras.Input((2,))]))[:8]
    'e3b0c442'
    """
    if not isinstance(network, keras.Model):
        return None
    digest = hashlib.sha256()
    for weight in network.weights:
        array = np.ascontiguousarray(to_numpy(weight.value))
        digest.update(f"{array.shape}{array.dtype}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def network_fingerprint(network: Any) -> str | None:
    """Hash of what a network computes: its operations with their settings, what each is called with, and its weights.

    Names of layers, which count what a process has built, do not change it. None for anything but a functional or sequential
    keras.Model, what a subclass computes being in its code, and for operations that do not tell their settings.
    """
    weights = weights_sha256(network)
    if weights is None or not (isinstance(network, keras.Sequential) or hasattr(network, "operations")):
        return None
    try:
        config = network.get_config()
        if "layers" not in config:  # the arguments of a subclass, which may not tell all
            config |= {"layers": [keras.saving.serialize_keras_object(operation) for operation in network.operations]}
        operations = json.dumps(_without_names(config, {}), sort_keys=True)
    except (NotImplementedError, TypeError):
        return None
    shapes = (str(getattr(network, name, None)) for name in ("input_shape", "output_shape"))
    return hashlib.sha256("\n".join([*shapes, weights, operations]).encode()).hexdigest()


def _without_names(value, places):
    """A config in which layers have their places in their network in the place of names."""
    if isinstance(value, (list, tuple)):
        return [_without_names(item, places) for item in value]
    if not isinstance(value, dict) or "DTypePolicy" in str(value.get("class_name")):
        return value
    if "input_layers" in value:
        places = {layer["name"]: place for place, layer in enumerate(value["layers"])}
    return {
        key: keras.tree.map_structure(lambda part: places.get(part, part), item)
        if key in _OF_LAYERS
        else _without_names(item, places)
        for key, item in value.items()
        if key not in _LEFT_OUT
    }


def data_fingerprint(source: Source, *parts: Literal["label maps", "images", "instance maps"]) -> str | None:
    """Hash of what tells one state of the data from another without reading it: names, sizes, times, order, label space.

    None for a source that gives no fingerprints.

    Args:
        source: The source.
        parts: What of it counts.
    """
    digest = SourceDigest(source)
    fingerprints = {
        "label maps": source.fingerprint,
        "images": source.image_fingerprint,
        "instance maps": source.instance_fingerprint,
    }
    for index in range(len(source)):
        for part in parts:
            digest.add(fingerprints[part](index))
        if not digest.known:
            return None
    return digest.text()
