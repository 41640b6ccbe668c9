"""Saving a model so that a failed write leaves the file that was there before."""

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras

from keras_semisis.data.whole_file import whole_file


def save_model(model: keras.Model, path: Path, notes: Mapping[str, Mapping[str, Any]] | None = None) -> None:
    """Saves a model beside its place and moves it there when it is complete.

    Args:
        model: The model.
        path: A `.keras` file.
        notes: JSON documents to keep inside the file, by name. Keras does not read them.
    """
    with whole_file(path) as unfinished:
        model.save(unfinished)
        with zipfile.ZipFile(unfinished, "a") as archive:
            for name, note in (notes or {}).items():
                archive.writestr(name, json.dumps(note))


def read_note(path: Path, name: str) -> dict[str, Any] | None:
    """A JSON document that `save_model` kept in the file, or None."""
    with zipfile.ZipFile(path) as archive:
        return json.loads(archive.read(name)) if name in archive.namelist() else None
