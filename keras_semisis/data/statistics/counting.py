"""One streaming pass over label maps that counts the pixels of each class."""

import hashlib
import os
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import numpy as np

from keras_semisis.data.data_error import DataError
from keras_semisis.data.sources.source import Source
from keras_semisis.data.statistics.class_counts import ClassStatistics, pixel_counts
from keras_semisis.whole_file import read_npz, whole_file

_CHUNK = 16
_MOST_THREADS = 16
_SAVE_SECONDS = 20.0

_T = TypeVar("_T")


def class_statistics(
    source: Source, cache: str | Path | None = None, progress: Callable[[int, int], None] | None = None
) -> ClassStatistics:
    """Pixels of each class in each label map, in one streaming pass.

    Label maps are read by threads and counted in order; what stays in memory is the sparse table. A source
    that knows its counts, such as `Records`, is not read at all.

    Args:
        source: A source with label maps.
        cache: An `.npz` file to keep the counts in. They are used again while the fingerprints of what was
            counted (names, file sizes and modification times, order, label space) are the same. It is written
            every 20 seconds and when the pass is interrupted, so that the next one goes on there; label maps
            that were added at the end are counted alone. Nothing is kept for a source without fingerprints.
        progress: Called with (label maps counted, label maps in all).

    Returns:
        n_i^c, at the label maps' own size: a `ClassStatistics` of shape ``(len(source), num_classes)``.
        ``np.asarray`` makes it an int64 array.

    Raises:
        DataError: If a label map cannot be read or holds a stray id.
        ValueError: If the source has no label maps.

    Warns:
        UserWarning: If the cache cannot be written.

    Example:

    >>> from keras_semisis.data import SyntheticScenes
    >>> counts = class_statistics(SyntheticScenes(num_scenes=3))
    >>> counts.shape[0]
    3
    """
    if source.label_space is None:
        raise ValueError("source= has no label maps (its label_space is None). Give a source of label maps.")
    number = len(source)
    kept = None if cache is None else _CountsFile(Path(cache), source)
    counts = ClassStatistics(source.label_space.num_classes) if kept is None else kept.read()
    if progress is not None and len(counts):
        progress(len(counts), number)

    def count(index):
        # the fingerprint first: of a file that is replaced meanwhile it is not the new one
        return None if kept is None else source.fingerprint(index), counts_of(source, index)

    before = len(counts)
    try:
        for fingerprint, row in in_order(count, before, number, _CHUNK):
            counts.append(row)
            if kept is not None:
                kept.add(fingerprint, counts)
            if progress is not None:
                progress(len(counts), number)
    finally:
        if kept is not None and len(counts) > before:
            kept.write(counts)
    return counts


def counts_of(source: Source, index: int) -> np.ndarray:
    """Pixels of each class in one label map, which is read unless the source knows them.

    Raises:
        DataError: If the label map cannot be read or holds a stray id.
    """
    known = source.class_counts(index)
    if known is not None:
        return known
    label_map = source.load_label_map(index)
    try:
        return pixel_counts(label_map, source.label_space.num_classes)
    except DataError as error:
        raise error.about(source.location(index)) from None


def in_order(function: Callable[[int], _T], first: int, stop: int, chunk: int = 1) -> Iterator[_T]:
    """Yields ``function(first)`` to ``function(stop - 1)``, computed by threads not far ahead.

    (`Executor.map` would begin all of them at once, and hold what nobody has asked for yet.)

    Args:
        function: Called from threads; what it raises is raised here.
        first, stop: The range of its argument.
        chunk: How many calls a thread makes in a row.
    """
    threads = min(os.cpu_count() or 1, _MOST_THREADS)
    pool = ThreadPoolExecutor(threads)
    ahead: deque[Future[list[_T]]] = deque()
    try:
        for begin in range(first, stop, chunk):
            ahead.append(pool.submit(lambda part: [function(i) for i in part], range(begin, min(begin + chunk, stop))))
            if len(ahead) > 2 * threads:
                yield from ahead.popleft().result()
        while ahead:
            yield from ahead.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


class SourceDigest:
    """A hash over the label space and the fingerprints of the first items of a source.

    Args:
        source: The source.

    Attributes:
        known: Whether every item so far had a fingerprint.
    """

    def __init__(self, source: Source):
        space = source.label_space
        self._digest = hashlib.blake2b(repr((space, space and space.palette)).encode(), digest_size=16)
        self.known = True

    def add(self, fingerprint: str | None) -> None:
        """Goes on by one item."""
        self.known &= fingerprint is not None
        self._digest.update(f"{fingerprint}\n".encode(errors="surrogateescape"))

    def text(self) -> str:
        """The hash so far."""
        return self._digest.hexdigest()


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
        np.savez(file, fingerprint=fingerprint, **counts.arrays())


class _CountsFile:
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


def missing_classes(paired: Source, whole: Source) -> list[str]:
    """Names of the classes that ``whole`` has and ``paired`` has not, the don't-care class left out.

    Reads every label map of ``paired``, and of ``whole`` as many as it takes to find the missing classes, but for those whose
    counts a source knows.

    Args:
        paired: A source with label maps.
        whole: The source that it was taken from, or another.

    Returns:
        Class names, in the order of their ids.
    """
    space = paired.label_space
    absent = np.ones(space.num_classes, bool)
    if space.ignore_class is not None:
        absent[space.ignore_class] = False
    for counts in in_order(lambda i: counts_of(paired, i), 0, len(paired), _CHUNK):
        absent &= counts == 0
        if not absent.any():
            return []
    found = np.zeros(space.num_classes, bool)
    for counts in in_order(lambda i: counts_of(whole, i), 0, len(whole), _CHUNK):
        found |= absent & (counts > 0)
        if (found == absent).all():
            break
    return [space.class_names[c] for c in np.flatnonzero(found)]
