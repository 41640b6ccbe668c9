"""Files that cannot be used: how many of them are tolerated, and which they were."""

import threading

from keras_semisis.data.data_error import DataError


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
