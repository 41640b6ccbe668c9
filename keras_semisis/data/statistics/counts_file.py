"""The file that class statistics are kept in."""

import time
import warnings
from pathlib import Path

import numpy as np

from keras_semisis.data.sources.source import Source
from keras_semisis.data.sources.source_digest import SourceDigest
from keras_semisis.data.statistics.class_counts import ClassStatistics
from keras_semisis.data.statistics.pixel_counts import counts_of
from keras_semisis.whole_file import read_npz, whole_file

_SAVE_SECONDS = 20.0


class CountsFile:
    """The file that keeps the counts of a source's first label maps, with the hash of what was counted."""

    def __init__(self, path: Path, source: Source):
        self._path = path
        self._source = source
        self._digest = SourceDigest(source)
        self._written = time.monotonic()

    def read(self) -> ClassStatistics:
        """The counts that are there and fit; an empty table if there are none."""
        nothing = ClassStatistics(self._source.label_space.num_classes)
        try:
            stored = read_npz(self._path)
            counts, fingerprint = ClassStatistics.from_arrays(stored), str(stored["fingerprint"])
        except (ValueError, KeyError, TypeError):
            return nothing  # missing, cut short or another file altogether: count again
        if len(counts) > len(self._source):
            return nothing
        digest = SourceDigest(self._source)
        for index in range(len(counts)):
            digest.add(self._source.fingerprint(index))
        if not digest.known or digest.text() != fingerprint:
            return nothing
        # Without a pixel is the row of a bad file alone: this run may not tolerate it, or can read it now
        if any(counts_of(self._source, int(index)).any() for index in np.flatnonzero(np.diff(counts.arrays()["ends"]) == 0)):
            return nothing
        self._digest = digest
        return counts

    def add(self, fingerprint: str | None, counts: ClassStatistics) -> None:
        """Goes on by one item, which ``counts`` has already."""
        self._digest.add(fingerprint)
        if time.monotonic() - self._written > _SAVE_SECONDS:
            self.write(counts)

    def write(self, counts: ClassStatistics) -> None:
        """Replaces the file; warns if that cannot be done, since the counts themselves are right."""
        if not self._digest.known:
            return
        try:
            write_counts(self._path, counts, self._digest.text())
        except OSError as error:
            warnings.warn(
                f"{self._path}: the class statistics cannot be kept ({error.strerror or error}); the next run counts "
                "again. Make room or name another file.",
                stacklevel=3,
            )
        self._written = time.monotonic()


def write_counts(path: Path, counts: ClassStatistics, fingerprint: str) -> None:
    """Replaces the file that `class_statistics` keeps counts in.

    Args:
        path: The file.
        counts: Of the source's first label maps.
        fingerprint: ``SourceDigest.text()`` of these.

    Raises:
        OSError: If it cannot be written; what was there is left.
    """
    with whole_file(path) as unfinished, open(unfinished, "wb") as file:
        np.savez(file, fingerprint=fingerprint, **counts.arrays())  # type: ignore[arg-type]  # NumPy's own keyword is a bool
