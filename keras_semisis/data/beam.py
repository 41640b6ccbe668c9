"""Class statistics and packing on many machines, as Apache Beam pipelines.

Import this module by its name: ``from keras_semisis.data import beam``. It needs the extra ``beam``.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from keras_semisis.data.packs.pack_files import UNPAIRED_IMAGES, UNPAIRED_LABELS
from keras_semisis.data.packs.packing import Packer, remove_pack
from keras_semisis.data.sources.source import Source
from keras_semisis.data.sources.source_digest import SourceDigest
from keras_semisis.data.statistics.class_counts import ClassStatistics
from keras_semisis.data.statistics.counts_file import write_counts
from keras_semisis.data.statistics.pixel_counts import counts_of
from keras_semisis.whole_file import read_npz

try:
    import apache_beam as beam
except ImportError as missing:
    raise ImportError(f'keras_semisis.data.beam needs Apache Beam (pip install "keras-semisis[beam]"): {missing}') from None

__all__ = ["class_statistics", "write_records"]


def class_statistics(
    open_source: Callable[[], Source], cache: str | Path, options=None, items_per_task: int = 256
) -> ClassStatistics:
    """`keras_semisis.data.class_statistics` on the workers of a Beam runner, with the same result.

    Afterwards ``paired_dataset(..., statistics_cache=cache)`` uses the counts.

    Args:
        open_source: Makes the source, here and on every worker, such as ``functools.partial(Folder, PATH)``.
            It travels to the workers instead of the source and its list of files.
        cache: The `.npz` file that is written, on a file system that all machines share.
        options: `apache_beam.options.pipeline_options.PipelineOptions`, which choose the runner; None runs on
            this machine.
        items_per_task: Label maps that a worker counts in a row.

    Returns:
        The counts, which are in the file as well.

    Raises:
        DataError: If a label map cannot be read or holds a stray id (runners may wrap it).

    Example:

    >>> from functools import partial
    >>> from keras_semisis.data import Folder
    >>> counts = class_statistics(partial(Folder, "/shared/data"), "/shared/counts.npz")  # doctest: +SKIP
    """
    number = len(open_source())
    with beam.Pipeline(options=options) as pipeline:
        (
            pipeline
            | beam.Create(range(0, number, items_per_task))
            | beam.Reshuffle()
            | "Count" >> beam.ParDo(_Count(open_source, items_per_task))
            | beam.combiners.ToList()
            | "Write" >> beam.Map(_write_counts, open_source, str(cache))
        )
    return ClassStatistics.from_arrays(read_npz(Path(cache)))


class _Count(beam.DoFn):
    """First index of a task → that index, the fingerprints of its items, and their counts as arrays."""

    def __init__(self, open_source, items_per_task):
        self._open_source = open_source
        self._items_per_task = items_per_task

    def setup(self):
        self._source = self._open_source()

    def process(self, first):
        counts, fingerprints = ClassStatistics(self._source.label_space.num_classes), []
        for index in range(first, min(first + self._items_per_task, len(self._source))):
            fingerprints.append(self._source.fingerprint(index))
            counts.append(counts_of(self._source, index))
        yield first, fingerprints, counts.arrays()


def _write_counts(tasks, open_source, cache):
    source = open_source()
    counts, digest = ClassStatistics(source.label_space.num_classes), SourceDigest(source)
    for _, fingerprints, arrays in sorted(tasks, key=lambda task: task[0]):
        counts.extend(ClassStatistics.from_arrays(arrays))
        for fingerprint in fingerprints:
            digest.add(fingerprint)
    write_counts(Path(cache), counts, digest.text() if digest.known else "")


def write_records(
    open_source: Callable[[], Source], path: str | Path, images: bool = True, items_per_shard: int | None = None, options=None
) -> None:
    """`keras_semisis.data.write_records` on the workers of a Beam runner: the same files, a shard a task.

    Shards that are complete from an earlier run are left as they are. Photos and label maps without a partner become packs
    inside the pack, as there.

    Args:
        open_source: Makes the source, here and on every worker.
        path: The folder, on a file system that all machines share.
        images, items_per_shard: As in `keras_semisis.data.write_records`.
        options: `PipelineOptions`, which choose the runner; None runs on this machine.

    Raises:
        DataError: If the source is empty or a label map is wrong (runners may wrap it).
        FileExistsError: If there is something else at ``path``.
        ImportError: If the package array_record is not installed.
    """
    source = open_source()
    packer = Packer(source, path, images, items_per_shard)
    done = packer.is_done()
    if not done:
        _write_shards(packer, open_source, options, str(path), images, items_per_shard)
    folder = Path(path) if done else packer.unfinished
    for name, part, with_images in ((UNPAIRED_IMAGES, "unpaired_images", True), (UNPAIRED_LABELS, "unpaired_labels", False)):
        if getattr(source, part) is not None and (images or not with_images):
            write_records(partial(_part_of, open_source, part), folder / name, with_images, items_per_shard, options)
        elif not done:
            remove_pack(folder / name)
    if not done:
        packer.finish()


def _part_of(open_source, part):
    return getattr(open_source(), part)


def _write_shards(packer, open_source, options, *arguments):
    with beam.Pipeline(options=options) as pipeline:
        (pipeline | beam.Create(range(packer.num_shards)) | beam.Reshuffle() | beam.ParDo(_WriteShard(open_source, *arguments)))


class _WriteShard(beam.DoFn):
    """Number of a shard → nothing; the shard is written."""

    def __init__(self, open_source, *arguments):
        self._open_source = open_source
        self._arguments = arguments

    def setup(self):
        self._packer = Packer(self._open_source(), *self._arguments)

    def process(self, number):
        self._packer.write_shard(number)
