"""All callbacks in one training, and what they do when something is not as it should be."""

import json
import os
import sys
import types
import zipfile

import keras
import numpy as np
import pytest
from PIL import Image

from keras_semisis import callbacks
from keras_semisis.callbacks.log_file import read_log
from keras_semisis.callbacks.loss_curves import _Thinned
from keras_semisis.callbacks.model_file import save_model
from keras_semisis.callbacks.periodic_evaluation import PeriodicEvaluation
from tests.callbacks.tiny_gan import tiny_data, tiny_gan
from tests.conftest import not_on_jax


class Brightness:
    """A metric with a known value: the step count cannot change how many label maps there are."""

    name = "images"

    def reset_state(self):
        self.count = 0

    def update_state(self, label_maps, real, generated):
        self.count += len(label_maps)

    def result(self):
        return {"images": float(self.count), "images_real": 0.0}


class SeenLogs(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.steps = []

    def on_train_batch_end(self, batch, logs=None):
        self.steps.append({name: float(keras.ops.convert_to_numpy(value)) for name, value in logs.items()})


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    gan, (paired, unpaired, val) = tiny_gan(), tiny_data()
    images, label_maps = next(iter(val))
    seen = SeenLogs()
    evaluation = PeriodicEvaluation(val, [Brightness()], every=2, directory=folder, best="images", mode="max")
    gan.fit(
        paired,
        unpaired,
        epochs=1,
        steps_per_epoch=5,
        verbose=0,
        callbacks=[
            callbacks.SampleGrid(folder, label_maps, images, every=2),
            evaluation,
            seen,
            callbacks.LossCurves(folder, every=3),
            callbacks.TensorBoardScalars(folder / "tb", every=1),
            callbacks.Checkpoint(folder, every=4),
        ],
    )
    return types.SimpleNamespace(
        folder=folder, gan=gan, evaluation=evaluation, seen=seen, label_maps=label_maps, paired=paired, unpaired=unpaired
    )


@not_on_jax
def test_grids_are_written_every_n_steps_and_at_the_end(run):
    assert sorted(path.name for path in run.folder.glob("grid-*.png")) == [
        "grid-000002.png",
        "grid-000004.png",
        "grid-000005.png",
    ]
    picture = np.asarray(Image.open(run.folder / "grid-000005.png"))
    # two rows of four 32×32 tiles enlarged fourfold, gaps of 4, a title of 20
    assert picture.shape == (2 * 132 + 4 + 20, 4 * 132 + 4, 3)


@not_on_jax
def test_a_grid_shows_the_label_colors_and_the_photos_that_generate_gives(run, tmp_path):
    callbacks.sample_grid(tmp_path / "deep" / "grid.png", run.gan, run.label_maps)
    picture = np.asarray(Image.open(tmp_path / "deep" / "grid.png"))
    tile = picture[24 : 24 + 128 : 4, 4 + 132 : 4 + 132 + 128 : 4]
    np.testing.assert_array_equal(tile, run.gan.generate(run.label_maps, seed=0)[0])


@not_on_jax
def test_grid_refuses_images_that_do_not_belong_to_the_label_maps(run, tmp_path):
    with pytest.raises(ValueError, match="1 images for 2 label maps"):
        callbacks.sample_grid(tmp_path / "grid.png", run.gan, run.label_maps, np.zeros((1, 32, 32, 3)))
    with pytest.raises(ValueError, match=r"images.*\[-1, 1\]"):
        callbacks.sample_grid(tmp_path / "grid.png", run.gan, run.label_maps, np.full((2, 32, 32, 3), 200.0))
    assert not (tmp_path / "grid.png").exists()


@not_on_jax
def test_scores_are_kept_logged_and_seen_by_later_callbacks(run):
    records = [json.loads(line) for line in (run.folder / "scores.jsonl").read_text().splitlines()]
    assert records == run.evaluation.history
    assert [record["step"] for record in records] == [2, 4, 5]
    assert all(record["images"] == 4.0 for record in records)
    assert [("val_images" in logs) for logs in run.seen.steps] == [False, True, False, True, False]


@not_on_jax
def test_best_model_is_the_first_of_equal_scores(run):
    assert keras.saving.load_model(run.folder / "best.keras").step == 2


@pytest.mark.parametrize(
    ("mode", "expected"),
    [("max", [True, False, False, True, False, False]), ("min", [True, True, False, False, False, False])],
)
def test_best_follows_the_mode_and_never_takes_nan(mode, expected):
    """Of all before it, not of the last alone."""
    evaluation = PeriodicEvaluation([], [], best="score", mode=mode)
    found = []
    for value in (2.0, 1.0, 1.5, 3.0, 2.5, float("nan")):
        found.append(evaluation._is_best(value))
        evaluation.history.append({"step": 0, "score": value})
    assert found == expected


@pytest.mark.parametrize(
    ("best", "lowest"), [("fid", True), ("kid", True), ("lpips", True), ("miou", False), ("recall", False)]
)
def test_which_value_is_best_is_as_the_table_of_scores_has_it(best, lowest):
    evaluation = PeriodicEvaluation([], [], best=best)
    evaluation.history.append({best: 2.0})
    assert (evaluation._is_best(1.0), evaluation._is_best(3.0)) == (lowest, not lowest)


def test_records_without_the_score_that_chooses_do_not_count():
    evaluation = PeriodicEvaluation([], [], best="score", mode="max")
    evaluation.history = [{"step": 2, "other": 9.0}]
    assert evaluation._is_best(1.0)
    evaluation.history.append({"step": 4, "score": 1.0})
    assert not evaluation._is_best(0.5)


def test_a_mode_that_there_is_not():
    with pytest.raises(ValueError, match="mode='lower' is none of"):
        PeriodicEvaluation([], [], mode="lower")


_PHOTOS = [(np.zeros((2, 4, 4, 3)), np.zeros((2, 4, 4), int))]


@pytest.mark.parametrize(
    ("data", "best", "message"),
    [
        (_PHOTOS, "images", r"which value of images is best\? Give mode="),
        (_PHOTOS, "mIoU", "best='mIoU' is none of the scores images, images_real"),
        ([], "images", "PeriodicEvaluation: there is no batch in it"),
        (iter(_PHOTOS), "images_real", "PeriodicEvaluation: dataset is an iterator, which can be read once"),
    ],
)
def test_what_would_end_the_first_evaluation_ends_training_before_it_begins(data, best, message):
    evaluation = PeriodicEvaluation(data, [Brightness()], best=best)
    evaluation._model = types.SimpleNamespace(
        step=0, evaluation_batches=iter, check_judges=lambda metrics: None, require_same_classes=lambda **datasets: None
    )
    with pytest.raises(ValueError, match=message):
        evaluation.on_train_begin()


def test_a_long_run_is_drawn_in_few_points_which_are_means():
    """The term b is due at every third step."""
    thinned = _Thinned()
    for step in range(1, 9001):
        thinned.add({"step": step, "x/a": float(step)} | ({"x/b": 2.0 * step} if step % 3 == 0 else {}))
    curves = thinned.curves()
    for name, factor in (("x/a", 1.0), ("x/b", 2.0)):
        steps, values = curves[name]
        assert 700 < len(steps) <= 2000 and (np.diff(steps) > 0).all()
        np.testing.assert_allclose(values, factor * steps)
    steps, _ = curves["x/a"]
    np.testing.assert_array_equal(steps[:2], [4.5, 12.5])  # of the steps 1 to 8, and 9 to 16
    short = _Thinned()
    for step in range(1, 2001):
        short.add({"step": step, "x/a": -step})
    np.testing.assert_array_equal(short.curves()["x/a"], [np.arange(1, 2001), -np.arange(1, 2001)])


@not_on_jax
def test_loss_curves_hold_what_was_logged(run):
    records = read_log(run.folder / "losses.jsonl", 99)
    assert [record["step"] for record in records] == [1, 2, 3, 4, 5]
    for record, logs in zip(records, run.seen.steps, strict=True):
        terms = {name: value for name, value in logs.items() if "/" in name}
        assert {k: v for k, v in record.items() if k != "step"} == terms
    assert Image.open(run.folder / "losses.png").size[0] > 1000  # four panels


def test_losses_are_on_the_disk_after_every_step(tmp_path):
    curves = callbacks.LossCurves(tmp_path, every=100)
    curves.set_model(types.SimpleNamespace(step=0))
    curves.on_train_begin()
    for step in (1, 2):
        curves.on_train_batch_end(step - 1, {"discriminator/real": 0.5 * step, "val_miou": 1.0})
        assert read_log(tmp_path / "losses.jsonl", 99)[step - 1 :] == [{"step": step, "discriminator/real": 0.5 * step}]


def test_records_after_the_step_and_cut_lines_are_dropped(tmp_path):
    path = tmp_path / "losses.jsonl"
    path.write_text('{"step": 1}\n{"step": 2}\n{"step": 3}\n{"ste')
    assert read_log(path, 2) == [{"step": 1}, {"step": 2}]


def test_lines_that_are_no_records_are_dropped(tmp_path):
    path = tmp_path / "losses.jsonl"
    path.write_bytes(b'{"step": 1}\n7\n[]\nnull\n{"note": 1}\n{"step": "\xff"}\n\0\0\0\0\n{"step": 2}\n')
    assert read_log(path) == [{"step": 1}, {"step": 2}]
    assert read_log(path, None) == [{"step": 1}, {"note": 1}, {"step": 2}]


@not_on_jax
def test_tensorboard_holds_the_losses(run):
    event_accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    events = event_accumulator.EventAccumulator(str(run.folder / "tb"))
    events.Reload()
    values = {event.step: event.tensor_proto.float_val[0] for event in events.Tensors("unpaired/cycle")}
    assert values == {i + 1: np.float32(logs["unpaired/cycle"]) for i, logs in enumerate(run.seen.steps)}
    assert [event.step for event in events.Tensors("val_images")] == [2, 4, 5]


@not_on_jax
def test_tensorboard_holds_the_scores_of_validation_data_once(tmp_path):
    event_accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    gan, (paired, unpaired, val) = tiny_gan(), tiny_data()
    gan.metrics_of_compile = [Brightness()]
    history = gan.fit(
        paired,
        unpaired,
        epochs=3,
        steps_per_epoch=2,
        validation_data=val,
        validation_freq=2,
        verbose=0,
        callbacks=[
            PeriodicEvaluation(val, [Brightness()], every=3, best=None),
            callbacks.TensorBoardScalars(tmp_path, every=5),
        ],
    )
    events = event_accumulator.EventAccumulator(str(tmp_path))
    events.Reload()
    # evaluated after steps 3 and 6 by the callback, after step 4 by fit
    assert [event.step for event in events.Tensors("val_images")] == [3, 4, 6]
    assert [event.step for event in events.Tensors("unpaired/cycle")] == [5]
    assert np.isfinite(history.history["val_images"][1])


def test_without_tensorboard_there_is_a_message_and_no_crash(monkeypatch, capsys, tmp_path):
    monkeypatch.setitem(__import__("sys").modules, "tensorboard.summary", None)
    callback = callbacks.TensorBoardScalars(tmp_path)
    callback._model = types.SimpleNamespace(step=0)
    callback.on_train_begin()
    callback.on_train_batch_end(0, {"unpaired/cycle": 1.0})
    callback.on_train_end()
    assert "TensorBoard is not installed" in capsys.readouterr().out
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is no such name")
def test_a_folder_whose_name_is_no_utf_8(capsys, tmp_path):
    pytest.importorskip("tensorboard")
    folder = tmp_path / os.fsdecode(b"r\xe9sum\xe9")
    folder.mkdir()
    callback = callbacks.TensorBoardScalars(folder)
    callback._model = types.SimpleNamespace(step=9)
    callback.on_train_begin()
    callback.on_train_batch_end(0, {"unpaired/cycle": 1.0})
    callback.on_train_end()
    if not list(folder.iterdir()):
        assert r"r\udce9sum\udce9: TensorBoard takes only paths in UTF-8: no TensorBoard logs." in capsys.readouterr().out


@not_on_jax
def test_checkpoint_gives_back_model_and_step(run):
    gan, step = callbacks.resume(run.folder)
    assert (step, gan.step) == (5, 5)
    for loaded, variable in zip(gan.variables, run.gan.variables, strict=True):
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(loaded), keras.ops.convert_to_numpy(variable))


