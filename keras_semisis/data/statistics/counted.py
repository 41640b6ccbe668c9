"""Items of a source whose class statistics are known."""

from collections.abc import Sequence

from keras_semisis.data.sources.source import Source, Subset
from keras_semisis.data.statistics.class_counts import ClassStatistics


class Counted(Subset):
    """Some items of a source, whose label maps have been counted: they need not be read for that again.

    Args:
        source: The source.
        indices: Which of its items, in which order.
        counts: The class statistics of these.
    """

    def __init__(self, source: Source, indices: Sequence[int], counts: ClassStatistics):
        super().__init__(source, indices)
        self._counts = counts

    def class_counts(self, index):
        return self._counts.rows(index, index + 1)[0]
