"""The optimizers of networks: what a file holds of them, what a copy keeps, and what they do at the end of `fit`."""

import json
import zipfile

import keras
import numpy as np
import pytest
from keras import ops

from keras_semisis.callbacks import Checkpoint
from keras_semisis.gans import AdversarialModel, NonFiniteLossError, Phase
from keras_semisis.gans.network_optimizers import optimizer_from_config, optimizer_to_config

pytestmark = pytest.mark.usefixtures("eager_tensorflow")

DATA = np.zeros((2, 2, 2, 3), "uint8"), np.zeros((2, 2, 2), "uint8")


def painter():
    label_map = keras.Input((2, 2), dtype="int32")
    return keras.Model(label_map, keras.layers.Dense(3, name="dense")(keras.layers.Embedding(1, 3, name="colors")(label_map)))


@keras.saving.register_keras_serializable(package="tests")
class Paint(AdversarialModel):
    """A generator that learns to be dark, and a second one, which has its optimizer, to be bright."""

    network_names = ("generator", "second")
    optimizer_of = {"second": "generator"}  # noqa: RUF012

    def __init__(self, generator, second, **kwargs):
        super().__init__(generator, **kwargs)
        self.second = second

    def phases(self):
        return [
            Phase("dark", ("generator",), lambda data, due: {"mean": ops.mean(self.generator(data[0][1]))}, {"mean": 1.0}),
            Phase("bright", ("second",), lambda data, due: {"mean": -ops.mean(self.second(data[0][1]))}, {"mean": 1.0}),
        ]


def paint(optimizer):
    gan = Paint(painter(), painter(), num_classes=1)
    gan.compile({"generator": optimizer}, statistics_batches=1)
    return gan


def fit(gan):
    gan.fit(DATA, batch_size=2, verbose=0)


OF_KERAS = ["Adam", "AdamW", "SGD", "RMSprop", "Adagrad", "Adadelta", "Adamax", "Nadam", "Lion", "Adafactor", "Ftrl", "Muon"]


@pytest.mark.parametrize("name", OF_KERAS)
def test_an_optimizer_of_keras_is_written_by_the_name_that_every_backend_has(name):
    optimizer = getattr(keras.optimizers, name)(1e-3, clipnorm=2.0)
    config = optimizer_to_config(optimizer)
    assert (config["module"], config["class_name"], config["registered_name"]) == ("keras.optimizers", name, None)
    again = optimizer_from_config(json.loads(json.dumps(config)))
    assert type(again) is type(optimizer) and again.get_config() == optimizer.get_config()


def test_an_optimizer_that_pytorch_has_written_is_read_on_every_backend(tmp_path):
    """As files held it, with a schedule in it; such a class of PyTorch does not learn on another backend."""
    schedule = keras.optimizers.schedules.CosineDecay(1e-3, 100)
    gan = paint(keras.optimizers.Adam(schedule))
    gan.save(tmp_path / "new.keras")
    with zipfile.ZipFile(tmp_path / "new.keras") as new, zipfile.ZipFile(tmp_path / "old.keras", "w") as old:
        for name in new.namelist():
            content = new.read(name)
            if name == "config.json":
                config = json.loads(content)
                for part in config["compile_config"]["optimizers"].values():
                    part |= {"module": "keras.src.backend.torch.optimizers.torch_adam", "registered_name": "Adam"}
                content = json.dumps(config)
            old.writestr(name, content)
    loaded = keras.saving.load_model(tmp_path / "old.keras")
    assert {type(optimizer) for optimizer in loaded.optimizers.values()} == {type(keras.optimizers.Adam())}
    assert loaded.optimizers["second"].get_config()["learning_rate"]["config"] == schedule.get_config()
    before = [np.array(ops.convert_to_numpy(v)) for v in loaded.second.trainable_variables]
    fit(loaded)
    assert all(np.any(a != ops.convert_to_numpy(b)) for a, b in zip(before, loaded.second.trainable_variables, strict=True))


@keras.saving.register_keras_serializable(package="tests")
class Halved(keras.optimizers.SGD):
    def update_step(self, gradient, variable, learning_rate):
        super().update_step(gradient / 2, variable, learning_rate)


def test_an_optimizer_of_ones_own_stays_what_it_is():
    config = optimizer_to_config(Halved(0.5))
    assert config["registered_name"] == "tests>Halved" and type(optimizer_from_config(config)) is Halved


