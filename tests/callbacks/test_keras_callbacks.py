"""Keras's own callbacks do with a system what they do with any model."""

import keras
import numpy as np
import pytest

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
