"""A network keeps the dtype policy that it was built under, also where it is loaded under another one."""

import keras
import pytest

from keras_semisis import models

BUILDERS = {
    "cc_fpse_generator": lambda: models.cc_fpse_generator(3, (32, 32), 1, 4),
    "fpse_discriminator": lambda: models.fpse_discriminator(3, (32, 64), 2),
    "wavelet_spade_generator": lambda: models.wavelet_spade_generator(3, (16, 16), 1, 4, num_blocks=2),
    "oasis_generator": lambda: models.oasis_generator(3, (16, 16), 2, 4, num_blocks=2),
    "oasis_discriminator": lambda: models.oasis_discriminator(3, (16, 16), (4, 8), 4),
    "spade_generator": lambda: models.spade_generator(3, (32, 32), 1, latent_channels=4, hidden_channels=4),
    "spade_encoder": lambda: models.spade_encoder((16, 16), 1, 4),
    "multiscale_discriminator": lambda: models.multiscale_discriminator(3, (16, 16), 2),
    "stylegan2_discriminator": lambda: models.stylegan2_discriminator((16, 16), {4: 4, 8: 4}, tile_size=8),
    "wavelet_decoder": lambda: models.wavelet_decoder((128, 128), 1),
    "wavelet_discriminator": lambda: models.wavelet_discriminator((16, 16), {4: 4, 16: 4}),
}


def policies(model):
    layers = [layer for layer in model._flatten_layers() if not isinstance(layer, keras.Model)]
    return {layer.path: layer.dtype_policy.name for layer in layers}


@pytest.mark.parametrize("builder", BUILDERS)
def test_a_network_keeps_its_policy_when_it_is_loaded_under_another(builder):
    before = keras.config.dtype_policy()
    try:
        keras.config.set_dtype_policy("mixed_bfloat16")
        model = BUILDERS[builder]()
        keras.config.set_dtype_policy("float32")
        loaded = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(model))
    finally:
        keras.config.set_dtype_policy(before)
    assert "mixed_bfloat16" in policies(model).values()
    assert policies(loaded) == policies(model)


@pytest.mark.parametrize("builder", BUILDERS)
def test_every_layer_of_a_network_is_built(builder):
    """Keras calls a model that is not, before it trains, with whatever the first batch is."""
    assert not [layer.name for layer in BUILDERS[builder]()._flatten_layers() if not layer.built]
