"""What a result depends on: hashes of weights and data, versions."""

import hashlib
import platform
from importlib import metadata
from typing import Any

import keras
import numpy as np

from keras_semisis.data import Source
from keras_semisis.data.sources.source_digest import SourceDigest
from keras_semisis.metrics.generation_metric import to_numpy

PACKAGES = ("keras-semisis", "keras", "tensorflow", "jax", "torch", "numpy", "pillow", "keras-hub")


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
    """Hash of what a network computes: its operations with their settings, and its weights.

    Equal networks of two processes can differ in it, where layers are named inside others. None for anything but a functional
    or sequential keras.Model: what a subclass computes is in its code.
    """
    operations = network.layers if isinstance(network, keras.Sequential) else getattr(network, "operations", None)
    if not isinstance(network, keras.Model) or operations is None:
        return None
    shapes = (str(getattr(network, name, None)) for name in ("input_shape", "output_shape"))
    described = [network.name, *shapes, weights_sha256(network)]
    for operation in operations:
        try:
            settings = {key: value for key, value in operation.get_config().items() if key != "name"}
        except NotImplementedError:
            settings = {}
        described.append(f"{type(operation).__name__} {settings!r}")
    return hashlib.sha256("\n".join(described).encode()).hexdigest()


def data_fingerprint(source: Source) -> str | None:
    """Hash of what tells one state of the data from another without reading it: names, sizes, times, order, label space.

    None for a source that gives no fingerprints.
    """
    digest = SourceDigest(source)
    for index in range(len(source)):
        digest.add(source.fingerprint(index))
        digest.add(source.image_fingerprint(index))
        if not digest.known:
            return None
    return digest.text()
