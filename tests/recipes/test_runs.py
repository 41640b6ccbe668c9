"""Run folders side by side."""

import json
import os

import pytest

from keras_semisis.recipes.choice import MOST_STEPS_OF_MINUTES
from keras_semisis.recipes.run_folder import read_settings
from keras_semisis.recipes.runs import read_runs
from tests.cli.command import call


@pytest.fixture
def runs(tmp_path):
    """Three runs, the oldest first: scored twice, never, and once."""
    for age, (name, scores) in enumerate({"a": [40.0, 30.0], "deep/b": [], "c": [35.0]}.items()):
        folder = tmp_path / name
        folder.mkdir(parents=True)
        options = {"method": "oasis", "data": "camvid:PATH", "ratio": 0.1, "image_size": [48, 64], "seed": age, "steps": 20}
        (folder / "settings.json").write_text(json.dumps({"options": options}))
        (folder / "losses.jsonl").write_text("".join(f'{{"step": {step}}}\n' for step in range(1, 11)) + '{"ste')
        lines = [{"step": 5 * (i + 1), "frechet": value, "miou": 1 / value, "kid_se": 0.1} for i, value in enumerate(scores)]
        (folder / "scores.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        os.utime(folder / "settings.json", ns=(age * 10**9, age * 10**9))
    for step in (5, 10):
        (tmp_path / "a" / f"grid-{step:06}.png").touch()
    return tmp_path


def names(found):
    return [run["folder"].rpartition("/")[2] for run in found]


def test_the_newest_run_is_first_with_what_its_folder_holds(runs):
    found = read_runs([runs, runs / "a"])
    assert names(found) == ["c", "b", "a"]
    assert found[2] == {
        "folder": str(runs / "a"),
        "method": "oasis",
        "data": "camvid:PATH",
        "ratio": 0.1,
        "image_size": [48, 64],
        "seed": 0,
        "steps": 10,
        "of": 20,
        "minutes": None,
        "scores": {"frechet": 30.0, "miou": 1 / 30},
        "scored_at": 10,
        "grid": str(runs / "a" / "grid-000010.png"),
    }
    assert (found[1]["scores"], found[1]["scored_at"], found[1]["grid"]) == ({}, None, None)


def test_a_run_of_some_minutes_has_no_number_of_steps(runs):
    settings = runs / "c" / "settings.json"
    document = json.loads(settings.read_text())
    document["options"] |= {"steps": MOST_STEPS_OF_MINUTES, "minutes": 5.0}
    settings.write_text(json.dumps(document))
    (found,) = read_runs([runs / "c"])
    assert (found["steps"], found["of"], found["minutes"]) == (10, None, 5)
    assert "10, at most 5 min" in call("runs", runs) and "1000000" not in call("runs", runs)


@pytest.mark.parametrize("score", ["frechet", "miou"])
def test_the_best_run_is_first_by_its_last_scores(runs, score):
    assert names(read_runs([runs], sort=score)) == ["a", "c", "b"]


def test_what_is_not_there_is_said(runs, tmp_path):
    with pytest.raises(ValueError, match=r"sort='kid_se': expected one of .*frechet"):
        read_runs([runs], sort="kid_se")
    with pytest.raises(ValueError, match="there is no such folder"):
        read_runs([tmp_path / "nowhere"])
    (tmp_path / "empty").mkdir()
    assert read_runs([tmp_path / "empty"]) == []


def test_the_command_prints_a_table_or_json(runs):
    table = call("runs", runs, "--sort", "frechet")
    assert {"oasis", "camvid", "0.1", "30", "35"} <= set(table.split())
    assert [run["seed"] for run in json.loads(call("runs", runs, "--json"))] == [2, 1, 0]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("steps", "20", r'steps: expected int, found "20"'),
        ("seed", True, "seed: expected int, found true"),
        ("output", None, "output: expected str, found null"),
        ("image_size", 32, r"image_size: expected tuple\[int, int\], found 32"),
        ("image_size", [32, 32, 3], r"image_size: expected tuple\[int, int\], found \[32, 32, 3\]"),
        ("id_map", {"255": 3}, r'id_map: expected tuple\[str, \.\.\.\], found {"255": 3}'),
        ("ratio", "all", r'ratio: expected float \| None, found "all"'),
        ("unconditional_channels", {"a": 4}, "unconditional_channels: expected .*dict"),
    ],
)
def test_a_setting_of_another_type_is_named_with_its_file(tmp_path, name, value, expected):
    options = {"data": "camvid:PATH", "output": "run", "ratio": 1, "image_size": [48, 64], "method": "oasis"}
    path = tmp_path / "settings.json"
    path.write_text(json.dumps({"options": options}))
    assert read_settings(tmp_path).image_size == (48, 64)
    path.write_text(json.dumps({"options": {**options, name: value}}))
    with pytest.raises(ValueError, match=rf"settings\.json: {expected}"):
        read_settings(tmp_path)
    path.write_text(json.dumps({"options": {"data": "camvid:PATH"}}))
    with pytest.raises(ValueError, match=r"settings\.json: its options lack output\. Bring"):
        read_settings(tmp_path)


@pytest.mark.parametrize("text", ['{"editor.fontSize": 12}', "// comment\n{}", "[]"])
def test_settings_of_other_programs_are_no_runs(runs, told, text):
    (runs / ".vscode").mkdir()
    (runs / ".vscode" / "settings.json").write_text(text)
    (runs / "c" / "settings.json").write_text('{"options": ')
    assert names(read_runs([runs])) == ["b", "a"]
    said = told()
    assert said.count("damaged") == 1 and "c/settings.json" in said
    with pytest.raises(ValueError, match=r"holds no run \(its settings\.json is damaged or of another program\)"):
        read_settings(runs / ".vscode")
