"""Label maps for class statistics, of which some may be bad."""

import numpy as np

from keras_semisis.data.bad_files import BadFiles
from keras_semisis.data.data_error import DataError
from keras_semisis.data.sources.source import Source, Subset


def to_be_counted(source: Source, bad: BadFiles) -> Source:
    """The label maps of a source for class statistics: where bad files are tolerated, they have no pixels."""
    return _BadAreEmpty(source, bad) if bad.tolerated else source


class _BadAreEmpty(Subset):
    """The label maps of a source, of no pixels where a file is bad."""

    def __init__(self, source: Source, bad: BadFiles):
        super().__init__(source, range(len(source)))
        self._bad = bad

    def fingerprint(self, index):
        try:
            return super().fingerprint(index)
        except DataError as error:
            self._bad.add(error)
            return f"{self.name(index)}: {error}"

    def load_label_map(self, index):
        try:
            return super().load_label_map(index)
        except DataError as error:
            self._bad.add(error)
            return np.zeros((0, 0), np.uint8)
