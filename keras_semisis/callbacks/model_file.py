"""Saving a model so that a failed write leaves the file that was there before, and loading one that may be damaged."""

import json
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras

from keras_semisis.gans.finiteness import refuse_non_finite_weights
from keras_semisis.whole_file import whole_file


def save_model(model: keras.Model, path: Path, notes: Mapping[str, Mapping[str, Any]] | None = None) -> None:
    """Saves a model beside its place and moves it there when it is complete.

    Args:
        model: The model.
        path: A `.keras` file.
        notes: JSON documents to keep inside the file, by name. Keras does not read them.

    Raises:
        NonFiniteLossError: If its weights are not finite.
        OSError: If the file cannot be written.
    """
    refuse_non_finite_weights(model)
    with whole_file(path) as unfinished:
        model.save(unfinished)
        with zipfile.ZipFile(unfinished, "a") as archive:
            for name, note in (notes or {}).items():
                archive.writestr(name, json.dumps(note))


def load_model(path: Path, name: str, compile: bool = True) -> keras.Model:
    """The model in a `.keras` file.

    Args:
        path: The file, which is there.
        name: What the user knows it by, for errors.
        compile: Whether optimizers and loss weights come back too.

    Raises:
        ValueError: If it is no such file, is damaged, or Keras cannot build what it holds.
    """
    try:
        # Keras reads past wrong bytes in the weights, and calls a file that was cut short not found
        with zipfile.ZipFile(path) as archive:
            whole = archive.testzip() is None
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, NotImplementedError, RuntimeError):
        whole = False
    if not whole:
        raise ValueError(
            f"{name} {path}: this is no Keras file, or one that is damaged or was cut short. Name another one, "
            "or copy it again."
        )
    try:
        return keras.saving.load_model(path, compile=compile)
    except Exception as error:  # of many kinds, by what is in the file
        raise ValueError(f"{name} {path}: Keras cannot build this model: {' '.join(str(error).split())[:500]}") from error


def read_note(path: Path, name: str) -> dict[str, Any] | None:
    """A JSON document that `save_model` kept in the file, or None."""
    with zipfile.ZipFile(path) as archive:
        return json.loads(archive.read(name)) if name in archive.namelist() else None
