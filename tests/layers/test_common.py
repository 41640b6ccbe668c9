"""What every layer has to do: say its output shape, be rebuilt from its config, obey the dtype policy."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_semisis import layers
from tests.layers.layer_cases import CASES, IDS

FLOAT32_STATE = ("u", "v", "moving_mean", "moving_variance")


def shapes(inputs):
    return [x.shape for x in inputs] if isinstance(inputs, list) else inputs.shape


def test_every_public_layer_has_a_case():
    public = {name for name in layers.__all__ if isinstance(getattr(layers, name), type)}
    assert public == set(IDS)


@pytest.mark.parametrize(("cls", "arguments", "inputs"), CASES, ids=IDS)
def test_config_round_trip(cls, arguments, inputs):
    layer = cls(**arguments, name="one")
    expected = layer(inputs)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert type(again) is cls
    assert again.get_config() == layer.get_config()
    again(inputs)
    again.set_weights(layer.get_weights())
    np.testing.assert_array_equal(ops.convert_to_numpy(again(inputs)), ops.convert_to_numpy(expected))
    for name, value in arguments.items():
        assert again.get_config()[name] == value


@pytest.mark.parametrize(("cls", "arguments", "inputs"), CASES, ids=IDS)
def test_computed_output_shape_is_the_shape_of_the_output(cls, arguments, inputs):
    layer = cls(**arguments)
    output = layer(inputs)
    assert tuple(layer.compute_output_shape(shapes(inputs))) == tuple(output.shape)


UPSAMPLING = next((cls, arguments | {"upsample": True}, x) for cls, arguments, x in CASES if "upsample" in arguments)


@pytest.mark.parametrize(("cls", "arguments", "inputs"), [*CASES, UPSAMPLING], ids=[*IDS, "upsampling"])
def test_a_network_whose_height_and_width_are_open(cls, arguments, inputs):
    """Where the layer takes images: of a network of fixed size with the same weights it gives the same."""
    inputs = inputs if isinstance(inputs, list) else [inputs]

    def network(open_sides):
        sides = [(None, None) if open_sides and x.ndim > 2 else x.shape[1:3] for x in inputs]
        given = [keras.Input((*s, *x.shape[3:]), dtype=x.dtype.name) for s, x in zip(sides, inputs, strict=True)]
        return keras.Model(given, cls(**arguments)(given if len(given) > 1 else given[0]))

    fixed, unknown = network(False), network(True)
    unknown.set_weights(fixed.get_weights())
    if max(x.ndim for x in inputs) > 2:
        assert unknown.output_shape[1] is None
    np.testing.assert_allclose(
        unknown.predict(inputs, verbose=0, batch_size=2), fixed.predict(inputs, verbose=0, batch_size=2), atol=1e-5
    )


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize(("cls", "arguments", "inputs"), CASES, ids=IDS)
def test_mixed_bfloat16_computes_in_bfloat16_and_stores_float32(cls, arguments, inputs, training):
    layer = cls(**arguments, dtype="mixed_bfloat16")
    kwargs = {"training": training} if layer._call_has_training_arg else {}
    layer.build(shapes(inputs))
    reference = cls(**arguments, dtype="float32")
    reference.build(shapes(inputs))
    reference.set_weights(layer.get_weights())
    output = layer(inputs, **kwargs)
    assert keras.backend.standardize_dtype(output.dtype) == "bfloat16"
    assert {variable.dtype for variable in layer.variables} <= {"float32"}
    expected = ops.convert_to_numpy(reference(inputs, **kwargs))
    # eight bits of mantissa: several bfloat16 layers in a row leave a few percent of the largest value
    deviation = np.abs(ops.convert_to_numpy(ops.cast(output, "float32")) - expected).max() / np.abs(expected).max()
    assert deviation < 0.06


@pytest.mark.parametrize("cls", [layers.SpectralConv2D, layers.BatchNorm])
def test_state_is_computed_in_float32_under_mixed_bfloat16(cls):
    """u, v and the batch statistics agree with the float32 layer's far beyond bfloat16's 1 part in 256."""
    arguments = {"filters": 6, "kernel_size": 3} if cls is layers.SpectralConv2D else {}
    x = ops.cast(np.random.default_rng(0).standard_normal((2, 6, 6, 4)), "bfloat16")
    mixed, full = cls(**arguments, dtype="mixed_bfloat16"), cls(**arguments, dtype="float32")
    mixed.build(x.shape)
    full.build(x.shape)
    full.set_weights(mixed.get_weights())
    for _ in range(3):
        mixed(x, training=True)
        full(ops.cast(x, "float32"), training=True)
    names = [name for name in FLOAT32_STATE if hasattr(mixed, name)]
    assert len(names) == 2
    for name in names:
        np.testing.assert_allclose(
            ops.convert_to_numpy(getattr(mixed, name)),
            ops.convert_to_numpy(getattr(full, name)),
            rtol=1e-4,
            atol=1e-6,
        )
