import keras
import numpy as np
import pytest
from keras import ops

from keras_semisis import models
from keras_semisis.checkpoints import CheckpointError, load_reference_weights, save_reference_weights
from keras_semisis.models.wavelet_decoders import wavelet_decoder
from tests.models.reference import Reference, assert_close, channels_last


def published():
    reference = Reference("wavelet_decoder")
    model = wavelet_decoder((128, 128), base_channels=reference.meta["options"]["features"])
    return reference, load_reference_weights(model, reference.sd, family="usis")


def random_features(model, batch=2):
    rng = np.random.default_rng(0)
    return [rng.standard_normal((batch, *shape[1:])).astype("float32") for shape in model.input_shape]


def test_image_of_the_published_network():
    reference, model = published()
    image = model([channels_last(reference.input(name)) for name in "abcdef"])
    assert_close(image, channels_last(reference.output("image_eval")))
    distance = ops.mean(ops.abs(image - ops.convert_to_tensor(reference.image())))
    assert float(ops.convert_to_numpy(distance)) == pytest.approx(float(reference.output("l1_eval")), rel=1e-4)


def test_weights_return_bit_for_bit():
    reference, model = published()
    written = save_reference_weights(model, family="usis")
    assert set(written) == set(reference.sd)
    for key, value in written.items():
        np.testing.assert_array_equal(value, reference.sd[key], err_msg=key, strict=True)


def test_weights_of_another_width_are_refused():
    with pytest.raises(CheckpointError, match=r"up6.conv.0.weight_orig is \(48, 8, 4, 4\), the model's is \(24, 4, 4, 4\)"):
        load_reference_weights(wavelet_decoder((128, 128), 4), Reference("wavelet_decoder").sd, family="usis")


def test_takes_the_features_of_a_wavelet_discriminator_of_six_blocks():
    image_size = (384, 640)
    widths = {512: 1, 128: 4, 64: 8, 32: 8, 16: 8, 8: 8, 4: 8}
    features = models.features(models.wavelet_discriminator(image_size, widths))
    decoder = wavelet_decoder(image_size, base_channels=1)
    assert [tuple(shape) for shape in decoder.input_shape] == [tuple(shape) for shape in features.output_shape]
    assert decoder.output_shape == (None, *image_size, 3)


def test_another_size_and_width():
    decoder = wavelet_decoder((128, 256), base_channels=1)
    image = ops.convert_to_numpy(decoder(random_features(decoder)))
    assert image.shape == (2, 128, 256, 3)
    assert np.abs(image).max() <= 1 and image.std() > 0


def test_dropout_follows_the_first_two_blocks_in_training():
    decoder = wavelet_decoder((128, 128), base_channels=2)
    names = [f"dropout_{i}" for i in range(1, 7) if f"dropout_{i}" in {layer.name for layer in decoder.layers}]
    assert names == ["dropout_1", "dropout_2"]
    before_and_after = keras.Model(decoder.input, [decoder.get_layer(name).output for name in ("relu_2", "dropout_2")])
    before, after = (ops.convert_to_numpy(x) for x in before_and_after(random_features(decoder), training=True))
    kept = after != 0
    np.testing.assert_allclose(after[kept], 2 * before[kept], rtol=1e-6)
    # 8 standard deviations of a share of 1/2 among these
    assert abs(kept[before > 0].mean() - 0.5) < 8 * 0.5 / (before > 0).sum() ** 0.5


def test_a_size_that_does_not_fit_names_the_nearest_that_do():
    with pytest.raises(ValueError, match=r"wavelet_decoder: .*multiples of 128.*\(128, 256\), \(256, 256\)"):
        wavelet_decoder((200, 256))


def test_config_round_trip():
    model = wavelet_decoder((128, 128), base_channels=1)
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    inputs = random_features(model)
    np.testing.assert_array_equal(ops.convert_to_numpy(copy(inputs)), ops.convert_to_numpy(model(inputs)))


def test_image_is_float32_in_bfloat16():
    before = keras.config.dtype_policy()
    try:
        keras.config.set_dtype_policy("mixed_bfloat16")
        model = wavelet_decoder((128, 128), base_channels=1)
    finally:
        keras.config.set_dtype_policy(before)
    assert (model.get_layer("up_1").output.dtype, model.output.dtype) == ("bfloat16", "float32")