def test_names_that_weight_decay_leaves_out_are_kept_by_copies_and_files(tmp_path):
    adam = keras.optimizers.AdamW(1e-3, weight_decay=0.5)
    adam.exclude_from_weight_decay(var_names=["bias", "embeddings"])
    gan = paint(adam)

    def decayed(gan):
        return [
            v.name
            for name in gan.network_names
            for v in getattr(gan, name).variables
            if gan.optimizers[name]._use_weight_decay(v)
        ]

    assert gan.optimizers["second"] is not adam and decayed(gan) == ["kernel", "kernel"]
    gan.save(tmp_path / "gan.keras")
    assert decayed(keras.saving.load_model(tmp_path / "gan.keras")) == ["kernel", "kernel"]
    gan.compile({"generator": adam})
    assert adam not in gan.optimizers.values() and decayed(gan) == ["kernel", "kernel"]


def test_single_variables_that_a_copy_cannot_leave_out_are_refused():
    gan, adam = Paint(painter(), painter(), num_classes=1), keras.optimizers.AdamW(1e-3)
    adam.exclude_from_weight_decay(var_list=gan.second.trainable_variables)
    with pytest.raises(ValueError, match=r"optimizer of second .* Give var_names=, or each network a new optimizer"):
        gan.compile({"generator": adam})
    gan.compile({"generator": "adam", "second": adam})


def test_an_optimizers_own_average_ends_a_fit_with_a_layer_that_was_frozen():
    """`use_ema`: the average takes the place of what learned, and of nothing else."""
    gan = paint(keras.optimizers.SGD(1.0, use_ema=True, ema_momentum=0.5))
    frozen, colors = gan.generator.get_layer("dense"), gan.generator.get_layer("colors").embeddings
    fit(gan)
    frozen.trainable = False
    before, kernel = np.array(ops.convert_to_numpy(colors)), np.array(ops.convert_to_numpy(frozen.kernel))
    average = gan.optimizers["generator"]._model_variables_moving_average[0]
    fit(gan)
    np.testing.assert_array_equal(ops.convert_to_numpy(frozen.kernel), kernel)
    np.testing.assert_array_equal(ops.convert_to_numpy(colors), ops.convert_to_numpy(average))
    assert np.any(ops.convert_to_numpy(colors) != before)


def test_an_optimizers_average_of_a_network_that_does_not_learn_leaves_it():
    gan = paint(keras.optimizers.SGD(1.0, use_ema=True))
    gan.phases = lambda: Paint.phases(gan)[:1]
    before = gan.second.get_weights()
    fit(gan)
    for a, b in zip(before, gan.second.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


class Save(keras.callbacks.Callback):
    """The model as it is after a step."""

    def __init__(self, path, step):
        super().__init__()
        self.path, self.after = path, step

    def on_train_batch_end(self, batch, logs=None):
        if self.model.step == self.after:
            self.model.save(self.path)


def test_an_average_takes_the_place_of_the_weights_at_the_end_alone(tmp_path):
    """Not where an epoch ends that a resumed training had begun."""
    settings = {"batch_size": 2, "verbose": 0, "epochs": 2, "steps_per_epoch": 3}
    whole = paint(keras.optimizers.SGD(1.0, momentum=0.5, use_ema=True, ema_momentum=0.5))
    whole.fit(DATA, **settings, callbacks=[Save(tmp_path / "gan.keras", 2)])
    resumed = keras.saving.load_model(tmp_path / "gan.keras")
    resumed.fit(DATA, **settings, initial_step=2)
    assert resumed.step == whole.step == 6
    for a, b in zip(whole.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("ema_decay", [0.0, None])
def test_an_average_draws_where_the_model_has_none(ema_decay):
    gan = Paint(painter(), painter(), num_classes=1, ema_decay=ema_decay)
    gan.compile({"generator": keras.optimizers.SGD(1.0, use_ema=True)}, statistics_batches=1)
    gan.fit(DATA, batch_size=2, verbose=0, epochs=2, steps_per_epoch=2)
    for a, b in zip(gan.generator.get_weights(), gan.ema_generator.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@keras.saving.register_keras_serializable(package="tests")
class InverseRoot(keras.optimizers.schedules.LearningRateSchedule):
    """Which is infinite at step 0."""

    def __call__(self, step):
        return ops.rsqrt(ops.cast(step, "float32"))

    def get_config(self):
        return {}


@pytest.mark.parametrize("steps", [1, 2])
def test_weights_that_an_update_has_broken_are_told_and_not_saved(steps, tmp_path):
    """At the end, and at the next step, whose loss is not finite."""
    gan = paint(keras.optimizers.SGD(InverseRoot()))
    with pytest.raises(NonFiniteLossError, match=r"Weights of generator and second are not finite, .* learning rate"):
        gan.fit(DATA, batch_size=2, verbose=0, epochs=1, steps_per_epoch=steps)
    gan = paint(keras.optimizers.SGD(InverseRoot()))
    with pytest.raises(NonFiniteLossError, match="Weights of generator and second are not finite"):
        gan.fit(DATA, batch_size=2, verbose=0, steps_per_epoch=steps, callbacks=[Checkpoint(tmp_path, every=1)])
    assert not list(tmp_path.iterdir())
