"""Calls of the command line within the test's process."""

from typer.testing import CliRunner

from keras_semisis.cli import app


def call(*arguments, code=0):
    """What `keras-semisis` prints, on a terminal wide enough that it breaks no line."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], env={"COLUMNS": "200"})
    assert result.exit_code == code, result.output + repr(result.exception)
    return result.output
