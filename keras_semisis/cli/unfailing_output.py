"""Printing that ends no command: whoever reads it may be gone, and the disk of a log may be full."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any


@contextmanager
def unfailing_output() -> Iterator[Callable[[], None]]:
    """Within ``with``: what cannot be printed is lost, and the command goes on, whether Python prints, rich or Keras.

    Of a pipe without a reader, such as a ``tee`` that the same Ctrl-C has ended, nothing more is asked; any other file is
    tried again with all that follows.

    Yields:
        What raises an `OSError` if something that was not for a pipe is lost, to be called where the command is done.
    """
    streams = sys.stdout, sys.stderr
    errors: list[OSError] = []
    sys.stdout, sys.stderr = (None if stream is None else _Unfailing(stream, errors) for stream in streams)

    def check():
        if errors:
            raise OSError(f"Some of what was printed is lost ({errors[0].strerror or errors[0]}).") from errors[0]

    try:
        yield check
    finally:
        sys.stdout, sys.stderr = streams


class _Unfailing:
    """A stream of text whose writing does not fail, and which keeps the first error."""

    def __init__(self, stream: Any, errors: list[OSError]):
        self._stream = stream
        self._errors = errors

    def __getattr__(self, name):
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        with self._spared():
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with self._spared():
            self._stream.flush()

    @contextmanager
    def _spared(self):
        try:
            yield
        except BrokenPipeError:
            with suppress(OSError), open(os.devnull, "w") as nowhere:
                os.dup2(nowhere.fileno(), self._stream.fileno())
        except OSError as error:
            self._errors[:] = self._errors or [error]
