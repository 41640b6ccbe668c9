"""SavedModel and LiteRT, where Keras writes them."""

import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras

from keras_semisis.exports.needed import need
from keras_semisis.exports.networks import signature
from keras_semisis.whole_file import whole_file

DESCRIPTION = "keras_semisis.json"


def write_saved_model(network: keras.Model, folder: Path, description: Mapping[str, Any]) -> None:
    """Writes a network as a SavedModel, with its description in the folder.

    Args:
        network: Functional model from and to tensors by name.
        folder: The folder; a SavedModel in it is replaced.
        description: What ``keras_semisis.json`` in it says.

    Raises:
        ValueError: On PyTorch, or if something else is in the folder.
        ModuleNotFoundError: If TensorFlow is not installed.
    """
    _refuse("tf_saved_model", ("tensorflow", "jax"))
    need("tensorflow")
    if folder.exists() and not (folder / "saved_model.pb").is_file() and (folder.is_file() or any(folder.iterdir())):
        raise ValueError(f"{folder}: there is something else already. Name a new folder.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as beside:
        written = Path(beside) / "network"
        network.export(str(written), format="tf_saved_model", verbose=False, input_signature=signature(network))
        (written / DESCRIPTION).write_text(json.dumps(description, indent=1), encoding="utf-8")
        if folder.exists():
            shutil.rmtree(folder)
        written.rename(folder)


def write_litert(network: keras.Model, path: Path, description: Mapping[str, Any]) -> None:
    """Writes a network as a LiteRT file, with its description beside it.

    Args:
        network: Functional model from and to tensors by name.
        path: The file, which ends in ``.tflite``.
        description: What ``<path>.json`` says.

    Raises:
        ValueError: On other backends than TensorFlow.
    """
    _refuse("litert", ("tensorflow",))
    with whole_file(path) as unfinished:
        network.export(str(unfinished), format="litert", verbose=False, input_signature=signature(network))
    path.with_name(path.name + ".json").write_text(json.dumps(description, indent=1), encoding="utf-8")


def _refuse(format, backends):
    backend = keras.backend.backend()
    if backend not in backends:
        raise ValueError(
            f"format={format!r} cannot be written on the backend {backend}. Set KERAS_BACKEND=tensorflow, which reads the same "
            "model files, or write format='onnx'."
        )
