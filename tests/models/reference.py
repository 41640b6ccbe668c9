"""The tensors of the published networks: whole from ../shared/reference, or what tests/golden has of them."""

import functools
import json

import keras
import numpy as np
from keras import ops

from keras_semisis.checkpoints import load_reference_weights
from keras_semisis.gans.engines import engine
from tests.conftest import SHARED
from tests.golden.published import VALUES, published


class Reference:
    """One recorded network: ``sd`` (state dict), inputs, outputs, options; images channels-last.

    Of an output that tests/golden has in part, the other values are NaN.
    """

    def __init__(self, name):
        if (SHARED / "reference").exists():
            self.arrays = dict(np.load(SHARED / "reference" / f"{name}.npz"))
            self.meta = json.loads(str(self.arrays.pop("meta")))
        else:
            self.arrays, self.meta = published(name)
        self.sd = {k[3:]: v for k, v in self.arrays.items() if k.startswith("sd/")}

    def input(self, name):
        return self.arrays[f"in/{name}"]

    def output(self, name):
        return self.arrays[f"out/{name}"]

    def label_map(self, name="seg"):
        return self.input(name).argmax(axis=1).astype("int32")

    def image(self, name="img"):
        return channels_last(self.input(name))


@functools.cache
def built(build):
    """What a function of a table of networks builds, once: weights and state are to be loaded by each test that takes it."""
    return build()


def filled(build, state, family):
    """The network of `built` with the weights and the state of a state dict, and nothing that was in it before."""
    model = built(build)
    model.set_weights([np.full_like(value, np.nan) for value in model.get_weights()])
    return load_reference_weights(model, state, family=family)


def values_of(variables):
    return [np.array(ops.convert_to_numpy(variable)) for variable in variables]


def channels_last(x):
    return np.moveaxis(x, 1, -1)


def assert_close(ours, reference, tolerance=1e-4):
    """Largest deviation at most ``tolerance`` of the reference's largest magnitude, among the values that are known."""
    ours = ops.convert_to_numpy(ours)
    assert ours.shape == reference.shape, (ours.shape, reference.shape)
    known = ~np.isnan(reference)
    assert known.all() or known.sum() >= VALUES
    deviation = np.abs(ours[known] - reference[known]).max() / np.abs(reference[known]).max()
    assert deviation <= tolerance, f"deviates by {deviation:.2e} of the maximum"


def run(model, inputs, training=False):
    """``model(inputs, training=training)``; compiled on JAX, which takes minutes over these networks operation by operation.

    TensorFlow traces them for longer than it computes them once.
    """
    inputs = keras.tree.map_structure(ops.convert_to_tensor, inputs)
    variables = model.trainable_variables, model.non_trainable_variables

    def call(*values):
        return model.stateless_call(*values, inputs, training=training)

    call = engine.compiled(call) if keras.backend.backend() == "jax" else call
    outputs, state = call(*([ops.convert_to_tensor(v) for v in part] for part in variables))
    for variable, value in zip(model.non_trainable_variables, state, strict=True):
        variable.assign(value)
    return outputs
