"""The four GAN networks against the tensors of the published ones."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_semisis import models
from keras_semisis.checkpoints import load_reference_weights
from tests.models.reference import Reference, assert_close, channels_last, filled, run, values_of

GENERATORS = {
    "oasis_generator": lambda: models.oasis_generator(7, (64, 64), base_channels=4, noise_channels=8),
    "oasis_generator_wide": lambda: models.oasis_generator(7, (64, 128), base_channels=4, noise_channels=8),
    "oasis_generator_no3dnoise": lambda: models.oasis_generator(
        7, (64, 64), base_channels=3, noise_channels=0, norm="instance"
    ),
    "wavelet_generator": lambda: models.wavelet_spade_generator(7, (64, 64), base_channels=2, noise_channels=8),
}


def generator_of(name, sd):
    return filled(GENERATORS[name], sd, "usis" if name.startswith("wavelet") else "oasis")


def generator_inputs(reference):
    noise = [reference.input("z")] if "in/z" in reference.arrays else []
    return [reference.label_map(), *noise]


def with_features(network):
    return keras.Model(network.input, [network.output, *models.features(network).outputs])


@pytest.mark.parametrize("name", GENERATORS)
def test_generator_inference(name):
    reference = Reference(name)
    generator = generator_of(name, reference.sd)
    assert_close(run(generator, generator_inputs(reference)), channels_last(reference.output("image_eval")))


@pytest.mark.parametrize("name", ["oasis_generator", "wavelet_generator"])
def test_generator_training_and_its_updated_state(name):
    reference = Reference(name)
    generator = generator_of(name, reference.sd)
    image = run(generator, generator_inputs(reference), training=True)
    assert_close(image, channels_last(reference.output("image_train")))
    updated = values_of(generator.non_trainable_variables)
    expected = generator_of(
        name,
        reference.sd
        | {
            key.removeprefix("out/after_train/"): value
            for key, value in reference.arrays.items()
            if key.startswith("out/after_train/")
        },
    )
    assert len(updated) >= 48
    for ours, theirs in zip(updated, values_of(expected.non_trainable_variables), strict=True):
        assert_close(ours, theirs)


def test_oasis_generator_gradients():
    reference = Reference("oasis_generator")
    generator = generator_of("oasis_generator", reference.sd)
    projection = ops.convert_to_tensor(channels_last(reference.input("grad_proj")))
    block = {i: generator.get_layer(f"body_{i}") for i in (0, 3, 5)}
    wanted = {
        "conv_img.weight": generator.get_layer("conv_img").kernel,
        "fc.weight": generator.get_layer("fc").conv.kernel,
        "body.5.conv_0.weight_orig": block[5].conv_0.kernel,
        "body.5.conv_1.weight_orig": block[5].conv_1.kernel,
        "body.5.conv_s.weight_orig": block[5].conv_s.kernel,
        "body.3.conv_s.weight_orig": block[3].conv_s.kernel,
        "body.5.norm_s.mlp_gamma.bias": block[5].norm_s.gamma_beta.bias,
        "body.0.norm_0.mlp_beta.bias": block[0].norm_0.gamma_beta.bias,
    }

    from keras_semisis.gans.engines import engine

    def loss(values):
        with keras.StatelessScope(zip(wanted.values(), values, strict=True)):
            image = generator(generator_inputs(reference), training=True)
        return ops.sum(image * projection), ()

    gradients = engine.compiled(lambda: engine.value_and_gradients(loss, list(wanted.values()))[2])()
    for name, gradient in zip(wanted, gradients, strict=True):
        theirs, ours = reference.output(f"grad_{name}"), ops.convert_to_numpy(gradient)
        if theirs.ndim == 4:
            theirs = theirs.transpose(2, 3, 1, 0)
        else:
            half = len(ours) // 2
            ours = ours[:half] if "gamma" in name else ours[half:]
        assert_close(ours, theirs)


def test_oasis_discriminator():
    reference = Reference("oasis_discriminator")
    discriminator = models.oasis_discriminator(7, (64, 64), channels=(16, 16, 32, 32, 64, 64), final_channels=8)
    load_reference_weights(discriminator, reference.sd, family="oasis")
    image = reference.image()
    logits, *features = run(with_features(discriminator), image)
    assert_close(logits, channels_last(reference.output("logits_eval")))
    for i, feature in enumerate(features):
        assert_close(feature, channels_last(reference.output(f"feat{i}")))
    assert_close(run(discriminator, image, training=True), channels_last(reference.output("logits_train")))


@pytest.mark.parametrize(("name", "size"), [("wavelet_discriminator", (64, 64)), ("wavelet_discriminator_wide", (32, 64))])
def test_wavelet_discriminator(name, size):
    reference = Reference(name)
    channels = (
        {int(k): v for k, v in reference.meta["options"]["patch_channels"].items()}
        if ("options" in reference.meta)
        else {4: 64, 8: 64, 16: 64, 32: 64, 64: 64}
    )
    discriminator = load_reference_weights(models.wavelet_discriminator(size, channels), reference.sd, family="usis")
    for suffix in ("8", "2"):
        assert_close(run(discriminator, reference.image(f"img{suffix}")), reference.output(f"logit{suffix}"))
    logit, *features = run(with_features(discriminator), reference.image())
    assert_close(logit, reference.output("logit"))
    for i, feature in enumerate(features):
        assert_close(feature, channels_last(reference.output(f"feat{i}")))


def test_sizes_that_do_not_fit_name_the_nearest_that_do():
    with pytest.raises(ValueError, match=r"multiples of 64.*\(64, 64\), \(64, 128\), \(128, 64\), \(128, 128\)"):
        models.wavelet_spade_generator(4, (100, 100))
    with pytest.raises(ValueError, match=r"multiples of 16.*\(64, 96\)"):
        models.wavelet_discriminator((64, 90))


@pytest.mark.parametrize(("image_size", "final"), [((64, 96), (4, 6)), ((192, 256), (3, 4)), ((64, 64), (4, 4))])
def test_wavelet_discriminator_final_map(image_size, final):
    widths = dict.fromkeys((4, 8, 16, 32, 64, 128, 256), 2)
    model = models.wavelet_discriminator(image_size, widths)
    assert model.get_layer("final_conv").output.shape[1:3] == final


def test_networks_survive_a_config_round_trip():
    generator = models.wavelet_spade_generator(5, (32, 32), base_channels=1, noise_channels=4, num_blocks=3)
    copy = keras.models.clone_model(generator)
    copy.set_weights(generator.get_weights())
    inputs = [np.random.default_rng(0).integers(0, 5, (2, 32, 32)), np.ones((2, 4), "float32")]
    np.testing.assert_array_equal(ops.convert_to_numpy(run(copy, inputs)), ops.convert_to_numpy(run(generator, inputs)))
