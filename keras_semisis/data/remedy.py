"""What leads out of an error: a sentence, and as data what it says to set."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Remedy:
    """Advice in an error or a warning, which Python words as arguments and the command line as options.

    Args:
        sentence: The advice; ``{}`` in it stands for the settings.
        settings: Argument → value, what to set for what was called; ``...`` as a value is one that only the user knows.
        in_python: What stands for the settings in Python, where they are of the command line alone.

    Example:

    >>> remedy = Remedy("Give {} to make a class of it.", {"id_map": {255: 1}})
    >>> remedy.worded(python_words)
    'Give id_map={255: 1} to make a class of it.'
    >>> Remedy("Map it by {}.", {"id_map": ...}).worded(python_words)
    'Map it by id_map=.'
    >>> Remedy("Name it by {}.", {"train_split": ...}, "split=").worded(python_words)
    'Name it by split=.'
    """

    sentence: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    in_python: str | None = None

    def worded(self, words: Callable[[Mapping[str, Any]], str | None]) -> str | None:
        """The sentence with the settings in ``words``; None where these have no words for them."""
        if not self.settings:
            return self.sentence
        worded = self.in_python if self.in_python and words is python_words else words(self.settings)
        return None if worded is None else self.sentence.replace("{}", worded)


def python_words(settings: Mapping[str, Any]) -> str:
    """Settings as arguments of a call."""
    return ", ".join(f"{name}=" if value is ... else f"{name}={value!r}" for name, value in settings.items())
