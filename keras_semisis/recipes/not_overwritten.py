"""What a command reads is not what it writes over."""

from collections.abc import Collection
from pathlib import Path

from keras_semisis.data.argument_error import ArgumentError


def check_not_read(path: Path, read: Collection[Path]) -> None:
    """Raises a `ValueError` if what is to be written is one of the files, absolute paths, that are read."""
    if path.resolve() in read:
        raise ArgumentError(f"{{}}: {path} is a file that is read here. Name another folder.", {"output": path.parent})
