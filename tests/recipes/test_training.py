"""A run by functions, as the command has it."""

import json

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
