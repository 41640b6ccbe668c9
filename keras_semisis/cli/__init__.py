"""The command line `keras-semisis`."""

from keras_semisis.cli.app import app

__all__ = ["app", "main"]


def main() -> None:
    """Runs the program on the arguments of the process."""
    from keras_semisis.cli.quiet_start import quiet_start

    with quiet_start():
        app()
