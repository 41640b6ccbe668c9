"""An option is declared once: parser, refusals, recipe, constructors, settings file and resume follow."""

import json
from dataclasses import asdict, dataclass

import pytest
import typer
from typer.testing import CliRunner

from keras_semisis.cli.command import command
from keras_semisis.cli.commands import train as train_command
from keras_semisis.data import SyntheticScenes
from keras_semisis.options.data import DataOptions
from keras_semisis.options.evaluate import EvaluateOptions
from keras_semisis.options.option import LOSSES, from_json, option, options_of
from keras_semisis.options.pack import PackOptions
from keras_semisis.options.resume import ResumeOptions
from keras_semisis.options.segmenter import SegmenterOptions
from keras_semisis.options.train import TrainSettings
from keras_semisis.recipes import choice, run_folder
from tests.cli.command import call


@dataclass
class Invented(TrainSettings):
    """An option more: this is all that is written to have it."""

    novelty: float | None = option(None, "How new it looks.", LOSSES, methods=("oasis",), of_system=True, min=0)


def run(*arguments, declaring=(Invented, ResumeOptions)):
    """The exit status, what is printed, and what the command was given."""
    seen = []
    app = typer.Typer()

    @app.callback()
    def group():
        pass

    made = command("go", *declaring)(seen.append)
    app.command(made.command_name)(made)
    result = CliRunner().invoke(app, ["go", *map(str, arguments)], env={"COLUMNS": "200"})
    return result.exit_code, result.output, seen


def test_the_parser_has_it():
    code, _, (given,) = run("--novelty", 2, "--id-map", "255=1", "--id-map", "9=0", "--judge-pairs")
    assert code == 0 and given.by_hand == {"novelty", "id_map", "judge_pairs"}
    assert (given.values["novelty"], given.values["id_map"], given.values["image_size"]) == (2.0, ("255=1", "9=0"), None)
    assert run("--novelty", -1)[0] == 2
    help = run("--help")[1].partition("Losses and optimizers")[2].partition("╰")[0]
    assert "--novelty" in help and "How new it looks." in help


def test_methods_without_it_refuse_it():
    with pytest.raises(ValueError, match=r"^--method semi_paired has no use for --novelty: leave that out"):
        Invented("synthetic", "run", novelty=1.0)
    assert Invented("synthetic", "run", "oasis", novelty=1.0).novelty == 1


def test_the_constructor_of_a_system_is_given_it():
    assert Invented("synthetic", "run", "oasis", novelty=1.0, learning_rate=1.0).of_system == {"novelty": 1.0}
    assert Invented("synthetic", "run", "oasis").of_system == {}


def test_the_recipe_for_few_labels_leaves_it_alone(monkeypatch):
    monkeypatch.setattr(choice, "TrainSettings", Invented)
    options = asdict(Invented("synthetic", "run")) | {"trunk": "none"}
    chosen = choice.with_recipe(options, ())
    assert chosen["recipe"] == "few_labels"
    options["trunk"] = None
    assert choice.with_recipe(options, {"novelty"})["recipe"] == "paper"


def test_the_settings_file_keeps_it(tmp_path, monkeypatch):
    monkeypatch.setattr(run_folder, "TrainSettings", Invented)
    settings = Invented("synthetic", "run", "oasis", novelty=0.5, trunk_size=(64, 96), image_range=(0, 4095))
    document = run_folder.document_of(settings, SyntheticScenes(1).label_space)
    run_folder.write_document(tmp_path / run_folder.FILE, document)
    assert run_folder.read_settings(tmp_path) == settings
    # one of a version that did not have it
    del document["options"]["novelty"]
    run_folder.write_document(tmp_path / run_folder.FILE, document)
    assert run_folder.read_settings(tmp_path).novelty is None


def test_a_resume_refuses_it(monkeypatch):
    monkeypatch.setattr(train_command, "TrainSettings", Invented, raising=False)
    _, _, (given,) = run("--resume", "run", "--novelty", 1, "--skip-bad", 2)
    with pytest.raises(ValueError, match=r"^--resume takes all settings from the run folder: leave --novelty out\.$"):
        train_command._go_on(given)


def test_tuples_and_numbers_as_keys_come_back_from_json():
    settings = TrainSettings(
        "synthetic",
        "run",
        id_map=("255=3",),
        discriminator_channels=(4, 8),
        unconditional_channels={4: 8, 8: 8},
        unconditional_betas=(0.0, 0.99),
    )
    assert from_json(TrainSettings, json.loads(json.dumps(asdict(settings)))) == settings
    assert from_json(TrainSettings, {"data": "x", "output": "y", "unconditional_channels": 0.5}).unconditional_channels == 0.5


@pytest.mark.parametrize(
    ("declaring", "arguments", "expected"),
    [
        (PackOptions, ("synthetic", "packs"), {"image_size": (64, 96), "id_map": ()}),
        (PackOptions, ("synthetic", "packs", "--image-size", "8x16"), {"image_size": (8, 16), "data": "synthetic"}),
        (SegmenterOptions, ("--data", "x", "--channels", "4,8"), {"channels": (4, 8), "image_size": None}),
        (SegmenterOptions, ("--data", "x"), {"channels": (32, 64, 128, 128, 128), "learning_rate": 1e-3}),
        (EvaluateOptions, ("street", "--data", "x", "--image-range", "0:4095"), {"image_range": (0, 4095)}),
    ],
)
def test_what_is_typed_is_read(declaring, arguments, expected):
    code, output, seen = run(*arguments, declaring=[declaring])
    assert code == 0, output
    assert {name: seen[0].values[name] for name in expected} == expected


def test_what_cannot_be_read_is_an_error_in_a_line():
    code, output, _ = run("--data", "x", "--channels", "4,,8", declaring=[SegmenterOptions])
    assert code == 1 and output.startswith("Error: --channels 4,,8: expected widths") and output.count("\n") == 1
    assert run("--channels", "4", declaring=[SegmenterOptions])[0] == 2  # no --data


def test_commands_share_their_declarations():
    for declaring in (TrainSettings, EvaluateOptions, SegmenterOptions):
        assert options_of(declaring)["id_map"] is options_of(DataOptions)["id_map"]


@pytest.mark.parametrize(
    ("options", "in_python", "on_the_command_line"),
    [
        ({"method": "pix2pix"}, "method='pix2pix': expected one of semi_paired", "--method pix2pix: expected one of"),
        ({"fit": "pad"}, "fit='pad': expected stretch or crop", "--fit pad: expected"),
    ],
)
def test_an_argument_is_one_in_python_and_an_option_on_the_command_line(options, in_python, on_the_command_line):
    with pytest.raises(ValueError, match=f"^{in_python}"):
        TrainSettings("synthetic", "run", **options)
    (name, value), *_ = options.items()
    assert call("train", "--data", "synthetic", f"--{name}", value, code=1).startswith(f"Error: {on_the_command_line}")
