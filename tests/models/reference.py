"""The tensors of the published networks, from ../shared/reference."""

import json

import keras
import numpy as np
from keras import ops

from keras_semisis.gans.engines import engine
from tests.conftest import SHARED


class Reference:
    """One file of ../shared/reference: ``sd`` (state dict), inputs, outputs, options; images channels-last."""

    def __init__(self, name):
        self.arrays = dict(np.load(SHARED / "reference" / f"{name}.npz"))
        self.meta = json.loads(str(self.arrays.pop("meta")))
        self.sd = {k[3:]: v for k, v in self.arrays.items() if k.startswith("sd/")}

    def input(self, name):
        return self.arrays[f"in/{name}"]

    def output(self, name):
        return self.arrays[f"out/{name}"]

    def label_map(self, name="seg"):
        return self.input(name).argmax(axis=1).astype("int32")

    def image(self, name="img"):
        return channels_last(self.input(name))


def channels_last(x):
    return np.moveaxis(x, 1, -1)


def assert_close(ours, reference, tolerance=1e-4):
    """Largest deviation at most ``tolerance`` of the reference's largest magnitude."""
    ours = ops.convert_to_numpy(ours)
    assert ours.shape == reference.shape, (ours.shape, reference.shape)
    deviation = np.abs(ours - reference).max() / np.abs(reference).max()
    assert deviation <= tolerance, f"deviates by {deviation:.2e} of the maximum"


def run(model, inputs, training=False):
    """``model(inputs, training=training)``, compiled: JAX takes minutes over these networks operation by operation."""
    inputs = keras.tree.map_structure(ops.convert_to_tensor, inputs)
    variables = model.trainable_variables, model.non_trainable_variables
    call = engine.compiled(lambda *values: model.stateless_call(*values, inputs, training=training))
    outputs, state = call(*([ops.convert_to_tensor(v) for v in part] for part in variables))
    for variable, value in zip(model.non_trainable_variables, state, strict=True):
        variable.assign(value)
    return outputs
