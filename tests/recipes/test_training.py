"""A run by functions, as the command has it."""

import errno
import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from keras_semisis import recipes
from keras_semisis.data import DataError
from keras_semisis.gans import OASIS
from keras_semisis.gans.batch_statistics import Calibration
from keras_semisis.options.option import option_name
from keras_semisis.recipes import folder_lock, training
from keras_semisis.recipes.folder_lock import locked
from keras_semisis.recipes.training import _begin_anew
from tests.cli.command import call
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


def test_a_run_whose_last_state_is_gone_is_not_begun_anew(tmp_path, told):
    folder = tmp_path / "run"
    recipes.begin(replace(settings(folder, 9), save_every=3))

    def log(steps):
        (folder / "losses.jsonl").write_text("".join(json.dumps({"step": step + 1}) + "\n" for step in range(steps)))

    log(3)
    assert recipes.go_on(recipes.settings_to_go_on(folder)).start == 0
    assert "nothing was saved, so it begins anew" in told()
    for every, steps in ((3, 9), (4, 8), (6, 12), (7, 7)):  # of minutes, whose first six steps are timed
        limited = recipes.read_settings(folder)
        limited.save_every, limited.minutes = every, 1.0
        log(steps)
        _begin_anew(limited, folder)
        assert "nothing was saved, so it begins anew" in told()
        log(steps + 1)
        with pytest.raises(ValueError, match=f"though {steps + 1} steps are logged"):
            _begin_anew(limited, folder)
    log(3)
    (folder / "model.keras").touch()  # as the demo leaves it
    with pytest.raises(ValueError, match=r"there is no last\.keras to go on with.*by --init .*model\.keras"):
        recipes.go_on(recipes.settings_to_go_on(folder))
    (folder / "model.keras").unlink()
    log(4)
    with pytest.raises(ValueError, match=r"no last\.keras to go on with, though 4 steps are logged\. Bring it back"):
        recipes.go_on(recipes.settings_to_go_on(folder))
    assert len((folder / "losses.jsonl").read_text().splitlines()) == 4


def test_a_best_score_needs_one_that_scores(tmp_path):
    with pytest.raises(ValueError, match=r"best='miou': nothing scores the photos\. Give --segmenter or --features"):
        recipes.begin(replace(settings(tmp_path / "run", 1), best="miou"))


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


def test_settings_in_python_are_those_of_the_command(tmp_path, monkeypatch):
    begun, ends = [], [True]

    def end():
        if ends[0]:
            raise ValueError("begun")

    monkeypatch.setattr("keras_semisis.recipes.training._opened", lambda settings, *_, **__: begun.append(settings) or end())
    for number, options in enumerate(
        (
            {"trunk": "none"},
            {"recipe": "few_labels", "trunk": "none", "precision": "float32", "image_size": (32, 32), "generator": "wavelet"},
            {"recipe": "few_labels", "trunk": "none", "ema_decay": 0.5},
            {"base_channels": 3},
            {"trunk": "none", "minutes": 5.0},
        )
    ):
        folder = str(tmp_path / str(number))
        typed = [
            word
            for name, value in options.items()
            for word in (option_name(name), "x".join(map(str, value)) if isinstance(value, tuple) else value)
        ]
        call("train", "--data", "synthetic:8", "--output", folder, *typed, code=1)
        assert recipes.settings_to_begin("synthetic:8", folder, **options) == begun[-1]
    assert [(settings.recipe, settings.generator, settings.precision) for settings in begun] == [
        ("few_labels", "oasis", "mixed_bfloat16"),
        ("few_labels", "wavelet", "float32"),
        ("few_labels", "oasis", "mixed_bfloat16"),
        ("paper", "wavelet", "float32"),
        ("few_labels", "oasis", "mixed_bfloat16"),
    ]
    assert begun[-1].steps == 10**6
    # whatever is chosen by hand
    ends[0] = False
    recipes.begin(recipes.settings_to_begin("synthetic:8", folder, recipe="few_labels", trunk="none", augmentation=False))


def test_a_recipe_that_is_named_alone_is_refused(tmp_path):
    with pytest.raises(ValueError, match="build them by settings_to_begin"):
        recipes.begin(recipes.TrainSettings("synthetic:8", str(tmp_path / "run"), recipe="few_labels"))


def write_pairs(root):
    """Five, of two classes."""
    for folder, shape in (("images", (32, 32, 3)), ("labels", (32, 32))):
        (root / folder).mkdir(parents=True)
        for i in range(5):
            array = np.zeros(shape, np.uint8)
            array[16:] = 1
            Image.fromarray(array).save(root / folder / f"{i}.png")


