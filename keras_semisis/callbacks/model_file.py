"""Saving a model so that a failed write leaves the file that was there before."""

import json
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras


def save_model(model: keras.Model, path: Path, notes: Mapping[str, Mapping[str, Any]] | None = None) -> None:
    """Saves a model beside its place and moves it there when it is complete.

    Args:
        model: The model.
        path: A `.keras` file.
        notes: JSON documents to keep inside the file, by name. Keras does not read them.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.stem}.{os.getpid()}.part.keras")
    try:
        model.save(unfinished)
        with zipfile.ZipFile(unfinished, "a") as archive:
            for name, note in (notes or {}).items():
                archive.writestr(name, json.dumps(note))
        with open(unfinished, "rb+") as file:  # on disk before it takes the old file's place
            os.fsync(file.fileno())
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def read_note(path: Path, name: str) -> dict[str, Any] | None:
    """A JSON document that `save_model` kept in the file, or None."""
    with zipfile.ZipFile(path) as archive:
        return json.loads(archive.read(name)) if name in archive.namelist() else None
