import keras
import numpy as np
import pytest
from keras import ops

from keras_semisis.gans.engines import engine
from keras_semisis.layers.random_affine import RandomAffine, affine_matrix, warp_image
from tests.models.reference import Reference, assert_close, channels_last

LIMITS = {"max_rotation": 25, "max_translation_x": 3, "max_translation_y": 2, "max_scaling": 30}
SIZE = (6, 9)


def draw(batch=3, seed=0):
    return np.random.default_rng(seed).uniform(size=(batch, 4)).astype("float32")


def layer(**kwargs):
    return RandomAffine(**(LIMITS | {"fill_class": 99} | kwargs))


def image(channels=2, batch=3):
    return np.random.default_rng(1).standard_normal((batch, *SIZE, channels)).astype("float32")


def label_map(batch=3):
    return np.random.default_rng(2).integers(0, 9, (batch, *SIZE)).astype("int32")


def sources(random, size):
    """The point each pixel comes from, in float64: undo the shift, then scale and rotate back about the center."""
    height, width = size
    limits = [
        np.radians(LIMITS["max_rotation"]),
        LIMITS["max_translation_x"],
        LIMITS["max_translation_y"],
        np.log(1 + LIMITS["max_scaling"] / 100),
    ]
    center = np.array([width / 2, height / 2])
    points = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1).astype("float64")
    for angle, shift_x, shift_y, log_scale in (2 * random.astype("float64") - 1) * limits:
        back = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]) / np.exp(log_scale)
        yield (points - center - [shift_x, shift_y]) @ back.T + center


def bilinear_weights(random, size):
    """The warp as a matrix for each sample: (B, H*W, H*W), pixel by pixel, zeros outside."""
    height, width = size
    matrices = np.zeros((len(random), height, width, height, width))
    for matrix, source in zip(matrices, sources(random, size), strict=True):
        for i in range(height):
            for j in range(width):
                x, y = source[i, j]
                for row in range(height):
                    for column in range(width):
                        matrix[i, j, row, column] = max(0, 1 - abs(x - column)) * max(0, 1 - abs(y - row))
    return matrices.reshape(len(random), height * width, height * width)


def test_image_is_sampled_bilinearly_with_zeros_outside():
    random, x = draw(), image()
    expected = (bilinear_weights(random, SIZE) @ x.reshape(3, -1, 2)).reshape(x.shape)
    assert_close(layer()([x, random]), expected, 1e-5)
    assert (expected == 0).any()


def test_gradient_is_the_transposed_warp():
    random, x = draw(), image()
    projection = np.random.default_rng(3).standard_normal(x.shape).astype("float32")
    warp = layer()

    def fn(x):
        return ops.sum(warp([x, ops.convert_to_tensor(random)]) * ops.convert_to_tensor(projection))

    gradient = engine.input_gradient(fn, ops.convert_to_tensor(x), ())
    expected = bilinear_weights(random, SIZE).transpose(0, 2, 1) @ projection.reshape(3, -1, 2)
    assert_close(gradient, expected.reshape(x.shape), 1e-5)


@pytest.mark.parametrize("dtype", ["int32", "uint8"])
def test_label_map_takes_the_nearest_pixel_or_the_fill_class(dtype):
    random, labels = draw(), label_map().astype(dtype)
    expected = np.full_like(labels, 99)
    for i, source in enumerate(sources(random, SIZE)):
        column, row = np.floor(source + 0.5).astype(int).transpose(2, 0, 1)
        exists = (row >= 0) & (row < SIZE[0]) & (column >= 0) & (column < SIZE[1])
        expected[i][exists] = labels[i][row[exists], column[exists]]
    result = layer()([labels, random])
    assert keras.backend.standardize_dtype(result.dtype) == dtype
    np.testing.assert_array_equal(ops.convert_to_numpy(result), expected)
    assert 0 < (expected == 99).mean() < 1


def test_inside_is_where_the_image_is_not_mixed_with_the_zeros_outside():
    random, warp = draw(), layer()
    mask = ops.convert_to_numpy(warp.inside(random, SIZE))
    np.testing.assert_array_equal(mask, np.isclose(bilinear_weights(random, SIZE).sum(-1).reshape(mask.shape), 1))
    assert 0 < mask.mean() < 1
    labels = ops.convert_to_numpy(warp([label_map(), random]))
    assert (labels[mask] != 99).all()


def test_random_numbers_of_one_half_change_nothing():
    random = np.full((3, 4), 0.5, "float32")
    np.testing.assert_array_equal(ops.convert_to_numpy(layer()([image(), random])), image())
    np.testing.assert_array_equal(ops.convert_to_numpy(layer()([label_map(), random])), label_map())
    assert ops.convert_to_numpy(layer().inside(random, SIZE)).all()


