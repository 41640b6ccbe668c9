"""The networks of CC-FPSE against the tensors of the published ones, and their weights both ways."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_semisis.checkpoints import CheckpointError, load_reference_weights, save_reference_weights
from keras_semisis.models.cc_fpse import cc_fpse_generator, fpse_discriminator
from keras_semisis.models.feature_model import features
from tests.models.reference import Reference, assert_close, channels_last, filled, run

NETWORKS = {
    "ccfpse_generator": lambda: cc_fpse_generator(7, (64, 64), base_channels=4, hidden_channels=16),
    "ccfpse_generator_nh128": lambda: cc_fpse_generator(7, (64, 64), base_channels=1),
    "ccfpse_discriminator": lambda: fpse_discriminator(7, (64, 64), base_channels=4),
}
GENERATORS = [name for name in NETWORKS if "generator" in name]
UNUSED = ("norm_0.", "norm_layer.")


def network(name):
    reference = Reference(name)
    return filled(NETWORKS[name], reference.sd, "cc_fpse"), reference


def unused(name):
    return any(part in name for part in UNUSED) or name.endswith("num_batches_tracked")


def label_map(height, width, num_classes):
    return np.random.default_rng(0).integers(0, num_classes, (2, height, width)).astype("int32")


def normal(*shape):
    return np.random.default_rng(1).standard_normal(shape).astype("float32")


def assert_updated_state(model, reference):
    """What one training call has changed; what the published network never uses stays there as it was."""
    saved = save_reference_weights(model, family="cc_fpse")
    prefix = "out/after_train/"
    updated = {key.removeprefix(prefix): value for key, value in reference.arrays.items() if key.startswith(prefix)}
    assert updated
    for key, value in updated.items():
        if unused(key):
            np.testing.assert_array_equal(value, reference.sd[key])
        else:
            assert_close(saved[key], value)


@pytest.mark.parametrize("name", GENERATORS)
def test_generator(name):
    generator, reference = network(name)
    inputs = [reference.label_map()]
    assert_close(run(generator, inputs), channels_last(reference.output("image_eval")))
    assert_close(run(generator, inputs, training=True), channels_last(reference.output("image_train")))
    assert_updated_state(generator, reference)


def test_generator_with_edges_is_the_published_one():
    # the published programs concatenate the edges behind the classes: the last of the seven channels here
    reference = Reference("ccfpse_generator")
    generator = filled(
        lambda: cc_fpse_generator(6, (64, 64), base_channels=4, hidden_channels=16, instance_edges=True),
        reference.sd,
        "cc_fpse",
    )
    labels = reference.label_map()
    edges = (labels == 6)[..., None].astype("float32")
    # an id of no class has no channel, as where there is an edge alone
    images = run(generator, [np.where(labels == 6, -1, labels), edges])
    assert_close(images, channels_last(reference.output("image_eval")))


@pytest.mark.parametrize("mode", ["eval", "train"])
def test_discriminator(mode):
    discriminator, reference = network("ccfpse_discriminator")
    both = keras.Model(discriminator.inputs, features(discriminator).outputs + discriminator.outputs)
    outputs = run(both, [reference.label_map(), reference.image()], training=mode == "train")
    expected = [f"feat{i}" for i in range(4)] + [f"pred{i}" for i in (2, 3, 4)]
    for name, output in zip(expected, outputs, strict=True):
        assert_close(output, channels_last(reference.output(f"{name}_{mode}")))
    if mode == "train":
        assert_updated_state(discriminator, reference)


@pytest.mark.parametrize("name", NETWORKS)
def test_weights_come_back_bit_for_bit_under_the_same_names(name):
    model, reference = network(name)
    saved = save_reference_weights(model, family="cc_fpse")
    assert set(saved) == set(reference.sd)
    for key, value in reference.sd.items():
        assert saved[key].shape == value.shape, key
        if not unused(key):
            np.testing.assert_array_equal(saved[key], value, err_msg=key)
    used = {key.rsplit(".", 1)[0] for key in saved if unused(key) and not key.endswith("num_batches_tracked")}
    dead = {key.rsplit(".", 1)[0] for key in reference.meta["params_without_effect_on_output"] if "norm" in key}
    assert used == dead


def test_weights_of_another_size_are_refused():
    sd = Reference("ccfpse_generator").sd
    with pytest.raises(CheckpointError, match=r"shape: fc\.weight is \(64, 7, 3, 3\), the model's is \(64, 6, 3, 3\)"):
        load_reference_weights(cc_fpse_generator(6, (64, 64), 4, 16), sd, family="cc_fpse")
    with pytest.raises(CheckpointError, match=r"missing: labelenc7\.0\.0\.weight_orig \(4, 4, 3, 3\)"):
        load_reference_weights(cc_fpse_generator(7, (64, 64), 4, 16, upsampling="more"), sd, family="cc_fpse")
    with pytest.raises(CheckpointError, match=r"shape: embedding\.weight is \(8, 7, 1, 1\), the model's is \(8, 8, 1, 1\)"):
        load_reference_weights(
            fpse_discriminator(7, (64, 64), 4, instance_edges=True), Reference("ccfpse_discriminator").sd, family="cc_fpse"
        )


@pytest.mark.parametrize(
    ("upsampling", "size", "scales"),
    [
        ("normal", (32, 96), {"head_0": 32, "G_middle_0": 16, "G_middle_1": 16, "up_0": 8, "up_1": 4, "up_2": 2, "up_3": 1}),
        ("more", (64, 128), {"head_0": 64, "G_middle_0": 32, "G_middle_1": 16, "up_0": 8, "up_1": 4, "up_2": 2, "up_3": 1}),
    ],
)
def test_generators_of_other_sizes(upsampling, size, scales):
    generator = cc_fpse_generator(5, size, base_channels=1, hidden_channels=4, upsampling=upsampling)
    for block, scale in scales.items():
        assert generator.get_layer(block).output.shape[1:3] == (size[0] // scale, size[1] // scale), block
    image = ops.convert_to_numpy(run(generator, [label_map(*size, 5)], training=True))
    assert image.shape == (2, *size, 3)
    assert np.abs(image).max() <= 1
    assert image.std() > 0
    names = save_reference_weights(generator, family="cc_fpse")
    assert ("labeldec6.0.1.weight" in names) == ("labelenc7.0.1.weight" in names) == (upsampling == "more")


def test_generator_from_a_latent_vector():
    generator = cc_fpse_generator(5, (64, 96), base_channels=1, hidden_channels=4, latent_channels=6)
    labels, noise = label_map(64, 96, 5), normal(2, 6)
    state = save_reference_weights(generator, family="cc_fpse")
    state |= {"fc.weight": normal(*state["fc.weight"].shape), "fc.bias": normal(*state["fc.bias"].shape)}
    load_reference_weights(generator, state, family="cc_fpse")
    again = save_reference_weights(generator, family="cc_fpse")
    for name in ("fc.weight", "fc.bias"):
        np.testing.assert_array_equal(again[name], state[name])
    start = keras.Model(generator.inputs, generator.get_layer("start").output)([labels, noise])
    expected = (noise @ state["fc.weight"].T + state["fc.bias"]).reshape(2, 16, 2, 3)
    assert_close(start, channels_last(expected))
    images = [ops.convert_to_numpy(run(generator, [labels, z], training=True)) for z in (noise, -noise)]
    assert images[0].shape == (2, 64, 96, 3)
    assert np.abs(images[0] - images[1]).max() > 1e-4


def test_discriminator_with_instance_edges():
    discriminator = fpse_discriminator(3, (32, 64), base_channels=2, instance_edges=True)
    state = save_reference_weights(discriminator, family="cc_fpse")
    labels, image = label_map(32, 64, 3), normal(2, 32, 64, 3)
    edges = (normal(2, 32, 64, 1) > 0).astype("float32")
    predictions = run(discriminator, [labels, image, edges], training=True)
    assert [tuple(x.shape) for x in predictions] == [(2, 8, 16, 1), (2, 4, 8, 1), (2, 2, 4, 1)]
    assert [tuple(x.shape[1:]) for x in features(discriminator).outputs] == [(8, 16, 4), (4, 8, 8), (2, 4, 16), (1, 2, 16)]

    semantics = np.concatenate([np.eye(3)[labels], edges], axis=-1)
    dense = semantics @ state["embedding.weight"][:, :, 0, 0].T + state["embedding.bias"]
    embedding = discriminator.get_layer("embedding")([labels, edges])
    assert_close(embedding, dense.reshape(2, 8, 4, 16, 4, 4).mean(axis=(2, 4)))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: cc_fpse_generator(4, (100, 96)), r"\"normal\".*\(100, 96\).*multiples of 32.*\(96, 96\), \(128, 96\)"),
        (lambda: cc_fpse_generator(4, (96, 64), upsampling="more"), r"\"more\".*multiples of 64.*\(64, 64\), \(128, 64\)"),
        (lambda: cc_fpse_generator(4, (128, 128), upsampling="most"), r"upsampling='most'.*'normal', 'more'"),
        (lambda: fpse_discriminator(4, (100, 96)), r"\(100, 96\).*multiples of 32.*\(96, 96\), \(128, 96\)"),
        (lambda: fpse_discriminator(4, (32, 32)), r"\(32, 32\).*one at least 64.*\(32, 64\), \(64, 32\)"),
    ],
)
def test_arguments_that_do_not_fit(build, message):
    with pytest.raises(ValueError, match=message):
        build()


@pytest.mark.parametrize(
    ("build", "inputs"),
    [
        (lambda: cc_fpse_generator(5, (32, 64), 1, 4, latent_channels=3), [label_map(32, 64, 5), normal(2, 3)]),
        (lambda: cc_fpse_generator(5, (32, 64), 1, 4, instance_edges=True), [label_map(32, 64, 5), normal(2, 32, 64, 1)]),
        (
            lambda: fpse_discriminator(5, (32, 64), 2, instance_edges=True),
            [label_map(32, 64, 5), normal(2, 32, 64, 3), normal(2, 32, 64, 1)],
        ),
    ],
)
def test_networks_survive_a_config_round_trip(build, inputs):
    model = build()
    run(model, inputs, training=True)
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    ours, theirs = (keras.tree.flatten(run(m, inputs)) for m in (copy, model))
    for our, their in zip(ours, theirs, strict=True):
        assert np.isfinite(ops.convert_to_numpy(their)).all()
        np.testing.assert_array_equal(ops.convert_to_numpy(our), ops.convert_to_numpy(their))


def test_mixed_precision_gives_float32_outputs():
    before = keras.config.dtype_policy()
    try:
        keras.config.set_dtype_policy("mixed_bfloat16")
        generator = cc_fpse_generator(3, (32, 64), 1, 4)
        discriminator = fpse_discriminator(3, (32, 64), 2)
    finally:
        keras.config.set_dtype_policy(before)
    labels = label_map(32, 64, 3)
    image = run(generator, [labels], training=True)
    assert generator.get_layer("up_3").compute_dtype == "bfloat16"
    for output in (image, *run(discriminator, [labels, image], training=True)):
        assert keras.backend.standardize_dtype(output.dtype) == "float32"
        assert bool(ops.all(ops.isfinite(output)))
