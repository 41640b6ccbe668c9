"""How errors and warnings are worded on the command line."""

import io
import os
import sys
import warnings
from contextlib import nullcontext, suppress

import keras
import numpy as np
import pytest
import typer
from PIL import Image
from rich.console import Console
from rich.table import Table
from typer.testing import CliRunner

from keras_semisis.cli.messages import console, reports_errors
from keras_semisis.data import DataError, Folder
from keras_semisis.data.data_warning import DataWarning
from keras_semisis.data.remedy import Remedy
from keras_semisis.gans import Sampler
from keras_semisis.recipes import TerminalProgress, terminal_progress
from keras_semisis.recipes.notices import tell
from tests.cli.command import call

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


class ResourceExhaustedError(Exception):
    """As TensorFlow calls it."""


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB."),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 40 bytes."),
        RuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 40 bytes."),
        ResourceExhaustedError("OOM when allocating tensor"),
    ],
)
def test_memory_that_is_not_enough(error):
    def fail(*_, **__):
        raise error

    assert run(fail).output == "Error: There is not enough memory.\n"
    app = typer.Typer()

    def command(ctx: typer.Context, batch_size: int = 1, image_size: str = "", resume: str = ""):
        fail()

    app.command("go")(reports_errors(command))
    for given, advice in ([], "Give"), (["--resume", "run"], "Begin another run with"):
        said = CliRunner().invoke(app, given, env={"COLUMNS": "200"}).output
        assert said == f"Error: There is not enough memory. {advice} a smaller --batch-size or --image-size.\n"


def test_another_error_is_no_message():
    def fail():
        raise RuntimeError("a fault of the program")

    assert str(run(fail).exception) == "a fault of the program"


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


def a_pipe_without_a_reader():
    reading, writing = os.pipe()
    os.close(reading)
    return open(writing, "w")


@pytest.mark.parametrize("file", ["pipe", "/dev/full"])
def test_a_command_goes_on_where_what_it_prints_is_lost(file, monkeypatch, capfd):
    if file != "pipe" and not os.path.exists(file):
        pytest.skip("there is no such file here")
    done = []

    def command(ctx: typer.Context):
        for _ in range(3):
            tell("A fact.")
            print("a score", flush=True)
            console.print(Table("a table"))
        done.append(True)

    app = typer.Typer()
    app.command("go")(reports_errors(command))
    output = a_pipe_without_a_reader() if file == "pipe" else open(file, "w")  # noqa: SIM115
    monkeypatch.setattr(sys, "stdout", output)
    code = app([], standalone_mode=False)
    monkeypatch.undo()
    if file == "pipe":
        output.write("what it would refuse at the end")
    with nullcontext() if file == "pipe" else suppress(OSError):
        output.close()
    assert done == [True]
    said = "" if file == "pipe" else "Error: Some of what was printed is lost (No space left on device).\n"
    assert (code or 0, capfd.readouterr().err) == (bool(said), said)


def test_brackets_in_names_and_paths_are_printed(tmp_path):
    names, data, output = ("car [moving]", "tree [/x]"), tmp_path / "data[v2]", tmp_path / "out[v2]"
    for kind, shape in (("images", (4, 4, 3)), ("labels", (4, 4))):
        (data / kind).mkdir(parents=True)
        for i in range(2):
            Image.fromarray(np.full(shape, i, "uint8")).save(data / kind / f"{i}.png")
    (data / "classes.csv").write_text(f"id,name,r,g,b\n0,{names[0]},0,0,9\n1,{names[1]},9,0,0\n")
    label_map = keras.Input((4, 4), dtype="int32")
    generator = keras.Model(label_map, keras.layers.Embedding(2, 3)(label_map))
    Sampler(generator, 2, (4, 4), label_space=Folder(data).label_space).save(tmp_path / "model.keras")
    drawn = call("augment", tmp_path / "model.keras", "--data", f"folder:{data}", "--output", output, "--no-filter")
    assert f"--augmented {output}" in drawn
    for printed in (drawn, call("check", "--data", f"folder:{data}"), call("classes", f"folder:{data}")):
        assert all(f" {name} " in printed for name in names)
    (data / "labels" / "1.png").write_bytes(b"")
    assert f"{data}/labels/1.png" in call("check", "--data", f"folder:{data}", code=1)
    assert "nowhere[/x]: there is no such source or folder" in call("classes", "nowhere[/x]", code=1)


@pytest.mark.parametrize("terminal", [True, False])
def test_brackets_in_titles_of_progress_are_printed(terminal, monkeypatch):
    monkeypatch.setattr(terminal_progress, "_SECONDS_A_LINE", -1)
    output = io.StringIO()
    progress = TerminalProgress(Console(file=output, force_terminal=terminal, width=200))
    with progress.counting("Tiles of tree [/x]") as show:
        show(1, 2)
    with progress.steps("car [moving]", 1) as [bar]:
        bar.on_train_begin()
        bar.on_train_batch_end(0, {"[loss]": 1.0})
        bar.on_train_end()
    for text in ("Tiles of tree [/x]", "car [moving]", "[loss] 1.00"):
        assert text in output.getvalue()
