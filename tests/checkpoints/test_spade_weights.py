"""SPADE's state dicts into these networks and back."""

import numpy as np
import pytest
from keras import ops

from keras_semisis.checkpoints import CheckpointError, load_reference_weights, save_reference_weights
from keras_semisis.models.spade import multiscale_discriminator, spade_encoder, spade_generator
from tests.models.reference import Reference, filled
from tests.models.test_spade_networks import NETWORKS


@pytest.mark.parametrize("name", NETWORKS)
def test_a_round_trip_gives_every_entry_back(name):
    reference = Reference(name)
    saved = save_reference_weights(filled(NETWORKS[name], reference.sd, "spade"), family="spade")
    assert set(saved) == set(reference.sd)
    for key, value in reference.sd.items():
        assert saved[key].shape == value.shape, key
        np.testing.assert_array_equal(saved[key], value, err_msg=key)


def test_a_start_that_is_not_square():
    """Each entry of the dense layer keeps its place where height, width, channels and style differ in length."""
    generator = spade_generator(3, (64, 96), 1, latent_channels=5, hidden_channels=2)
    state = save_reference_weights(generator, family="spade")
    z = np.random.default_rng(0).standard_normal((1, 5)).astype("float32")
    state["fc.bias"] = np.random.default_rng(1).standard_normal(16 * 2 * 3).astype("float32")
    load_reference_weights(generator, state, family="spade")
    ours = generator.get_layer("start")(generator.get_layer("fc")(z))
    theirs = (z @ state["fc.weight"].T + state["fc.bias"]).reshape(1, 16, 2, 3)
    np.testing.assert_allclose(ops.convert_to_numpy(ours), np.moveaxis(theirs, 1, -1), atol=1e-5)


@pytest.mark.parametrize(
    ("build", "other", "entry"),
    [
        (
            lambda: spade_generator(3, (32, 32), 1, hidden_channels=2),
            lambda: spade_generator(4, (32, 32), 1, hidden_channels=2),
            r"shape: fc\.weight is \(16, 3, 3, 3\)",
        ),
        (
            lambda: spade_generator(3, (32, 32), 1, hidden_channels=2),
            lambda: spade_generator(3, (32, 32), 1, latent_channels=4, hidden_channels=2),
            r"shape: fc\.weight is \(16, 3, 3, 3\)",
        ),
        (
            lambda: spade_generator(3, (128, 128), 2, "most", hidden_channels=2),
            lambda: spade_generator(3, (128, 128), 2, "more", hidden_channels=2),
            r"unexpected: up_4\.conv_0\.bias \(1,\)",
        ),
        (lambda: spade_encoder((64, 64), 1, 4), lambda: spade_encoder((64, 64), 1, 6), r"shape: fc_mu\.weight is \(4, 128\)"),
        (
            lambda: multiscale_discriminator(3, (16, 16), 2, num_layers=2),
            lambda: multiscale_discriminator(3, (16, 16), 2, num_layers=3),
            r"missing: discriminator_1\.model3\.0\.weight \(1, 8, 4, 4\)",
        ),
    ],
)
def test_a_model_of_another_size(build, other, entry):
    state = save_reference_weights(build(), family="spade")
    with pytest.raises(CheckpointError, match=entry):
        load_reference_weights(other(), state, family="spade")
