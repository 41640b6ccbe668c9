"""The command line `keras-semisis`. Commands import Keras when they run, so that ``--help`` does not wait for it."""

from keras_semisis.cli.app import app

__all__ = ["app", "main"]


def main() -> None:
    """Entry point of the program `keras-semisis`."""
    app()
