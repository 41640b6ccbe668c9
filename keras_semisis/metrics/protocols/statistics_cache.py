"""Statistics of real images from one evaluation to the next."""

import hashlib
import warnings
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from keras_semisis.whole_file import read_npz, whole_file


class StatisticsCache:
    """A folder of `.npz` files, one for each key.

    A file that is damaged, cut short or of another key is as good as none. Where the folder cannot be written to, there is a
    warning, and nothing is kept.

    Args:
        folder: The folder, which is made when something is first kept.

    Example:

    >>> import tempfile
    >>> cache = StatisticsCache(tempfile.mkdtemp())
    >>> cache.store("key", {"mean": np.zeros(2)})
    >>> cache.load("key")["mean"].tolist(), cache.load("other")
    ([0.0, 0.0], None)
    """

    def __init__(self, folder: str | Path):
        self.folder = Path(folder)

    def load(self, key: str) -> dict[str, np.ndarray] | None:
        """What was stored under a key, or None."""
        try:
            arrays = read_npz(self._path(key))
        except ValueError:
            return None
        return arrays if str(arrays.pop("key", "")) == key else None

    def store(self, key: str, arrays: Mapping[str, np.ndarray]) -> None:
        """Keeps arrays under a key; the file is there whole or not at all."""
        try:
            with whole_file(self._path(key)) as unfinished, open(unfinished, "wb") as file:
                np.savez(file, key=key, **arrays)  # type: ignore[arg-type]  # NumPy's own keyword is a bool
        except OSError as error:
            warnings.warn(
                f"{self.folder}: the statistics of the real images could not be kept ({error}); they will be "
                "computed again next time. Name another cache folder, or make room.",
                stacklevel=2,
            )

    def _path(self, key):
        return self.folder / f"real-{hashlib.sha256(key.encode()).hexdigest()[:32]}.npz"
