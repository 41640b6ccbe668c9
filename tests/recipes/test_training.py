"""A run by functions, as the command has it."""

import json
from dataclasses import replace

import pytest

from keras_semisis import recipes
from keras_semisis.gans import OASIS
from keras_semisis.gans.batch_statistics import Calibration
from tests.conftest import not_on_jax

pytestmark = [
    pytest.mark.usefixtures("eager_tensorflow"),
    not_on_jax,
    pytest.mark.filterwarnings("ignore:The . pairs", "ignore:Even though the"),
]


def settings(folder, steps):
    return recipes.TrainSettings(
        "synthetic:3",
        str(folder),
        "oasis",
        image_size=(32, 32),
        batch_size=1,
        steps=steps,
        base_channels=1,
        hidden_channels=2,
        num_blocks=1,
        discriminator_channels=(2,),
        discriminator_final_channels=2,
    )


def test_a_run_in_python_says_nothing_and_goes_on(tmp_path, capsys, told, monkeypatch):
    monkeypatch.setattr(Calibration, "label_maps", lambda self: [next(iter(self.dataset))[1:]])
    folder = tmp_path / "run"
    run = recipes.begin(settings(folder, 1))
    assert (type(run.gan), run.start, run.data.counts) == (OASIS, 0, {"pairs": 3, "validation": 1})
    assert run.train() is True
    with pytest.raises(ValueError, match="there is a run in this folder"):
        recipes.begin(settings(folder, 1))
    with pytest.raises(ValueError, match="this run has done all of its 1 steps"):
        recipes.go_on(recipes.settings_to_go_on(folder))
    # more steps than it was begun with
    document = json.loads((folder / "settings.json").read_text())
    document["options"]["steps"] = 2
    recipes.write_document(folder / "settings.json", document)
    again = recipes.go_on(recipes.settings_to_go_on(folder))
    assert again.start == 1 and again.train() and again.gan.step == 2
    assert capsys.readouterr().out == "" and told() == ""
    assert [json.loads(line)["step"] for line in (folder / "losses.jsonl").read_text().splitlines()] == [1, 2]


def test_rates_fall_over_the_share_of_the_steps_that_is_asked_for(tmp_path, monkeypatch):
    monkeypatch.setattr(Calibration, "label_maps", lambda self: [next(iter(self.dataset))[1:]])
    rates = []
    for share in (0.0, 0.1, 1.0):
        run = recipes.begin(replace(settings(tmp_path / str(share), 2), learning_rate=1e-3, learning_rate_decay=share))
        assert run.train()
        rates.append(float(run.gan.optimizers["generator"].learning_rate))
    # of a tenth of two steps the last has the whole rate, as the first of two has
    assert rates == pytest.approx([1e-3, 1e-3, 0.5e-3])


@pytest.mark.parametrize("share", [-0.1, 1.5, float("nan")])
def test_a_share_of_the_steps_that_is_none(tmp_path, share):
    with pytest.raises(ValueError, match=r"learning_rate_decay=.* is no share, from 0 to 1"):
        replace(settings(tmp_path, 2), learning_rate_decay=share)
