"""The gradients of one batch are the same at every call, to the bit."""

from functools import partial

import keras
import numpy as np
import pytest
from keras import ops

from keras_semisis.gans import AdversarialModel, Phase
from keras_semisis.gans.phase import differentiate
from tests.gans.busy import busy_processors
from tests.gans.test_systems import SYSTEMS, OneBatch, compiled

SIDE, ADDENDS = 48, 6


class SumsOfPairs(keras.layers.Layer):
    """The sine of every sum of two of its weights: each is in five sums, and each sum's gradient goes to two weights."""

    def build(self, input_shape):
        self.parts = [self.add_weight(name=f"part_{i}", shape=(SIDE, SIDE)) for i in range(ADDENDS)]

    def call(self, x):
        sums = [ops.sin(self.parts[j] + self.parts[i]) for i in range(ADDENDS) for j in range(i)]
        return ops.stack(sums, axis=-1) * x


class OneTerm(AdversarialModel):
    """One phase, whose loss is a weighted mean of what the generator gives."""

    def terms(self, data, due):
        return {"term": ops.mean(self.generator(data))}

    def phases(self):
        return (Phase("generator", ("generator",), self.terms, {"term": 1.0}),)


def distinct_gradients(gan, phase, data, calls):
    """How many different results the same call has had: loss, terms, new state and gradients."""
    function, results = partial(differentiate, gan, phase, phase.due(0)), set()
    for _ in range(calls):
        values = keras.tree.flatten(gan.run(("gradients", phase.name), function, data))
        results.add(b"".join(np.asarray(ops.convert_to_numpy(v)).tobytes() for v in values if v is not None))
    return len(results)


def test_gradients_of_many_addends_are_the_same_at_every_call():
    """TensorFlow's AddN adds three and more, unlike two, in an order that depends on what is done first."""
    keras.utils.set_random_seed(0)
    pairs = keras.Input((SIDE, SIDE, ADDENDS * (ADDENDS - 1) // 2))
    gan = OneTerm(keras.Model(pairs, SumsOfPairs()(pairs)))
    gan.compile({"generator": keras.optimizers.SGD()})
    data = ops.convert_to_tensor(np.random.default_rng(0).standard_normal((1, *pairs.shape[1:])).astype("float32"))
    *_, gradients = gan.run("gradients", partial(differentiate, gan, gan.phases()[0], {"term"}), data)
    assert distinct_gradients(gan, gan.phases()[0], data, calls=300) == 1

    parts, weights, pair = [ops.convert_to_numpy(v) for v in gan.trainable_variables], ops.convert_to_numpy(data), 0
    expected = np.zeros((ADDENDS, SIDE, SIDE))
    for i in range(ADDENDS):
        for j in range(i):
            expected[[i, j]] += np.cos(parts[i] + parts[j]) * weights[0, ..., pair] / weights.size
            pair += 1
    np.testing.assert_allclose([ops.convert_to_numpy(g) for g in gradients], expected, rtol=1e-4, atol=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("name", SYSTEMS)
def test_every_phase_gives_the_same_gradients_at_every_call(name):
    """Beside other work, which changes what is done first."""
    gan = compiled(SYSTEMS[name]())
    data = keras.tree.map_structure(ops.convert_to_tensor, gan.batch((OneBatch(gan.image_size).batch,) * len(gan.data_sets)))
    with busy_processors():
        for phase in gan.phases():
            if phase.due(0):
                assert distinct_gradients(gan, phase, data, calls=200) == 1, phase.name
