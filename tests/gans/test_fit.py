"""What a Keras user expects of fit and of what surrounds it: going on, saving, freezing, validating."""

import csv
import gc
import itertools

import keras
import numpy as np
import pytest
from keras import ops

import keras_semisis as ks
from keras_semisis.gans import fitting
from tests.conftest import not_on_jax
from tests.gans.tiny import CLASSES, IGNORE, SIZE, Scenes

pytestmark = pytest.mark.usefixtures("eager_tensorflow")
MAPS = np.random.default_rng(0).integers(0, CLASSES, (2, *SIZE))


class Counted:
    """A metric with a known value: how many images it saw. It needs two."""

    def reset_state(self):
        self.count = 0

    def update_state(self, label_maps, real, generated):
        assert real.shape == generated.shape
        self.count += len(label_maps)

    def result(self):
        if self.count < 2:
            raise ValueError(f"images: at least 2 are needed, found {self.count}.")
        return {"images": float(self.count)}


def tiny_oasis(**settings):
    keras.utils.set_random_seed(0)
    gan = ks.OASIS(
        CLASSES,
        SIZE,
        IGNORE,
        ks.models.oasis_generator(CLASSES, SIZE, 1, noise_channels=4, num_blocks=3, hidden_channels=4),
        ks.models.oasis_discriminator(CLASSES, SIZE, channels=(4, 6), final_channels=4),
    )
    gan.compile(**{"statistics_batches": 1, "label_mix_weight": 0.0} | settings)
    return gan


def pairs(count=8, batch_size=2, **kwargs):
    return ks.data.paired_dataset(Scenes(count), SIZE, batch_size, sampler="uniform", **kwargs)


def train(gan, steps=1, data=None, **kwargs):
    return gan.fit(pairs() if data is None else data, steps_per_epoch=steps, verbose=0, **kwargs)


def values(variables):
    return [np.array(ops.convert_to_numpy(v)) for v in variables]


def moved(before, variables):
    return [not np.array_equal(a, b) for a, b in zip(before, values(variables), strict=True)]


# -- going on --------------------------------------------------------------------------------------------------------


def test_a_second_fit_reads_on_and_the_sampler_knows_all_steps(monkeypatch):
    gan, read, whole = tiny_oasis(), [], fitting.training_stream

    def watched(datasets, start, total):
        stream = whole(datasets, start, total)
        image, _ = next(iter(stream))[0]
        read.append((start, total, ops.convert_to_numpy(image)))
        return stream

    monkeypatch.setattr(fitting, "training_stream", watched)
    data = pairs()
    for arguments in ({}, {}, {"initial_step": 0}, {"epochs": 2, "initial_epoch": 1}):
        train(gan, 2, data, **arguments)
    assert [part[:2] for part in read] == [(0, 2), (2, 4), (0, 2), (2, 4)]
    for start, total, image in read:
        np.testing.assert_array_equal(image, data.load_step(start, total)[0])
    assert gan.step == 8


def test_a_run_that_is_done_says_so():
    gan = tiny_oasis()
    for arguments in ({"initial_step": 2, "epochs": 2}, {"initial_epoch": 2, "epochs": 2}):
        with pytest.raises(ValueError, match=r"fit: epochs=2 of 1 steps end at step 2, .* at step 2: all is done"):
            train(gan, **arguments)


# -- saving ----------------------------------------------------------------------------------------------------------


