"""How errors and warnings are worded on the command line."""

import warnings

import typer
from typer.testing import CliRunner

from keras_semisis.cli.messages import reports_errors
from keras_semisis.data import DataError
from keras_semisis.data.data_warning import DataWarning
from keras_semisis.data.remedy import Remedy

REMEDIES = (Remedy("Give {}.", {"id_map": {127: 1, 255: 2}, "ignore_class": 2}), Remedy("Or {}.", {"palette": [(0, 0, 0)]}))


def run(action):
    app = typer.Typer()

    def command(ctx: typer.Context, id_map: str = "", ignore_class: int = 0):
        action()

    app.command("go")(reports_errors(command))
    return CliRunner().invoke(app, [], env={"COLUMNS": "200"})


def test_remedies_of_an_error_are_options_of_the_command():
    def fail():
        raise DataError("a.png: wrong.", *REMEDIES)

    result = run(fail)
    assert result.exit_code == 1
    assert result.output == "Error: a.png: wrong. Give --id-map 127=1 --id-map 255=2 --ignore-class 2.\n"


def test_warnings_are_one_line_with_options():
    said = []
    before = warnings.formatwarning

    def warn():
        said.append(warnings.formatwarning(DataWarning("a.png:\nodd.", *REMEDIES), DataWarning, "file.py", 1))
        said.append(warnings.formatwarning(UserWarning("id_map={1: 2} is mentioned."), UserWarning, "file.py", 1))

    assert run(warn).exit_code == 0
    assert said == [
        "Warning: a.png: odd. Give --id-map 127=1 --id-map 255=2 --ignore-class 2.\n",
        "Warning: id_map={1: 2} is mentioned.\n",
    ]
    assert warnings.formatwarning is before
