import keras
import numpy as np
import pytest
from keras import ops

from keras_semisis.checkpoints import CheckpointError, load_reference_weights, save_reference_weights
from keras_semisis.checkpoints.reference_weights import reference_entries
from keras_semisis.gans.engines import engine
from keras_semisis.losses.adversarial import r1_penalty
from keras_semisis.models import features
from keras_semisis.models.stylegan2 import SplitIntoTiles, stylegan2_discriminator
from tests.models.reference import Reference, assert_close, channels_last, run

# each published file: image size and side of the tiles
CASES = {"stylegan2_discriminator": ((64, 64), 32), "stylegan2_discriminator_whole": ((32, 64), None), "losses": ((32, 32), 16)}
SMALL = {4: 6, 8: 6, 16: 4, 32: 4, 64: 2, 128: 2, 256: 2}


def published(name):
    reference = Reference(name)
    image_size, tile_size = CASES[name]
    model = stylegan2_discriminator(image_size, reference.meta["options"]["patch_channels"], tile_size)
    return reference, load_reference_weights(model, reference.sd, family="usis")


def photos(size, batch=2):
    return np.random.default_rng(0).uniform(-1, 1, (batch, *size, 3)).astype("float32")


@pytest.mark.parametrize(
    ("name", "output"),
    [("stylegan2_discriminator", "logit"), ("stylegan2_discriminator_whole", "logit"), ("losses", "r1_pred")],
)
def test_logits_of_the_published_network(name, output):
    reference, model = published(name)
    assert_close(run(model, reference.image()), reference.output(output))


def test_r1_and_its_gradients():
    reference, model = published("losses")
    image = ops.convert_to_tensor(reference.image())
    key = "r1_param_grad_of_10r1/"
    wanted = [name.removeprefix(f"out/{key}") for name in reference.arrays if name.startswith(f"out/{key}")]
    entries = {entry.name: entry for entry in reference_entries(model, "usis")}
    variables = [entries[name].variable for name in wanted]

    def loss(values):
        with keras.StatelessScope(zip(variables, values, strict=True)):
            gradient = engine.input_gradient(lambda x: ops.sum(model(x, training=True)), image, model.variables)
        penalty = r1_penalty(gradient)
        return 10.0 * penalty, {"penalty": penalty, "gradient": gradient}

    _, values, gradients = engine.compiled(lambda: engine.value_and_gradients(loss, variables))()
    assert_close(values["gradient"], channels_last(reference.output("r1_grad_image")))
    assert float(values["penalty"]) == pytest.approx(float(reference.output("r1")), rel=1e-4)
    assert len(wanted) == 6
    for name, gradient in zip(wanted, gradients, strict=True):
        assert_close(entries[name].layout.to_reference(ops.convert_to_numpy(gradient)), reference.output(key + name))


@pytest.mark.parametrize("name", CASES)
def test_weights_return_bit_for_bit(name):
    reference, model = published(name)
    written = save_reference_weights(model, family="usis")
    assert set(written) == set(reference.sd)
    for key, value in written.items():
        np.testing.assert_array_equal(value, reference.sd[key], err_msg=key, strict=True)


def test_weights_of_another_size_are_refused():
    sd = Reference("stylegan2_discriminator_whole").sd
    with pytest.raises(CheckpointError, match=r"unexpected: convs.4.conv1.0.weight"):
        load_reference_weights(stylegan2_discriminator((16, 32), dict.fromkeys((4, 8, 16, 32), 64)), sd, family="usis")
    with pytest.raises(CheckpointError, match=r"final_linear.0.weight is \(64, 512\), the model's is \(64, 1024\)"):
        load_reference_weights(stylegan2_discriminator((64, 64), dict.fromkeys((4, 8, 16, 32, 64), 64)), sd, family="usis")


def test_tiles_are_image_by_image_row_by_row():
    images = photos((4, 6))
    tiles = ops.convert_to_numpy(SplitIntoTiles(2)(images))
    expected = [x[i : i + 2, j : j + 2] for x in images for i in (0, 2) for j in (0, 2, 4)]
    np.testing.assert_array_equal(tiles, expected)
    assert SplitIntoTiles(2).compute_output_shape((2, 4, 6, 3)) == (12, 2, 2, 3)


def test_the_network_on_tiles_is_that_of_one_tile_on_each():
    tiled, whole = stylegan2_discriminator((32, 48), SMALL, tile_size=16), stylegan2_discriminator((16, 16), SMALL)
    whole.set_weights(tiled.get_weights())
    images = photos((32, 48))
    expected = ops.convert_to_numpy(whole(SplitIntoTiles(16)(images)))
    assert expected.shape == (12, 1) and np.ptp(expected) > 0
    np.testing.assert_allclose(ops.convert_to_numpy(tiled(images)), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("image_size", "final"),
    [((32, 64), (2, 4)), ((64, 96), (4, 6)), ((192, 256), (3, 4)), ((24, 24), (6, 6)), ((2, 8), (1, 4))],
)
def test_final_map_and_features(image_size, final):
    model = stylegan2_discriminator(image_size, SMALL)
    assert model.get_layer("final_conv").output.shape[1:3] == final
    shapes = [tuple(output.shape[1:3]) for output in features(model).outputs]
    halvings = range(1, len(shapes) + 1)
    assert shapes == [(image_size[0] // 2**i, image_size[1] // 2**i) for i in halvings]
    assert shapes[-1] == final
    assert model.output_shape == (None, 1)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"multiples of 16.*\(64, 80\), \(64, 96\)"):
        stylegan2_discriminator((64, 90), SMALL)
    with pytest.raises(ValueError, match="longer side must be at least 8"):
        stylegan2_discriminator((4, 4), SMALL)
    with pytest.raises(ValueError, match=r"tile_size=32.*multiples of 32.*\(64, 96\)"):
        stylegan2_discriminator((64, 90), SMALL, tile_size=32)
    with pytest.raises(ValueError, match="tile_size=24: expected a power of two from 8, such as 16 or 32"):
        stylegan2_discriminator((48, 48), SMALL, tile_size=24)
    with pytest.raises(ValueError, match=r"no width for the resolutions \[8, 32\]"):
        stylegan2_discriminator((32, 32), {4: 2, 16: 2})


@pytest.mark.parametrize("tile_size", [None, 8])
def test_config_round_trip(tile_size):
    model = stylegan2_discriminator((8, 16), SMALL, tile_size)
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    images = photos((8, 16))
    np.testing.assert_array_equal(ops.convert_to_numpy(run(copy, images)), ops.convert_to_numpy(run(model, images)))


def test_logits_are_float32_in_bfloat16():
    before = keras.config.dtype_policy()
    try:
        keras.config.set_dtype_policy("mixed_bfloat16")
        model = stylegan2_discriminator((8, 16), SMALL, tile_size=8)
    finally:
        keras.config.set_dtype_policy(before)
    block = model.get_layer("block_0")
    assert {layer.compute_dtype for layer in (block.conv1, block.conv2, block.skip)} == {"bfloat16"}
    assert (block.output.dtype, model.output.dtype) == ("bfloat16", "float32")