def test_a_run_that_goes_on_with_other_data_says_so(tmp_path, told, monkeypatch):
    monkeypatch.setattr(Calibration, "label_maps", lambda self: [next(iter(self.dataset))[1:]])
    write_pairs(tmp_path)
    monkeypatch.chdir(tmp_path)
    run = recipes.begin(replace(settings(tmp_path / "run", 2), data="folder:."))
    run.settings.steps = 1
    assert run.train() and told() == ""
    for folder in ("images", "labels"):
        (tmp_path / folder / "0.png").unlink()
    recipes.go_on(recipes.settings_to_go_on(tmp_path / "run"))
    assert "the data have changed since: 3 pairs, 2 validation before, 2 pairs, 2 validation now" in told()
    document = json.loads((tmp_path / "run" / "settings.json").read_text())
    document["options"]["data"] = "folder:elsewhere/photos"
    recipes.write_document(tmp_path / "run" / "settings.json", document)
    with pytest.raises(ValueError, match=r"its --data folder:elsewhere/photos is not here\. The path is relative"):
        recipes.go_on(recipes.settings_to_go_on(tmp_path / "run"))


def test_a_folder_in_which_another_process_trains(tmp_path):
    run = recipes.begin(settings(tmp_path / "run", 1))
    with locked(tmp_path / "run"):
        for train in (run.train, lambda: recipes.go_on(recipes.settings_to_go_on(tmp_path / "run", skip_bad=3))):
            with pytest.raises(ValueError, match="another process trains here"):
                train()
    assert recipes.read_settings(tmp_path / "run").skip_bad == 0


def test_of_two_runs_that_begin_in_one_folder_the_later_is_refused(tmp_path, monkeypatch):
    folder, opened = tmp_path / "run", training.open_training_data

    def slowly(*args):
        monkeypatch.undo()
        recipes.begin(settings(folder, 1))
        return opened(*args)

    monkeypatch.setattr(training, "open_training_data", slowly)
    with pytest.raises(ValueError, match="there is a run in this folder"):
        recipes.begin(settings(folder, 2))
    assert recipes.read_settings(folder).steps == 1


@pytest.mark.parametrize(
    ("left", "advised"), [("last.keras", True), ("best.keras", True), ("losses.jsonl", False), ("grid.png", None)]
)
def test_what_a_run_has_left_without_its_settings_is_not_written_over(tmp_path, left, advised):
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / left).write_text("{}")
    if advised is None:
        recipes.begin(settings(folder, 1))
        return
    with pytest.raises(ValueError, match=f"settings.json is gone .* but {left} of a run would be overwritten. Bring") as error:
        recipes.begin(settings(folder, 1))
    assert (f"--init {folder / left}" in str(error.value)) is advised


def test_a_file_in_place_of_a_run_folder(tmp_path):
    (tmp_path / "run").touch()
    with pytest.raises(NotADirectoryError, match=r"run is a file\. Name a folder"):
        recipes.begin(settings(tmp_path / "run", 1))


def test_options_of_a_resume_are_kept_when_data_were_read_by_them(tmp_path, monkeypatch):
    monkeypatch.setattr(Calibration, "label_maps", lambda self: [[np.zeros((1, 32, 32), np.int32)]])
    data, others = tmp_path / "data", tmp_path / "others"
    for place in (data, others):
        write_pairs(place)
        (place / "classes.csv").write_text("id,name\n0,a\n1,b\n")
    Image.fromarray(np.full((32, 32), 7, np.uint8)).save(data / "labels" / "0.png")
    folder = tmp_path / "run"
    options = replace(settings(folder, 5), data=f"folder:{data}", validation_data=f"folder:{others}", save_every=4)
    monkeypatch.setattr(training, "examples", lambda *_, **__: (np.zeros((1, 32, 32, 3)), np.zeros((1, 32, 32), np.int32)))
    with pytest.raises(DataError, match="label id 7"):
        recipes.begin(options).train()
    with pytest.raises(DataError, match="label id 7"):
        recipes.go_on(recipes.settings_to_go_on(folder, skip_bad=0, id_map=["8=0"])).train()
    assert recipes.read_settings(folder).id_map == ()
    (folder / ".last.0123456789ab.part.keras").touch()  # of a process that was killed while it saved
    run = recipes.go_on(recipes.settings_to_go_on(folder, id_map=["7=0"]))
    assert not run.is_written and run.train()
    assert recipes.read_settings(folder).id_map == ("7=0",) and not list(folder.glob(".last*"))


@pytest.mark.skipif(folder_lock.fcntl is None, reason="Windows does without")
def test_a_file_system_without_locks(tmp_path, monkeypatch):
    def flock(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(folder_lock.fcntl, "flock", flock)
    with locked(tmp_path), locked(tmp_path):
        pass
