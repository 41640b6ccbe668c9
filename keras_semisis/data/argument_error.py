"""The error of an argument that cannot be, which the command line knows as an option."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from keras_semisis.data.advised import Advised
from keras_semisis.data.remedy import Remedy, python_words


class ArgumentError(Advised, ValueError):
    """An argument is wrong. It is data in the error, so that the command line can name its option.

    Args:
        message: What is wrong; ``{}`` stands for the argument.
        given: The argument and its value.
        remedies, listed: As in `Advised`.

    Example:

    >>> raise ArgumentError("{} is not between 0 and 1.", {"ratio": 20})
    Traceback (most recent call last):
    keras_semisis.data.argument_error.ArgumentError: ratio=20 is not between 0 and 1.
    """

    def __init__(self, message: str, given: Mapping[str, Any], *remedies: Remedy, listed: Sequence[Advised] = ()):
        self.given = given
        super().__init__(message, *remedies, listed=listed)

    def worded(self, words: Callable[[Mapping[str, Any]], str | None]) -> str:
        return super().worded(words).replace("{}", words(self.given) or python_words(self.given))

    def __reduce__(self):
        return type(self), (self.message, self.given, *self.remedies)


def require_choice(name: str, value: Any, choices: Collection[str]) -> None:
    """Raises an `ArgumentError` if the value of an argument is none of those that there are.

    Example:

    >>> require_choice("fit", "pad", ("stretch", "crop"))
    Traceback (most recent call last):
    keras_semisis.data.argument_error.ArgumentError: fit='pad': expected stretch or crop.
    """
    if value not in choices:
        listed = " or ".join(choices) if len(choices) == 2 else f"one of {', '.join(choices)}"
        raise ArgumentError(f"{{}}: expected {listed}.", {name: value})
