"""What an error and a warning about data have in common: a fact, and remedies as data."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from keras_semisis.data.remedy import Remedy, python_words


class Advised(Exception):
    """Base of errors and warnings that carry their remedies.

    As text it is in Python's words; `worded` puts it into others.

    Args:
        message: What is wrong, and where.
        remedies: What to do.
        listed: Others that it is about, each in an indented line of its own.

    Attributes:
        message, remedies, listed: As given.
    """

    def __init__(self, message: str, *remedies: Remedy, listed: Sequence["Advised"] = ()):
        # A file name that is no UTF-8 could not be printed
        self.message = message.encode("utf-8", "backslashreplace").decode()
        self.remedies = remedies
        self.listed = tuple(listed)
        super().__init__(self.worded(python_words))

    def worded(self, words: Callable[[Mapping[str, Any]], str | None]) -> str:
        """The text with what the remedies set in ``words``; remedies that these have no words for are left out."""
        sentences = (remedy.worded(words) for remedy in self.remedies)
        text = " ".join([self.message, *(sentence for sentence in sentences if sentence is not None)])
        return "".join([text, *(f"\n  {other.worded(words)}" for other in self.listed)])

    def about(self, where: str) -> "Advised":
        """The same, of what is named here."""
        return type(self)(f"{where}: {self.message}", *self.remedies, listed=self.listed)

    def __reduce__(self):
        return _again, (type(self), self.message, self.remedies, self.listed)


def _again(kind, message, remedies, listed):
    return kind(message, *remedies, listed=listed)