@not_on_jax
def test_every_way_of_saving_keeps_what_generate_draws(tmp_path):
    """Each epoch saves in another way, and then draws: the file has to draw the same."""
    gan, drawn = tiny_oasis(), []
    ways = [
        lambda path: None,  # which is Keras's ModelCheckpoint
        lambda path: gan.save(path),
        lambda path: keras.saving.save_model(gan, path),
        lambda path: gan.save_weights(path.with_suffix(".weights.h5")),
    ]

    class Save(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            ways[epoch](tmp_path / f"{epoch + 1}.keras")
            drawn.append(gan.generate(MAPS))

    keeps = keras.callbacks.ModelCheckpoint(str(tmp_path / "{epoch}.keras"))
    keeps.set_model(gan)

    class FirstEpoch(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 0:
                keeps.on_epoch_end(epoch, logs)

    train(gan, epochs=len(ways), callbacks=[FirstEpoch(), Save()])
    assert not np.array_equal(drawn[0], drawn[1])
    for number, photos in enumerate(drawn[:3], 1):
        np.testing.assert_array_equal(keras.saving.load_model(tmp_path / f"{number}.keras").generate(MAPS), photos)
    other = tiny_oasis()
    other.load_weights(tmp_path / "4.weights.h5")
    np.testing.assert_array_equal(other.generate(MAPS), drawn[3])


@not_on_jax
def test_a_loss_that_is_not_finite_leaves_the_moving_average_and_a_file_that_draws_it():
    gan = tiny_oasis()
    train(gan)
    average = [v for v, w in zip(gan.ema_generator.variables, gan.generator.variables, strict=True) if w.trainable]
    before = values(average)
    gan.fake_loss = lambda label_map, logits: ops.sum(logits) * float("nan")
    with pytest.raises(ks.NonFiniteLossError) as error:
        train(gan)
    assert gan.step == 1 and not any(moved(before, average))
    path = str(error.value).split("saved in ")[1].split(". A")[0]
    np.testing.assert_array_equal(keras.saving.load_model(path).generate(MAPS), gan.generate(MAPS))


@not_on_jax
def test_weights_go_between_models_with_and_without_optimizers(tmp_path):
    gan = tiny_oasis()
    train(gan)
    gan.save(tmp_path / "gan.keras")
    plain = keras.saving.load_model(tmp_path / "gan.keras", compile=False)
    plain.save_weights(tmp_path / "plain.weights.h5")
    other = tiny_oasis()
    with pytest.warns(UserWarning, match="optimizers begin anew"):
        other.load_weights(tmp_path / "plain.weights.h5")
    assert not any(moved(values(gan.variables), other.variables)) and other.step == 1
    train(other)
    gan.save_weights(tmp_path / "gan.weights.h5")
    fresh = keras.saving.load_model(tmp_path / "gan.keras", compile=False)
    fresh.load_weights(tmp_path / "gan.weights.h5")
    np.testing.assert_array_equal(fresh.generate(MAPS), gan.generate(MAPS))


# -- freezing --------------------------------------------------------------------------------------------------------


def test_layers_are_frozen_and_thawed_after_compile(tmp_path):
    gan = tiny_oasis()
    layer = gan.generator.get_layer("body_0")
    others = [v for v in gan.generator.trainable_variables if all(v is not w for w in layer.trainable_variables)]
    kernels = list(layer.trainable_variables)
    train(gan)

    def moves():
        before = values(kernels), values(others)
        train(gan)
        return any(moved(before[0], kernels)), any(moved(before[1], others))

    assert moves() == (True, True)
    layer.trainable = False
    assert moves() == (False, True)
    gan.save(tmp_path / "gan.keras")
    layer.trainable = True
    assert moves() == (True, True)
    if keras.backend.backend() == "jax":
        return
    # the optimizers of a model that was saved meanwhile know the layer still
    gan = keras.saving.load_model(tmp_path / "gan.keras")
    layer = gan.generator.get_layer("body_0")
    assert not layer.trainable_variables
    layer.trainable = True
    kernels = list(layer.trainable_variables)
    others = [v for v in gan.generator.trainable_variables if all(v is not w for w in kernels)]
    assert moves() == (True, True)


def test_a_whole_network_is_frozen_between_two_epochs():
    gan = tiny_oasis()

    class Freeze(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.discriminator.trainable = False
            self.before = values(self.model.discriminator.variables)

    freeze = Freeze()
    history = train(gan, epochs=2, callbacks=[freeze]).history
    assert not any(moved(freeze.before, gan.discriminator.variables))
    assert np.isnan(history["discriminator/real"]).tolist() == [False, True]
    assert np.isfinite(history["generator/segmentation"]).all()


def test_what_was_frozen_at_compile_needs_compile_again():
    gan = tiny_oasis()
    gan.generator.trainable = False
    gan.compile(statistics_batches=1, label_mix_weight=0.0)
    train(gan)
    gan.generator.trainable = True
    with pytest.raises(ValueError, match=r"generator: \d+ variables, .* Call compile again: step and moving average stay"):
        train(gan)
    gan.compile(statistics_batches=1, label_mix_weight=0.0)
    before = values(gan.generator.trainable_variables)
    train(gan)
    assert any(moved(before, gan.generator.trainable_variables)) and gan.step == 2


def test_optimizers_that_have_learned_begin_anew():
    given = {name: keras.optimizers.Adam(1e-3, beta_1=0.5) for name in ("generator_optimizer", "discriminator_optimizer")}
    gan = tiny_oasis()
    gan.generator.trainable = False
    gan.compile(statistics_batches=1, label_mix_weight=0.0, **given)
    assert gan.optimizers["discriminator"] is given["discriminator_optimizer"]
    train(gan)
    gan.generator.trainable = True
    gan.compile(statistics_batches=1, label_mix_weight=0.0, **given)
    assert {int(optimizer.iterations) for optimizer in gan.optimizers.values()} == {0} and gan.step == 1
    for model in (gan, tiny_oasis(**given)):
        before = values(model.generator.trainable_variables)
        train(model)
        assert any(moved(before, model.generator.trainable_variables))
        for optimizer in model.optimizers.values():
            assert (int(optimizer.iterations), optimizer.beta_1) == (1, 0.5)
            assert float(optimizer.learning_rate) == pytest.approx(1e-3)


# -- validating ------------------------------------------------------------------------------------------------------


@not_on_jax
def test_history_and_table_have_a_place_for_every_epoch(tmp_path):
    gan = tiny_oasis(metrics=[Counted()])
    table = keras.callbacks.CSVLogger(tmp_path / "log.csv")
    images, label_maps = (np.concatenate(part) for part in zip(*pairs(training=False), strict=True))
    history = train(
        gan,
        2,
        epochs=4,
        initial_step=1,
        callbacks=[table],
        validation_data=(images, label_maps),
        validation_steps=3,
        validation_batch_size=1,
        validation_freq=[2, 4],
    )
    np.testing.assert_array_equal(history.history["val_images"], [np.nan, 3.0, np.nan, 3.0])
    assert history.epoch == [0, 1, 2, 3] and {len(values) for values in history.history.values()} == {4}
    rows = list(csv.DictReader((tmp_path / "log.csv").open()))
    assert [row["val_images"] for row in rows] == ["NA", "3.0", "NA", "3.0"]
    assert [float(row["generator/segmentation"]) for row in rows] == pytest.approx(history.history["generator/segmentation"])
    assert set(rows[0]) == {"epoch", *history.history}


class Calls(keras.callbacks.Callback):
    def __init__(self, stop_in=None):
        super().__init__()
        self.stop_in = stop_in
        self.seen = []

    def on_train_begin(self, logs=None):
        self.seen.append("begin")

    def on_epoch_begin(self, epoch, logs=None):
        self.seen.append((epoch, self.params["steps"]))
        self.model.stop_training = epoch == self.stop_in

    def on_train_end(self, logs=None):
        self.seen.append("end")


@not_on_jax
@pytest.mark.parametrize("stop_in", [None, 0])
def test_the_rest_of_an_epoch_and_the_next_ones_are_one_training_to_callbacks(stop_in, capsys):
    calls = Calls(stop_in)
    # one alone, as Keras takes it
    history = tiny_oasis().fit(pairs(), epochs=2, steps_per_epoch=2, initial_step=1, callbacks=calls, verbose=1)
    expected = [(0, 1), (1, 2)] if stop_in is None else [(0, 1)]
    assert calls.seen == ["begin", *expected, "end"]
    assert history.epoch == [epoch for epoch, _ in expected]
    shown = capsys.readouterr().out
    assert "1/1" in shown and ("2/2" in shown) == (stop_in is None) and "Epoch 1/2" in shown


class Endless(keras.utils.PyDataset):
    num_batches = None

    def __getitem__(self, index):
        return next(iter(pairs()))


@not_on_jax
@pytest.mark.parametrize(
    ("metrics", "validation", "message"),
    [
        (None, pairs(training=False), r"validation_data needs compile\(metrics="),
        ([Counted()], pairs(1, training=False), "validation_data: images: at least 2 are needed, found 1"),
        ([Counted()], (np.zeros((2, 8, 8, 3)), np.zeros((2, 8, 8), int)), r"\(2, 8, 8, 3\).*but \(B, 16, 32, 3\) is expected"),
        ([Counted()], (np.zeros((2, *SIZE, 3)), MAPS, np.ones(2)), "no sample weights"),
        ([Counted()], iter(pairs(training=False)), "can be read once"),
        ([Counted()], Endless(), "The data set has no end"),
    ],
)
def test_a_validation_that_would_fail_does_so_before_the_first_step(metrics, validation, message):
    gan = tiny_oasis(metrics=metrics)
    with pytest.raises(ValueError, match=message):
        train(gan, validation_data=validation)
    assert gan.step == 0


@not_on_jax
def test_a_loaded_model_is_given_metrics_and_keeps_its_optimizers(tmp_path):
    gan = tiny_oasis(metrics=[Counted()])
    train(gan, 2)
    gan.save(tmp_path / "gan.keras")
    loaded, data = keras.saving.load_model(tmp_path / "gan.keras"), pairs(training=False)
    with pytest.raises(ValueError, match=r"for a loaded model, gan\.metrics_of_compile = \[\.\.\.\]"):
        train(loaded, validation_data=data)
    metrics = loaded.metrics_of_compile = [Counted()]
    assert loaded.metrics_of_compile is metrics and loaded.evaluate(data, verbose=0) == {"images": 8.0}
    assert train(loaded, validation_data=data).history["val_images"] == [8.0]
    assert loaded.step == 3 and {int(optimizer.iterations) for optimizer in loaded.optimizers.values()} == {3}


@not_on_jax
def test_evaluate_ends_with_its_data_set():
    class Two(Endless):
        num_batches = 2

    gan = tiny_oasis(metrics=[Counted()])
    assert gan.evaluate(Two(), verbose=0) == {"images": 4.0}
    assert gan.evaluate(Endless(), steps=1, verbose=0) == {"images": 2.0}
    for endless in (Endless(), itertools.repeat(next(iter(pairs())))):
        with pytest.raises(ValueError, match="has no end"):
            gan.evaluate(endless)
    tf = pytest.importorskip("tensorflow")
    raw = tf.data.Dataset.from_tensor_slices((np.full((2, *SIZE, 3), -0.5, "float32"), MAPS)).batch(2)
    assert gan.evaluate(raw, verbose=0) == {"images": 2.0}
    with pytest.raises(ValueError, match="has no end"):
        gan.evaluate(raw.repeat())


def test_arguments_of_keras_are_accepted_or_named():
    gan = tiny_oasis()
    for name, value in {"validation_split": 0.1, "class_weight": {0: 1.0}, "shuffle": False}.items():
        with pytest.raises(ValueError, match=f"fit: {name} has no use here; "):
            train(gan, **{name: value})
    with pytest.raises(TypeError, match="no argument epoch"):
        train(gan, epoch=2)
    train(gan, shuffle=True, class_weight=None, validation_split=0.0)
    assert gan.step == 1


def test_a_bad_file_leaves_no_iterator_to_the_garbage_collector():
    """It may run inside a callback of tf.data, for which the end of an iterator would wait."""
    tf = pytest.importorskip("tensorflow")

    def iterators():
        return {id(o) for o in gc.get_objects() if isinstance(o, tf.data.Iterator)}

    class Bad(Scenes):
        def load_image(self, index):
            raise ks.data.DataError("a.png: bad.")

    gan = tiny_oasis()
    gc.disable()
    try:
        before = iterators()
        with pytest.raises(ks.data.DataError, match=r"^a\.png: bad"):
            gan.fit(ks.data.paired_dataset(Bad(4), SIZE, 2, sampler="uniform"), verbose=0)
        assert iterators() <= before
    finally:
        gc.enable()
