"""Discriminators on frozen trunks: what is normalized, what learns, what a file holds."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_semisis import models
from keras_semisis.models.trunks import TRUNKS

SIZE = (16, 32)
PHOTOS = np.random.default_rng(0).uniform(-1, 1, (6, *SIZE, 3)).astype("float32")


def as_numpy(tensors):
    return [ops.convert_to_numpy(ops.cast(tensor, "float32")) for tensor in tensors]


def trunk_layer(network):
    (layer,) = models.frozen_features_of(network)
    return layer


@pytest.fixture(scope="module")
def layer():
    keras.utils.set_random_seed(0)
    return models.FrozenFeatures("vgg16", weights=None)


def test_constants_bring_every_channel_to_mean_0_and_variance_1(layer):
    raw = as_numpy(layer.features(ops.convert_to_tensor(PHOTOS)))
    layer.adapt([PHOTOS[:4], PHOTOS[4:]])
    normalized = as_numpy(layer(ops.convert_to_tensor(PHOTOS)))
    for before, after in zip(raw, normalized, strict=True):
        flat = before.reshape(-1, before.shape[-1]).astype("float64")
        variance = np.maximum(flat.var(0), 1e-2 * flat.var(0).mean())
        np.testing.assert_allclose(after.reshape(flat.shape), (flat - flat.mean(0)) / np.sqrt(variance), rtol=1e-3, atol=1e-3)


def test_constants_are_of_photos_and_no_more_than_needed(layer):
    def batches():
        for _ in range(22):  # 132 photos
            yield PHOTOS
        raise AssertionError("more photos were read than the constants need")

    layer.adapt(batches())
    with pytest.raises(ValueError, match="there are no photos"):
        layer.adapt([])


@pytest.mark.parametrize(
    ("network", "expected"),
    [
        (lambda: models.pretrained_discriminator(5, SIZE, channels=(4,) * 5, final_channels=4, weights=None), (*SIZE, 6)),
        (
            lambda: models.pretrained_discriminator(
                5, SIZE, trunk_size=(32, 64), channels=(4,) * 5, final_channels=4, weights=None
            ),
            (*SIZE, 6),
        ),
        (
            lambda: models.pretrained_discriminator(
                5, SIZE, "efficientnet_lite0", (32, 64), (4,) * 5, final_channels=4, weights=None
            ),
            (*SIZE, 6),
        ),
        (
            lambda: models.pretrained_discriminator(
                5, SIZE, "efficientnet_lite0", (96, 192), (4,) * 5, final_channels=4, weights=None
            ),
            (*SIZE, 6),
        ),
        (lambda: models.projected_discriminator(SIZE, channels=(4,) * 4, weights=None), (1, 2, 4)),
        (lambda: models.projected_discriminator(SIZE, "efficientnet_lite0", (64, 128), (4,) * 4, weights=None), (2, 4, 4)),
    ],
    ids=["pretrained", "enlarged", "efficientnet", "efficientnet, enlarged", "projected", "projected, efficientnet"],
)
def test_only_what_is_not_the_trunk_learns(network, expected):
    network = network()
    assert network.output_shape[1:] == expected
    frozen = {id(v) for v in trunk_layer(network).variables}
    assert frozen and not any(id(v) in frozen for v in network.trainable_variables)
    network.trainable = True
    assert not any(id(v) in frozen or "across" in v.path for v in network.trainable_variables)
    assert np.isfinite(as_numpy([network(PHOTOS, training=True)])[0]).all()


def test_a_file_holds_random_weights_and_constants(tmp_path):
    network = models.pretrained_discriminator(5, SIZE, channels=(4,) * 5, final_channels=4, weights=None)
    trunk_layer(network).adapt([PHOTOS])
    network.save(tmp_path / "d.keras")
    loaded = keras.saving.load_model(tmp_path / "d.keras")
    for a, b in zip(as_numpy(network.variables), as_numpy(loaded.variables), strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(*as_numpy([network(PHOTOS), loaded(PHOTOS)]))


def test_a_file_names_weights_of_a_package_by_their_hash(tmp_path):
    try:
        network = models.projected_discriminator(SIZE, channels=(4,) * 4)
    except ModuleNotFoundError as error:
        pytest.skip(str(error))
    trunk_layer(network).adapt([PHOTOS])
    network.save(tmp_path / "u.keras")
    assert (tmp_path / "u.keras").stat().st_size < 4e6  # the trunk has 59 MB
    loaded = keras.saving.load_model(tmp_path / "u.keras")
    np.testing.assert_array_equal(*as_numpy([network(PHOTOS), loaded(PHOTOS)]))
    config = trunk_layer(network).get_config()
    assert config["sha256"] == TRUNKS["vgg16"].sha256 and len(config["sha256"]) == 64
    # Keras makes a TypeError of it
    with pytest.raises((ValueError, TypeError), match=r"weights of the hash 0000.*those of"):
        models.FrozenFeatures.from_config(config | {"sha256": "0" * 64})


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"trunk='vgg11': expected one of 'vgg16'"):
        models.FrozenFeatures("vgg11", weights=None)
    with pytest.raises(ValueError, match=r"multiples of 16.*\(16, 32\)"):
        models.pretrained_discriminator(5, (16, 40), weights=None)
    with pytest.raises(ValueError, match=r"3 widths in channels=\(4, 4, 4\); vgg16 has 5 depths"):
        models.pretrained_discriminator(5, SIZE, channels=(4, 4, 4), weights=None)
    with pytest.raises(ValueError, match=r"expected 4 widths"):
        models.projected_discriminator(SIZE, channels=(4, 4, 4), weights=None)
    for build, arguments in ((models.pretrained_discriminator, (5, SIZE)), (models.projected_discriminator, (SIZE,))):
        with pytest.raises(ValueError, match=r"trunk='vgg19': expected one of 'vgg16', 'efficientnet_lite0'"):
            build(*arguments, "vgg19")
    with pytest.raises(ValueError, match=r"trunk_size=\(512, 1024\) is too large for images of \(16, 32\).*most \(256, 512\)"):
        models.pretrained_discriminator(5, SIZE, trunk_size=(512, 1024), weights=None)
    models.pretrained_discriminator(5, SIZE, trunk_size=(256, 512), channels=(4,) * 5, final_channels=4, weights=None)


@pytest.mark.parametrize("trunk", TRUNKS)
def test_photos_are_taken_as_they_are_without_a_size(trunk):
    found = models.FrozenFeatures(trunk, weights=None)(ops.zeros((1, 64, 96, 3)))
    stride = TRUNKS[trunk].first_stride
    assert [tuple(x.shape[1:3]) for x in found] == [(64 // s, 96 // s) for s in (stride * 2**i for i in range(len(found)))]
