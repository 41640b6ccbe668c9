"""Files that are there whole or not at all."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def unfinished_file(path: Path) -> Path:
    """A name for a file until it is complete: in its folder, hidden, with its suffix.

    Another at each call, since two machines may be given the same file.
    """
    return path.with_name(f".{path.stem}.{uuid.uuid4().hex[:12]}.part{path.suffix}")


def remove_unfinished_files(folder: Path) -> None:
    """Removes what writers that were killed have left in a folder."""
    for path in folder.glob(".*.part*"):
        path.unlink()


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
        yield unfinished
        with open(unfinished, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(unfinished, path)
    finally:
        with suppress(OSError):
            unfinished.unlink()
