"""Files that cannot be used: how many of them are tolerated, and which they were."""

import threading

import numpy as np

from keras_semisis.data.label_space import DataError
from keras_semisis.data.sources.source import Source, Subset


class BadFiles:
    """Keeps the errors of files that cannot be used, and raises when they become too many.

    What takes ``skip_bad`` takes a number, or one of these, which then counts the files of several data sets together.

    Args:
        tolerated: Number of files that may be bad. With 0 the first raises its own error.

    Attributes:
        messages: What is wrong with each of them, in the order in which they were met; each names its file.

    Example:

    >>> bad = BadFiles(1)
    >>> bad.add(DataError("a.png: cannot be read."))
    >>> bad.add(DataError("b.png: cannot be read."))
    Traceback (most recent call last):
    keras_semisis.data.label_space.DataError: Bad files: 2, of which skip_bad=1 tolerates 1:
      a.png: cannot be read.
      b.png: cannot be read.
    """

    def __init__(self, tolerated: int = 0):
        if tolerated < 0:
            raise ValueError(f"skip_bad={tolerated} must not be negative.")
        self.tolerated = tolerated
        self.messages: list[str] = []
        self._lock = threading.Lock()

    def add(self, error: DataError) -> None:
        """Takes note of a file that cannot be used, once.

        Raises:
            DataError: If there are more than ``tolerated``: all of them.
        """
        if not self.tolerated:
            raise error
        with self._lock:
            if str(error) not in self.messages:
                self.messages.append(str(error))
            if len(self.messages) > self.tolerated:
                raise DataError(f"Bad files: {len(self.messages)}, of which skip_bad={self.tolerated} tolerates "
                                f"{self.tolerated}:{self.listed()}") from error

    def listed(self) -> str:
        """The messages, each in an indented line of its own."""
        return "".join(f"\n  {message}" for message in self.messages)


def bad_files(skip_bad: int | BadFiles) -> BadFiles:
    """`BadFiles` of either form of the argument ``skip_bad``."""
    return skip_bad if isinstance(skip_bad, BadFiles) else BadFiles(skip_bad)


def good_items(source: Source, bad: BadFiles) -> Source:
    """The items of a source that can be used; where bad files are tolerated, each is read once to know.

    Raises:
        DataError: If more are bad than tolerated.
    """
    if not bad.tolerated:
        return source

    def usable(index):
        try:
            source.load(index)
        except DataError as error:
            bad.add(error)
            return False
        return True

    return source.subset(np.array([index for index in range(len(source)) if usable(index)], np.int64))


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