def test_translation_by_whole_pixels_is_a_shift():
    # 3 pixels · (2 · 5/6 - 1) = 2 to the right, 2 · (2 · 1/4 - 1) = 1 up
    random = np.array([[0.5, 5 / 6, 0.25, 0.5]] * 3, "float32")
    expected = np.full_like(label_map(), 99)
    expected[:, :-1, 2:] = label_map()[:, 1:, :-2]
    np.testing.assert_array_equal(ops.convert_to_numpy(layer()([label_map(), random])), expected)
    np.testing.assert_array_equal(ops.convert_to_numpy(layer().inside(random, SIZE)), expected != 99)


def test_samples_are_independent():
    random, x = draw(), image()
    together = ops.convert_to_numpy(layer()([x, random]))
    for i in range(3):
        alone = layer()([x[i : i + 1], random[i : i + 1]])
        np.testing.assert_allclose(ops.convert_to_numpy(alone)[0], together[i], atol=1e-6)


def test_in_a_functional_model_of_any_batch_size():
    inputs = [keras.Input((*SIZE, 2)), keras.Input(SIZE, dtype="int32"), keras.Input((4,))]
    warp = layer()
    model = keras.Model(inputs, [warp([inputs[0], inputs[2]]), warp([inputs[1], inputs[2]])])
    assert model.output_shape == [(None, *SIZE, 2), (None, *SIZE)]
    for batch in (1, 3):
        random = draw(batch)
        images, labels = model.predict_on_batch([image(batch=batch), label_map(batch), random])
        assert_close(images, ops.convert_to_numpy(warp([image(batch=batch), random])), 1e-5)
        np.testing.assert_array_equal(labels, ops.convert_to_numpy(warp([label_map(batch), random])))


def test_config_round_trip():
    warp = layer(name="warp")
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(warp))
    assert type(again) is RandomAffine and again.get_config() == warp.get_config()
    for x in (image(), label_map()):
        np.testing.assert_array_equal(ops.convert_to_numpy(again([x, draw()])), ops.convert_to_numpy(warp([x, draw()])))


def test_mixed_bfloat16_rounds_the_image_and_not_the_positions():
    limits = {"max_translation_x": 60, "fill_class": 200}
    mixed, full = layer(**limits, dtype="mixed_bfloat16"), layer(**limits)
    columns = np.broadcast_to(np.arange(100, dtype="int32"), (3, 10, 100))
    np.testing.assert_array_equal(ops.convert_to_numpy(mixed([columns, draw()])), ops.convert_to_numpy(full([columns, draw()])))
    image = (columns[..., None] / 100).astype("float32")
    warped = mixed([image, draw()])
    assert keras.backend.standardize_dtype(warped.dtype) == "bfloat16"
    assert_close(ops.cast(warped, "float32"), ops.convert_to_numpy(full([image, draw()])), 0.01)


def test_a_negative_limit_is_refused():
    with pytest.raises(ValueError, match="max_scaling=-5: expected 0 or more"):
        layer(max_scaling=-5)


@pytest.mark.parametrize("x", [np.zeros((3, *SIZE), "float32"), np.zeros((3, *SIZE, 2), "int32")])
def test_what_is_neither_image_nor_label_map_is_refused(x):
    with pytest.raises(ValueError, match=rf"float image .* or an integer label map .*, got {x.dtype} \(3, 6, 9"):
        layer()([x, draw()])


@pytest.mark.parametrize("name", ["sq", "big", "wide"])
def test_the_published_program(name):
    z, x, random, limits = published(name)
    height, width = x.shape[1:3]
    # the published program turns an image that is not square about (height/2, width/2)
    matrix = affine_matrix(random, **limits, center=(height / 2, width / 2))
    warped = channels_last(z[f"out/{name}_warped"])
    assert_close(matrix, z[f"out/{name}_matrix"])
    assert_close(warp_image(x, matrix), warped)
    ours = RandomAffine(**limits, fill_class=0)([x, random])
    if height == width:
        assert_close(ours, warped)
    else:
        assert np.abs(ops.convert_to_numpy(ours) - warped).max() > 0.1 * np.abs(warped).max()


@pytest.mark.parametrize("name", ["tcrmodule_sq", "tcrmodule_wide"])
def test_a_warp_by_any_affine_matrix(name):
    """The older published program shears: its matrices are given."""
    z = published(name)[0]
    assert_close(
        warp_image(channels_last(z[f"in/{name}_img"]), z[f"out/{name}_matrix"]), channels_last(z[f"out/{name}_warped"])
    )


def published(name):
    z = Reference("tcr").arrays
    x = channels_last(z[f"in/{name}_img"])
    if f"in/{name}_rand01" not in z:
        return z, x, None, None
    limits = z[f"in/{name}_max_tx_ty_rot_scale"].tolist()
    names = ("max_translation_x", "max_translation_y", "max_rotation", "max_scaling")
    return z, x, z[f"in/{name}_rand01"], dict(zip(names, limits, strict=True))