def test_resume_names_what_is_missing(tmp_path):
    with pytest.raises(ValueError, match=r"last\.keras: there is no such checkpoint"):
        callbacks.resume(tmp_path)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    save_model(model, tmp_path / "last.keras")
    with pytest.raises(ValueError, match="not saved by Checkpoint"):
        callbacks.resume(tmp_path)
    content = (tmp_path / "last.keras").read_bytes()
    (tmp_path / "last.keras").write_bytes(content[: len(content) // 2])
    with pytest.raises(ValueError, match=r"checkpoint .*last\.keras: this is no Keras file, or one that is damaged"):
        callbacks.resume(tmp_path)


def test_a_failed_write_keeps_the_old_file(tmp_path):
    path = tmp_path / "last.keras"
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).save(path)
    before = path.read_bytes()

    class Broken(keras.Model):
        def save(self, target):
            target.write_bytes(b"half")
            raise OSError("No space left on device")

    with pytest.raises(OSError, match=r"last\.keras: cannot be written \(No space left on device\)"):
        save_model(Broken(), path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_notes_lie_in_the_model_file_and_keras_still_reads_it(tmp_path):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    save_model(model, tmp_path / "m.keras", {"training.json": {"step": 7}})
    assert json.loads(zipfile.ZipFile(tmp_path / "m.keras").read("training.json")) == {"step": 7}
    np.testing.assert_array_equal(
        keras.saving.load_model(tmp_path / "m.keras").predict(np.ones((1, 2)), verbose=0),
        model.predict(np.ones((1, 2)), verbose=0),
    )


def test_every_must_be_positive():
    with pytest.raises(ValueError, match="at least 1"):
        callbacks.Checkpoint("x", every=0)
