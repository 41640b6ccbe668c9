"""How values are written on the command line."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Form:
    """How values are written on the command line that are neither a number nor a word.

    Args:
        parse: Text and the option's name, for its message, to a value.
        write: The reverse.
    """

    parse: Callable[[str, str], Any]
    write: Callable[[Any], str]
