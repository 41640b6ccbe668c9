"""The networks of SPADE against the tensors of the published ones."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_semisis.models.feature_model import features
from keras_semisis.models.spade import multiscale_discriminator, spade_encoder, spade_generator
from tests.models.reference import Reference, assert_close, channels_last, filled, run, values_of

GENERATORS = {
    "spade_generator_normal": lambda: spade_generator(7, (64, 64), 4),
    "spade_generator_normal_vae": lambda: spade_generator(7, (32, 64), 4, latent_channels=16),
    "spade_generator_more": lambda: spade_generator(7, (64, 128), 2, "more"),
    "spade_generator_most": lambda: spade_generator(7, (128, 128), 4, "most"),
    "spade_generator_most_vae": lambda: spade_generator(7, (128, 128), 4, "most", latent_channels=16),
}
NETWORKS = GENERATORS | {
    "spade_encoder": lambda: spade_encoder((64, 96), 8),
    "spade_multiscale_discriminator": lambda: multiscale_discriminator(7, (64, 64), 8, instance_edges=True),
}
WITH_TRAINING = ["spade_generator_normal", "spade_generator_normal_vae", "spade_multiscale_discriminator"]


def network(name, state):
    return filled(NETWORKS[name], state, "spade")


def inputs_of(reference):
    if "generator" in reference.meta["name"]:
        noise = [reference.input("z")] if "in/z" in reference.arrays else []
        return [reference.label_map(), *noise]
    if "encoder" in reference.meta["name"]:
        return reference.image()
    # the published program judges both images as one batch, the generated one first
    image = np.concatenate([reference.image("fake"), reference.image("real")])
    return [np.repeat(reference.label_map(), 2, axis=0), image, np.repeat(reference.image("edges"), 2, axis=0)]


@pytest.mark.parametrize("name", GENERATORS)
def test_generator(name):
    reference = Reference(name)
    assert_close(network(name, reference.sd)(inputs_of(reference)), channels_last(reference.output("image_eval")))


@pytest.mark.parametrize("name", ["spade_generator_normal", "spade_generator_normal_vae"])
def test_generator_with_edges_is_the_published_one(name):
    # the published programs concatenate the edges behind the classes: the last of the seven channels here
    reference = Reference(name)
    label_map, *noise = inputs_of(reference)
    arguments = {"latent_channels": 16} if noise else {}
    generator = filled(
        lambda: spade_generator(6, reference.image("seg").shape[1:3], 4, instance_edges=True, **arguments),
        reference.sd,
        "spade",
    )
    edges = (label_map == 6)[..., None].astype("float32")
    # an id of no class has no channel, as where there is an edge alone
    images = generator([np.where(label_map == 6, -1, label_map), *noise, edges])
    assert_close(images, channels_last(reference.output("image_eval")))


def test_encoder():
    reference = Reference("spade_encoder")
    mu, logvar = network("spade_encoder", reference.sd)(inputs_of(reference))
    assert_close(mu, reference.output("mu_eval"))
    assert_close(logvar, reference.output("logvar_eval"))


@pytest.mark.parametrize("mode", ["eval", "train"])
def test_multiscale_discriminator(mode):
    reference = Reference("spade_multiscale_discriminator")
    inputs = inputs_of(reference)

    def discriminator():
        return network("spade_multiscale_discriminator", reference.sd)

    predictions = run(discriminator(), inputs, training=mode == "train")
    layers = run(features(discriminator()), inputs, training=mode == "train")
    assert [len(scale) for scale in layers] == [4, 4]
    for k, prediction in enumerate(predictions):
        for i, layer in enumerate([*layers[k], prediction]):
            assert_close(layer, channels_last(reference.output(f"d{k}_layer{i}_{mode}")))


@pytest.mark.parametrize("name", WITH_TRAINING)
def test_training_and_its_updated_state(name):
    reference = Reference(name)
    model = network(name, reference.sd)
    output = run(model, inputs_of(reference), training=True)
    if "generator" in name:
        assert_close(output, channels_last(reference.output("image_train")))
    after = {
        key.removeprefix("out/after_train/"): value
        for key, value in reference.arrays.items()
        if key.startswith("out/after_train/")
    }
    updated = values_of(model.non_trainable_variables)
    expected = values_of(network(name, reference.sd | after).non_trainable_variables)
    assert len(after) == len(updated)
    for ours, theirs in zip(updated, expected, strict=True):
        assert_close(ours, theirs)


def test_features_are_flat_scale_by_scale():
    discriminator = multiscale_discriminator(3, (20, 33), 2, num_scales=3, num_layers=3)
    # width doubles from layer to layer, size halves from scale to scale, rounded up
    assert [tuple(x.shape[1:]) for x in features(discriminator).outputs] == [
        (11, 17, 2),
        (6, 9, 4),
        (7, 10, 8),
        (6, 9, 2),
        (4, 5, 4),
        (5, 6, 8),
        (3, 5, 2),
        (2, 3, 4),
        (3, 4, 8),
    ]
    outputs = discriminator([np.zeros((2, 20, 33), "int32"), np.zeros((2, 20, 33, 3), "float32")])
    assert [tuple(x.shape) for x in outputs] == [(2, 8, 11, 1), (2, 6, 7, 1), (2, 4, 5, 1)]


def test_widths_end_at_512():
    discriminator = multiscale_discriminator(3, (16, 16), 256, num_scales=1, num_layers=4)
    assert [x.shape[-1] for x in features(discriminator).outputs] == [256, 512, 512, 512]


def test_one_scale_is_a_tensor():
    discriminator = multiscale_discriminator(3, (8, 8), 2, num_scales=1, num_layers=1)
    prediction = discriminator([np.zeros((2, 8, 8), "int32"), np.zeros((2, 8, 8, 3), "float32")])
    assert tuple(prediction.shape) == (2, 6, 6, 1)


@pytest.mark.parametrize(("upsampling", "image_size"), [("normal", (32, 96)), ("more", (64, 64)), ("most", (128, 256))])
@pytest.mark.parametrize("latent_channels", [None, 5])
def test_generator_of_another_size(upsampling, image_size, latent_channels):
    generator = spade_generator(4, image_size, 2, upsampling, latent_channels, hidden_channels=3)
    noise = [np.ones((1, 5), "float32")] if latent_channels else []
    image = ops.convert_to_numpy(run(generator, [np.ones((1, *image_size), "int32"), *noise]))
    assert image.shape == (1, *image_size, 3)
    assert np.abs(image).max() <= 1


def test_encoder_of_another_size():
    for image_size in ((256, 256), (300, 40)):
        outputs = spade_encoder(image_size, 1, latent_channels=6)(np.zeros((2, *image_size, 3), "float32"))
        assert [tuple(x.shape) for x in outputs] == [(2, 6), (2, 6)]


def test_arguments_that_do_not_fit():
    with pytest.raises(ValueError, match=r"multiples of 32.*\(64, 96\), \(64, 128\), \(96, 96\), \(96, 128\)"):
        spade_generator(4, (70, 100))
    with pytest.raises(ValueError, match=r'upsampling="more".*multiples of 64.*\(64, 64\), \(64, 128\)'):
        spade_generator(4, (64, 96), upsampling="more")
    with pytest.raises(ValueError, match=r"multiples of 128.*\(128, 128\)"):
        spade_generator(4, (64, 128), upsampling="most")
    with pytest.raises(ValueError, match=r"upsampling='least': expected one of 'normal', 'more', 'most'"):
        spade_generator(4, (64, 64), upsampling="least")
    with pytest.raises(ValueError, match=r"base_channels=1.*at least 2"):
        spade_generator(4, (128, 128), 1, upsampling="most")
    with pytest.raises(ValueError, match="num_scales=0"):
        multiscale_discriminator(4, (64, 64), num_scales=0)
    with pytest.raises(ValueError, match="num_layers=0"):
        multiscale_discriminator(4, (64, 64), num_layers=0)


def copy_of(model):
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(model))
    copy.set_weights(model.get_weights())
    return copy


@pytest.mark.parametrize(
    "build",
    [
        lambda: spade_generator(3, (32, 32), 1, latent_channels=4, hidden_channels=5),
        lambda: spade_generator(3, (64, 64), 1, "more", hidden_channels=5),
        lambda: spade_generator(3, (32, 32), 1, latent_channels=4, hidden_channels=5, instance_edges=True),
        lambda: spade_encoder((20, 30), 1, 4),
        lambda: multiscale_discriminator(3, (16, 18), 2, num_scales=3, num_layers=2, instance_edges=True),
    ],
)
def test_config_round_trip(build):
    model = build()
    random = np.random.default_rng(0)
    inputs = [
        random.integers(0, 3, (2, *x.shape[1:]))
        if x.dtype == "int32"
        else random.standard_normal((2, *x.shape[1:])).astype("float32")
        for x in model.inputs
    ]
    inputs = inputs if isinstance(model.input, list) else inputs[0]
    cloned = keras.models.clone_model(model)
    cloned.set_weights(model.get_weights())
    for other in (cloned, copy_of(model)):
        for ours, theirs in zip(keras.tree.flatten(run(other, inputs)), keras.tree.flatten(run(model, inputs)), strict=True):
            np.testing.assert_array_equal(ops.convert_to_numpy(ours), ops.convert_to_numpy(theirs))
