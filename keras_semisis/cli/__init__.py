"""The command line `keras-semisis`."""

from keras_semisis.cli.app import app

__all__ = ["app", "main"]


def main() -> None:
    """Entry point of the program `keras-semisis`."""
    app()
