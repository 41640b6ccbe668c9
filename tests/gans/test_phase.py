"""Phases: what they refuse, what is frozen while one runs, and weights that move."""

import re
import warnings

import keras
import numpy as np
import pytest
from keras import ops

from keras_semisis.gans import AdversarialModel, Phase

pytestmark = pytest.mark.usefixtures("eager_tensorflow")

DATA = np.zeros((2, 2, 2, 3), "uint8"), np.zeros((2, 2, 2), "uint8")


def painter():
    label_map = keras.Input((2, 2), dtype="int32")
    x = keras.layers.Embedding(1, 3, name="colors")(label_map)
    return keras.Model(label_map, keras.layers.Dense(3, name="dense")(x))


class Paint(AdversarialModel):
    """A generator and a second network, and the phases that it is told."""

    network_names = ("generator", "second")

    def __init__(self, *phases, generator=None, **kwargs):
        super().__init__(generator or painter(), num_classes=1, **kwargs)
        self.second = painter()
        self.told = phases or (Phase("dark", ("generator",), self.terms, {"mean": 1.0}),)

    def phases(self):
        return self.told

    def terms(self, data, due):
        return {"mean": ops.mean(self.second(data[0][1])) + ops.mean(self.synthesize(data[0][1]))}


def paint(*phases, **kwargs):
    gan = Paint(*phases, **kwargs)
    gan.compile({name: keras.optimizers.SGD(1.0) for name in gan.network_names}, statistics_batches=1)
    return gan


def fit(gan, steps=1):
    return gan.fit(DATA, batch_size=2, epochs=steps, steps_per_epoch=1, verbose=0).history


def dense(network):
    return network.get_layer("dense")


def value(variable):
    return np.array(ops.convert_to_numpy(variable))


# -- refused -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("dark", "generator", None, {"mean": 1.0}), "trains='generator': give a tuple of names"),
        (("dark", (), None, {"mean": 1.0}), r"trains=\(\): give a tuple of names"),
        (("dark", ("generator",), None, {"mean": 1.0}, {"Mean": 2}), "every={'Mean': 2}: expected whole numbers .* of mean"),
        (("dark", ("generator",), None, {"mean": 1.0}, {"mean": 0}), "every={'mean': 0}: expected whole numbers"),
    ],
)
def test_what_is_no_phase_is_refused(arguments, words):
    with pytest.raises(ValueError, match=f"Phase 'dark': {words}"):
        Phase(*arguments)


def one(data, due):
    return {"mean": ops.zeros(())}


@pytest.mark.parametrize(
    ("phases", "words"),
    [
        ([Phase("dark", ("generator",), one, {"l": 1.0})] * 2, "more than one is called dark. Give each its name"),
        (
            [Phase("dark", ("gen",), one, {"l": 1.0})],
            "Phase 'dark' trains gen, which is no network: network_names are generator, s",
        ),
        (
            [Phase("dark", ("generator",), one, {"mean": 1.0, "Mean": 100.0})],
            "its loss has returned mean, and not Mean, of which",
        ),
        (
            [Phase("dark", ("generator",), lambda data, due: {"l": ops.zeros((2,))}, {"l": 1.0})],
            "Phase 'dark': its loss has to return scalars; of {'l': (2,)} take the mean",
        ),
    ],
)
def test_phases_that_no_model_can_train_by_are_refused(phases, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        fit(paint(*phases))


def test_a_model_without_phases_is_refused():
    gan = paint()
    gan.told = ()
    with pytest.raises(ValueError, match=r"Paint\.phases returns none: nothing would be learned"):
        fit(gan)


@pytest.mark.parametrize(("takes", "channels"), [((2,), 3), ((2, 2), 1)])
def test_a_generator_of_other_shapes_is_refused(takes, channels):
    first = keras.Input(takes, dtype="int32")
    image = keras.layers.Reshape((2, 2, channels))(keras.layers.Embedding(1, 2 * channels if len(takes) == 1 else 1)(first))
    with pytest.raises(ValueError, match=r"expected label maps \(batch, height, width\), before noise .* images"):
        fit(paint(generator=keras.Model(first, image)))


@pytest.mark.parametrize("in_a_list", [False, True])
def test_a_generator_of_one_input_is_called_as_it_was_built(in_a_list):
    built = painter()
    gan = paint(generator=keras.Model(built.inputs, built.outputs[0]) if in_a_list else built)
    with warnings.catch_warnings():
        warnings.filterwarnings("error", "The structure of `inputs`")
        fit(gan)
        gan.generate(np.zeros((1, 2, 2), "uint8"))


# -- frozen ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("before_compile", [False, True])
def test_a_variable_that_is_frozen_by_itself_stays(before_compile):
    """In a network that learns, and in one that is frozen while the phase runs."""
    gan = Paint()
    if not before_compile:
        gan.compile({name: keras.optimizers.SGD(1.0) for name in gan.network_names}, statistics_batches=1)
    kernels = [dense(network).kernel for network in (gan.generator, gan.second)]
    for kernel in kernels:
        kernel.trainable = False
    if before_compile:
        gan.compile({name: keras.optimizers.SGD(1.0) for name in gan.network_names}, statistics_batches=1)
    before, bias = [value(kernel) for kernel in kernels], value(dense(gan.generator).bias)
    fit(gan, 2)
    for kernel, was in zip(kernels, before, strict=True):
        np.testing.assert_array_equal(value(kernel), was)
        assert not kernel.trainable
    np.testing.assert_allclose(value(dense(gan.generator).bias), bias - 2 / 3, rtol=1e-6)
    kernels[0].trainable = True
    if before_compile:
        with pytest.raises(ValueError, match="were frozen when compile gave the others"):
            fit(gan)
    else:
        fit(gan)
        assert np.abs(value(kernels[0]) - before[0]).max() > 0


def test_adapters_of_low_rank_learn_alone():
    generator = painter()
    layer = dense(generator)
    layer.enable_lora(2)
    gan = paint(generator=generator)
    base, adapter = value(layer._kernel), value(layer.lora_kernel_b)
    fit(gan, 2)
    np.testing.assert_array_equal(value(layer._kernel), base)
    assert np.abs(value(layer.lora_kernel_b) - adapter).max() > 0


def test_layers_that_are_changed_behind_the_moving_average_are_refused():
    gan = paint()
    dense(gan.generator).enable_lora(2)
    with pytest.raises(ValueError, match="generator: its layers have other variables than its moving average"):
        fit(gan)


# -- weights -----------------------------------------------------------------------------------------------------------


def test_a_weight_may_be_a_variable():
    """Which moves between two steps of one `fit`: the bias of what is averaged over three channels moves by a third of it."""
    gan = paint()
    gan.weight = keras.Variable(1.0, trainable=False)
    gan.told = (Phase("dark", ("generator",), gan.terms, {"mean": gan.weight}),)
    text = []
    gan.summary(print_fn=text.append)
    assert "mean" in text[0]

    class Doubles(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            self.model.weight.assign(2.0**epoch)

    bias = value(dense(gan.generator).bias)
    gan.fit(DATA, batch_size=2, epochs=3, steps_per_epoch=1, verbose=0, callbacks=[Doubles()])
    np.testing.assert_allclose(value(dense(gan.generator).bias), bias - (1 + 2 + 4) / 3, rtol=1e-5)
