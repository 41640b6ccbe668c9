"""Keras's own callbacks do with a system what they do with any model."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_semisis.gans import AdversarialModel, Phase
from tests.gans.test_fit import Counted
from tests.gans.tiny import data_sets, tiny_gan

pytestmark = pytest.mark.usefixtures("eager_tensorflow")
MONITORED = "unpaired/cycle"


def train(*callbacks, gan=None, epochs=3):
    gan = tiny_gan() if gan is None else gan
    return gan, gan.fit(*data_sets(), epochs=epochs, steps_per_epoch=1, verbose=0, callbacks=list(callbacks))


def rates(gan):
    return {name: float(keras.ops.convert_to_numpy(o.learning_rate)) for name, o in gan.optimizers.items()}


def weights(gan):
    return [keras.ops.convert_to_numpy(v) for v in gan.trainable_variables]


def test_early_stopping_stops():
    # nothing grows by 10 an epoch
    stop = keras.callbacks.EarlyStopping(monitor=MONITORED, mode="max", min_delta=10, patience=1)
    gan, history = train(stop, epochs=5)
    assert (gan.step, len(history.epoch), stop.stopped_epoch) == (2, 2, 1)


def test_learning_rates_follow_in_every_network():
    before = rates(tiny_gan())
    plateau = keras.callbacks.ReduceLROnPlateau(monitor=MONITORED, mode="max", min_delta=10, patience=0, factor=0.5)
    gan, _ = train(plateau)
    assert rates(gan) == pytest.approx({name: rate / 4 for name, rate in before.items()})
    gan, _ = train(keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2))
    assert rates(gan) == pytest.approx({name: rate / 8 for name, rate in before.items()})


def test_a_backup_is_gone_on_from(tmp_path):
    """Its weights and its epoch; which batches follow, `callbacks.resume` knows and Keras's backup does not."""
    seen = []

    class Dies(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                seen.append(weights(self.model))
                raise KeyboardInterrupt

    class Looks(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            seen.append(weights(self.model))

    with pytest.raises(KeyboardInterrupt):
        train(keras.callbacks.BackupAndRestore(tmp_path), Dies())
    gan, history = train(keras.callbacks.BackupAndRestore(tmp_path), Looks())
    assert (gan.step, history.epoch) == (3, [2])
    saved, restored = seen
    for found, expected in zip(restored, saved, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_tensorboard_has_the_losses(tmp_path):
    pytest.importorskip("tensorflow")
    event_accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    train(keras.callbacks.TensorBoard(tmp_path))
    events = event_accumulator.EventAccumulator(str(tmp_path / "train"))
    events.Reload()
    assert f"epoch_{MONITORED}" in [tag for kind in ("scalars", "tensors") for tag in events.Tags()[kind]]


def test_the_best_weights_are_kept(tmp_path):
    path = tmp_path / "best.weights.h5"
    keep = keras.callbacks.ModelCheckpoint(path, monitor=MONITORED, mode="max", save_best_only=True, save_weights_only=True)
    gan, history = train(keep)
    assert keep.best == max(history.history[MONITORED])
    gan.load_weights(path)


@keras.saving.register_keras_serializable(package="tests")
class Every(AdversarialModel):
    """A generator with a term that is due at every second step of the model's life."""

    def phases(self):
        return [Phase("paint", ("generator",), self.terms, {"l1": 1.0, "second": 1.0}, every={"second": 2})]

    def terms(self, data, due):
        image, label_map = data[0]
        error = ops.mean(ops.abs(image - self.synthesize(label_map)))
        return dict.fromkeys(due, error)


DATA = np.zeros((2, 2, 2, 3), "uint8"), np.zeros((2, 2, 2), "uint8")


def every_second(**kwargs):
    label_map = keras.Input((2, 2), dtype="int32")
    gan = Every(keras.Model(label_map, keras.layers.Embedding(1, 3)(label_map)), num_classes=1)
    gan.compile({"generator": "adam"}, metrics=[Counted()], statistics_batches=1)
    gan.fit(DATA, batch_size=2, verbose=0, **kwargs)


def test_terms_are_due_by_the_step_that_a_callback_restores(tmp_path):
    def run(*others):
        every_second(epochs=4, callbacks=[keras.callbacks.BackupAndRestore(tmp_path), *others])

    class Dies(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                raise KeyboardInterrupt

    class Looks(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append((self.model.step, "paint/second" in logs))

    seen: list = []
    with pytest.raises(KeyboardInterrupt):
        run(Dies())
    run(Looks())
    assert seen == [(2, False), (3, True), (4, False)]


def test_callbacks_are_told_of_the_validation():
    class Looks(keras.callbacks.Callback):
        def on_test_begin(self, logs=None):
            seen.append("begin")

        def on_test_end(self, logs=None):
            seen.append(logs)

    seen: list = []
    every_second(epochs=2, validation_data=DATA, validation_freq=2, callbacks=[Looks()])
    assert seen == ["begin", {"images": 2.0}]
