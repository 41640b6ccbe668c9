"""Learning rates that fall over the last steps."""

import keras
import numpy as np
import pytest

from keras_semisis.callbacks import Checkpoint, LinearDecay, resume
from tests.gans.tiny import data_sets, tiny_gan

pytestmark = pytest.mark.usefixtures("eager_tensorflow")


@keras.saving.register_keras_serializable("tests")
class Falling(keras.optimizers.schedules.LearningRateSchedule):
    """The same, in the graph."""

    def __init__(self, rate, begin, end):
        super().__init__()
        self.rate, self.begin, self.end = rate, begin, end

    def __call__(self, step):
        left = (self.end - keras.ops.cast(step, "float32")) / (self.end - self.begin)
        return self.rate * keras.ops.minimum(left, 1.0)

    def get_config(self):
        return {"rate": self.rate, "begin": self.begin, "end": self.end}


class Rates(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.of_generator = []

    def on_train_batch_begin(self, batch, logs=None):
        self.of_generator.append(float(self.model.optimizers["generator"].learning_rate))


def gan_with(rate):
    gan = tiny_gan(compile=False)
    adam = {name: keras.optimizers.Adam(rate, beta_1=0.0) for name in ("generator", "discriminator", "unconditional")}
    eagerly = keras.backend.backend() == "tensorflow"
    gan.compile(statistics_batches=2, run_eagerly=eagerly, **{f"{name}_optimizer": made for name, made in adam.items()})
    return gan


def train(gan, steps, *callbacks):
    gan.fit(*data_sets("uniform"), epochs=1, steps_per_epoch=steps, initial_step=gan.step, verbose=0, callbacks=list(callbacks))
    return gan


def weights(gan):
    return [keras.ops.convert_to_numpy(v) for v in gan.trainable_variables]


def test_a_rate_is_what_is_left_of_the_way():
    short, long = LinearDecay(2, 6), LinearDecay(1000, 31_000)
    assert [short.share(step) for step in range(9)] == [1, 1, 1, 0.75, 0.5, 0.25, 0.25, 0.25, 0.25]
    exact = [min(1, (31_000 - step) / 30_000) for step in range(31_000)]
    found = [long.share(step) for step in range(31_000)]
    assert len(set(found)) == 100 and np.all(np.diff(found) <= 0)
    assert 0 <= np.max(np.subtract(found, exact)) < 0.0101 and np.min(found) == pytest.approx(0.01)


def test_every_network_learns_at_the_rates_of_a_schedule_in_the_graph():
    rates = Rates()
    found = train(gan_with(1e-3), 4, LinearDecay(1, 4), rates)
    assert rates.of_generator == pytest.approx([1e-3, 1e-3, 1e-3 * 2 / 3, 1e-3 / 3])
    expected = train(gan_with(Falling(1e-3, 1, 4)), 4)
    for name in found.network_names:
        np.testing.assert_allclose(
            [np.abs(keras.ops.convert_to_numpy(v)).sum() for v in getattr(found, name).trainable_variables],
            [np.abs(keras.ops.convert_to_numpy(v)).sum() for v in getattr(expected, name).trainable_variables],
            rtol=1e-4,
        )
    constant = train(gan_with(1e-3), 4)
    far = [np.abs(a - b).max() for a, b in zip(weights(found), weights(constant), strict=True)]
    near = [np.abs(a - b).max() for a, b in zip(weights(found), weights(expected), strict=True)]
    assert np.mean(near) < 0.05 * np.mean(far)


def test_a_run_that_goes_on_has_the_rates_of_one_that_did_not_stop(tmp_path):
    straight = train(gan_with(1e-3), 4, LinearDecay(1, 4))
    train(gan_with(1e-3), 2, LinearDecay(1, 4), Checkpoint(tmp_path, every=9))
    gan, step = resume(tmp_path)
    assert step == 2
    rates = Rates()
    train(gan, 4, LinearDecay(1, 4), Checkpoint(tmp_path, every=9), rates)
    assert rates.of_generator == pytest.approx([1e-3 * 2 / 3, 1e-3 / 3])
    for found, expected in zip(weights(gan), weights(straight), strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(("begin", "end"), [(-1, 3), (3, 3), (4, 3)])
def test_steps_that_are_none(begin, end):
    with pytest.raises(ValueError, match=f"begin={begin}, end={end}: give two numbers of steps"):
        LinearDecay(begin, end)


def test_a_schedule_gives_its_rate_by_itself():
    with pytest.raises(TypeError, match="LinearDecay: the optimizer of generator has a schedule"):
        train(gan_with(Falling(1e-3, 1, 4)), 1, LinearDecay(1, 4))
