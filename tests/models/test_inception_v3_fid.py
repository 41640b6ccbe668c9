"""The Inception network of FID against the tensors of pytorch-fid's, and its weights' way in and out."""

import math

import keras
import numpy as np
import pytest
from keras import ops

from keras_semisis.checkpoints import CheckpointError, load_reference_weights, save_reference_weights
from keras_semisis.checkpoints.entries import Weight
from keras_semisis.checkpoints.reference_weights import reference_entries
from keras_semisis.metrics import Features, FrechetInceptionDistance
from keras_semisis.models.inception_v3 import DEPTHS, inception_v3_fid
from tests.models.reference import Reference, assert_close, channels_last


@pytest.fixture(scope="module")
def reference():
    return Reference("fid_inception")


@pytest.fixture(scope="module")
def state_dict(reference):
    """The weights, drawn by the recipe that the reference file gives."""
    random = np.random.default_rng(1234)
    state = {}
    for name, shape in sorted(reference.meta["names_and_shapes"]):
        if name.endswith(".running_var"):
            array = 1 + 0.1 * random.random(shape)
        elif name.endswith((".running_mean", ".bias")):
            array = 0.05 * random.standard_normal(shape)
        elif name.endswith(".bn.weight"):
            array = 1 + 0.05 * random.standard_normal(shape)
        else:
            array = random.standard_normal(shape) * math.sqrt(2 / math.prod(shape[1:]))
        state[name] = array.astype("float32")
    return state


@pytest.fixture(scope="module")
def loaded(state_dict):
    return load_reference_weights(inception_v3_fid(), state_dict, family="pytorch_fid")


def test_state_dict_is_the_references(reference, state_dict):
    for name, (total, first) in reference.meta["sum_and_first_element"].items():
        array = state_dict[name].astype("float64")
        assert (array.sum(), array.flat[0]) == pytest.approx((total, first), rel=1e-9, abs=1e-9), name


def test_features_and_maps(reference, loaded):
    maps = {"map0_ch0_8_stride9": ("maxpool1", 9), "map1_ch0_8_stride5": ("maxpool2", 5), "map2_ch0_8_stride4": ("Mixed_6e", 4)}
    model = keras.Model(loaded.input, [*loaded.outputs, *(loaded.get_layer(layer).output for layer, _ in maps.values())])
    *pooled, map0, map1, map2 = model.predict_on_batch(2 * reference.image("img01") - 1)
    checked = set()
    for depth, feature in zip(DEPTHS, pooled, strict=True):
        assert_close(feature, reference.output(f"pool{depth}"))
        checked.add(f"out/pool{depth}")
    for (name, (_, stride)), feature in zip(maps.items(), (map0, map1, map2), strict=True):
        assert_close(feature[:, ::stride, ::stride, :8], channels_last(reference.output(name)))
        checked.add(f"out/{name}")
    assert checked == {key for key in reference.arrays if key.startswith("out/")}


def test_weights_come_back_bit_for_bit(reference, state_dict, loaded):
    saved = save_reference_weights(loaded, family="pytorch_fid")
    assert {name: array.shape for name, array in saved.items()} == {
        name: tuple(shape) for name, shape in reference.meta["names_and_shapes"]
    }
    for name, array in saved.items():
        if not name.startswith("fc."):
            np.testing.assert_array_equal(array, state_dict[name], err_msg=name)


def test_a_shallow_network_takes_the_whole_file(state_dict, loaded):
    """A single depth is one tensor, equal to that of the whole network; metrics take it as it is."""
    shallow = load_reference_weights(inception_v3_fid(depths=64), state_dict, family="pytorch_fid")
    assert shallow.output_shape == (None, 64)
    entries = {entry.name: entry for entry in reference_entries(shallow, "pytorch_fid")}
    assert {name: entry.shape for name, entry in entries.items()} == {n: a.shape for n, a in state_dict.items()}
    assert sum(isinstance(entry, Weight) for entry in entries.values()) == 15
    assert np.isnan(entries["Mixed_7c.branch1x1.conv.weight"].value()).all()
    images = np.random.default_rng(0).uniform(-1, 1, (3, 24, 40, 3)).astype("float32")
    expected = keras.Model(loaded.input, loaded.outputs[0]).predict_on_batch(images)
    features = Features(shallow)
    np.testing.assert_allclose(features(images), expected, rtol=1e-6, atol=1e-6)
    metric = FrechetInceptionDistance(features)
    with pytest.warns(UserWarning, match="too few"):
        metric.update_state(np.zeros((3, 24, 40), int), images, images[:, ::-1])
        assert metric.result()["frechet"] > 0


def test_weights_that_do_not_fit_are_refused_and_leave_the_network_as_it_was(state_dict):
    model = inception_v3_fid(depths=(192, 64))
    before = model.get_weights()
    wrong = dict(state_dict, **{"Conv2d_1a_3x3.conv.weight": np.zeros((64, 3, 3, 3), "float32"), "extra": np.zeros(2)})
    del wrong["Conv2d_2b_3x3.bn.running_var"]
    with pytest.raises(CheckpointError) as error:
        load_reference_weights(model, wrong, family="pytorch_fid")
    for problem in (
        r"shape: Conv2d_1a_3x3.conv.weight is (64, 3, 3, 3), the model's is (32, 3, 3, 3)",
        "missing: Conv2d_2b_3x3.bn.running_var (64,)",
        "unexpected: extra (2,)",
    ):
        assert problem in str(error.value)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def bilinear(image, size):
    """Half-pixel centers, no antialiasing, in float64: (H, W, C) to (*size, C)."""
    for axis, length in enumerate(size):
        position = (np.arange(length) + 0.5) * image.shape[axis] / length - 0.5
        low = np.floor(position).astype(int)
        share = (position - low).reshape((-1, 1, 1) if axis == 0 else (1, -1, 1))
        last = image.shape[axis] - 1
        image = (1 - share) * image.take(low.clip(0, last), axis) + share * image.take((low + 1).clip(0, last), axis)
    return image


@pytest.mark.parametrize("size", [(640, 350), (17, 299)])
def test_any_size_is_resized_without_antialiasing(size):
    model = inception_v3_fid(depths=64)
    image = np.random.default_rng(1).uniform(-1, 1, (1, *size, 3)).astype("float32")
    resized = keras.Model(model.input, model.get_layer("Conv2d_1a_3x3-conv").input)(image)
    np.testing.assert_allclose(ops.convert_to_numpy(resized)[0], bilinear(image[0].astype("float64"), (299, 299)), atol=1e-3)
    assert tuple(model(image).shape) == (1, 64)


def test_frozen_float32_and_copied_whatever_the_policy():
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = inception_v3_fid(depths=64)
        copy = keras.models.clone_model(model)
    finally:
        keras.config.set_dtype_policy(policy)
    full = inception_v3_fid(depths=64)
    assert model.trainable_variables == []
    weights = model.get_weights()
    image = np.random.default_rng(2).uniform(-1, 1, (1, 32, 48, 3)).astype("float32")
    output = ops.convert_to_numpy(model(image, training=True))
    assert output.dtype == "float32"
    for a, b in zip(weights, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    for other in (copy, full):
        other.set_weights(weights)
        np.testing.assert_allclose(ops.convert_to_numpy(other(image)), output, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("depths", [128, (), (64, 100)])
def test_other_depths_are_refused(depths):
    with pytest.raises(ValueError, match=r"depths=.*64, 192, 768, 2048"):
        inception_v3_fid(depths=depths)
