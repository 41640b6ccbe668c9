"""Files that are there whole or not at all, and reading those that may be neither."""

import errno
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import numpy as np


def unfinished_file(path: Path) -> Path:
    """A name for a file until it is complete: in its folder, hidden, with its suffix.

    Another at each call, since two machines may be given the same file.
    """
    return path.with_name(f".{path.stem}.{uuid.uuid4().hex[:12]}.part{path.suffix}")


def remove_unfinished_files(folder: Path) -> None:
    """Removes what writers that were killed have left in a folder."""
    for path in folder.glob(".*.part*"):
        path.unlink()


def check_writable(path: Path) -> None:
    """Makes sure that `whole_file` can write a file, before the work of which it is to hold the result.

    Args:
        path: The file. Its folder is made where there is none; what is at the path is left.

    Raises:
        OSError: If it cannot be written.
    """
    probe = unfinished_file(path)
    try:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        path.parent.mkdir(parents=True, exist_ok=True)
        probe.touch()
    except OSError as error:
        raise OSError(f"{path}: cannot be written ({error.strerror or error}). Name another file.") from error
    finally:
        with suppress(OSError):
            probe.unlink()


def check_folder(folder: Path) -> None:
    """Makes sure that a folder is no file, before the work of which it is to hold the result.

    Args:
        folder: The folder, which need not be there.

    Raises:
        NotADirectoryError: If it, or one above it, is a file.
    """
    there = next((path for path in (folder, *folder.parents) if path.exists()), folder)
    if there.is_file():
        raise NotADirectoryError(f"{there} is a file. Name a folder.")


def read_npz(file: Path | BinaryIO) -> dict[str, np.ndarray]:
    """The arrays of an ``.npz`` file, by name.

    Args:
        file: The file, or what it holds.

    Raises:
        ValueError: If it is missing, cut short, damaged or another file, an ``.npy`` among them.
    """
    try:
        stored = np.load(file)
        if isinstance(stored, np.ndarray):
            raise ValueError("it holds a single array, as an .npy file does")
        with stored:
            return dict(stored)
    except Exception as error:  # of the system, of NumPy, of the zip archive or of its compression, each with its own kinds
        raise ValueError(f"no .npz file that can be read: {error or type(error).__name__}") from error


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Within ``with``: an error of writing names the file. That of a full disk does not by itself."""
    try:
        yield
    except OSError as error:
        if type(error) is OSError and error.errno is None:  # as HDF5's library raises it
            raise OSError(f"{path}: cannot be written ({error}).") from error
        if error.errno is not None and error.filename is None:
            error.filename = os.fspath(path)
        raise


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Within ``with``: a file to write, which takes the place of ``path`` when it is complete and on the disk.

    After an error what was there before is left, and nothing else. The folder is made where there is none.

    Args:
        path: The file.

    Yields:
        Where to write.

    Raises:
        OSError: If it cannot be written.

    Example:

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "runs" / "note.txt"
    >>> with whole_file(path) as unfinished:
    ...     _ = unfinished.write_text("done")
    ...     path.exists()
    False
    >>> [file.name for file in path.parent.iterdir()]
    ['note.txt']
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = unfinished_file(path)
    try:
        with naming(path):
            yield unfinished
            with open(unfinished, "rb+") as file:
                os.fsync(file.fileno())
            os.replace(unfinished, path)
    finally:
        with suppress(OSError):
            unfinished.unlink()
