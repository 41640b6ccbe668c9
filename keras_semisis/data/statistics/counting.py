"""One streaming pass over label maps that counts the pixels of each class."""

from collections.abc import Callable
from pathlib import Path

from keras_semisis.ahead import in_order
from keras_semisis.data.sources.source import Source
from keras_semisis.data.statistics.class_counts import ClassStatistics
from keras_semisis.data.statistics.counts_file import CountsFile
from keras_semisis.data.statistics.pixel_counts import counts_of

_CHUNK = 16


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
    kept = None if cache is None else CountsFile(Path(cache), source)
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
