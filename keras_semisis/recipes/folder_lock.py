"""One process at a time trains in a folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows, which does without
    fcntl = None  # type: ignore[assignment]


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Within ``with``: no other process gets in. The lock goes with its process, however that ends.

    Windows and some file systems of networks go without.

    Raises:
        ValueError: If another process is in it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / ".lock", "w") as file:
        if fcntl is not None:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise ValueError(f"{folder}: another process trains here. Stop it, or wait until it is done.") from None
            except OSError:  # a file system without locks
                pass
        yield
