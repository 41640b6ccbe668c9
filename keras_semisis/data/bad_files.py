"""Files that cannot be used: how many of them are tolerated, and which they were."""

import threading
from collections.abc import Callable

import numpy as np

from keras_semisis.data.data_error import DataError
from keras_semisis.data.sources.source import Source, Subset
from keras_semisis.data.statistics.counting import in_order


class BadFiles:
    """Keeps the errors of files that cannot be used, and raises when they become too many.

    What takes ``skip_bad`` takes a number, or one of these, which then counts the files of several data sets together.

    Args:
        tolerated: Number of files that may be bad. With 0 the first raises its own error.

    Attributes:
        errors: What is wrong with each of them, in the order in which they were met.
        messages: The same as text; each names its file.

    Example:

    >>> bad = BadFiles(1)
    >>> bad.add(DataError("a.png: cannot be read."))
    >>> bad.add(DataError("b.png: cannot be read."))
    Traceback (most recent call last):
    keras_semisis.data.data_error.DataError: Bad files: 2, of which 1 is tolerated:
      a.png: cannot be read.
      b.png: cannot be read.
    """

    def __init__(self, tolerated: int = 0):
        if tolerated < 0:
            raise ValueError(f"skip_bad={tolerated} must not be negative.")
        self.tolerated = tolerated
        self.errors: list[DataError] = []
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
                self.errors.append(error)
            if len(self.errors) > self.tolerated:
                raise DataError(
                    f"Bad files: {len(self.errors)}, of which {self.tolerated} "
                    f"{'is' if self.tolerated == 1 else 'are'} tolerated:",
                    listed=self.errors,
                ) from error

    @property
    def messages(self) -> list[str]:
        return [str(error) for error in self.errors]

    def listed(self) -> str:
        """The messages, each in an indented line of its own."""
        return "".join(f"\n  {message}" for message in self.messages)


def bad_files(skip_bad: int | BadFiles) -> BadFiles:
    """`BadFiles` of either form of the argument ``skip_bad``."""
    return skip_bad if isinstance(skip_bad, BadFiles) else BadFiles(skip_bad)


def good_items(
    source: Source, bad: BadFiles, images: bool = True, progress: Callable[[int, int], None] | None = None
) -> Source:
    """The items of a source that can be used; where bad files are tolerated, each is read once to know.

    Args:
        source: Photos, label maps or both.
        bad: Takes note of the others.
        images: False looks at the label maps alone. (Of a source without ``label_space`` the photos are looked at alone.)
        progress: Called with (items read, items in all).

    Raises:
        DataError: If more are bad than tolerated, or all of them.
    """
    if not bad.tolerated or not len(source):
        return source
    read = source.load if images else source.load_label_map
    if source.label_space is None:
        read = source.load_image

    def usable(index):
        try:
            read(index)
        except DataError as error:
            bad.add(error)
            return False
        return True

    good = []
    for index, is_good in enumerate(in_order(usable, 0, len(source))):
        good += [index] * is_good
        if progress is not None:
            progress(index + 1, len(source))
    if not good:
        raise DataError(f"None of the {len(source)} items can be used:", listed=bad.errors)
    return source.subset(good)


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
