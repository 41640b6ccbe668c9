"""`keras-semisis import`, and `generate` with what it wrote."""

import keras
import numpy as np
import pytest
from PIL import Image

from keras_semisis import checkpoints, models
from keras_semisis.layers import instance_edges
from keras_semisis.recipes import importing
from tests.cli.command import call

SIZES = ("--num-classes", 3, "--image-size", "32x32", "--option", "base_channels=1", "--option", "noise_channels=2")


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    path = tmp_path_factory.mktemp("import") / "oasis.npz"
    generator = models.oasis_generator(3, (32, 32), base_channels=1, noise_channels=2)
    checkpoints.save_reference_weights(generator, path, family="oasis")
    return path


def test_an_imported_generator_has_the_weights_and_generates(weights, tmp_path):
    output = tmp_path / "generator.keras"
    assert "parameters" in call("import", weights, "--network", "oasis_generator", *SIZES, "--output", output)
    imported = checkpoints.save_reference_weights(keras.saving.load_model(output), family="oasis")
    given = np.load(weights)
    assert set(imported) == set(given.files)
    for name in given.files:
        np.testing.assert_array_equal(imported[name], given[name])
    label_map = tmp_path / "scene.png"
    Image.fromarray(np.arange(32 * 32, dtype="uint8").reshape(32, 32) % 3).save(label_map)
    call("generate", output, label_map, "--output", tmp_path / "photos")
    assert np.asarray(Image.open(tmp_path / "photos" / "scene.png")).shape == (32, 32, 3)
    stray = tmp_path / "stray.png"
    Image.fromarray(np.full((32, 32), 7, "uint8")).save(stray)
    assert "stray.png" in call("generate", output, stray, "--output", tmp_path / "photos", code=1)


def test_a_generator_that_reads_edges_between_instances(tmp_path):
    options = {"base_channels": 1, "hidden_channels": 4}
    # the published program counts the edges' channel among those of the label map
    plain = models.spade_generator(4, (32, 32), **options)
    plain([np.arange(1024).reshape(1, 32, 32) % 4], training=True)  # spectral norms find singular values
    checkpoints.save_reference_weights(plain, tmp_path / "spade.npz", family="spade")
    model = tmp_path / "generator.keras"
    given = [word for name, value in (options | {"instance_edges": "true"}).items() for word in ("--option", f"{name}={value}")]
    sizes = ("--num-classes", 3, "--image-size", "32x32", *given)
    call("import", tmp_path / "spade.npz", "--network", "spade_generator", *sizes, "--output", model)
    label_map = np.arange(1024, dtype="uint8").reshape(32, 32) // 200 % 3
    things = (np.arange(1024, dtype="uint16").reshape(32, 32) // 77) * 100
    for folder, picture in (("labels", label_map), ("things", things)):
        (tmp_path / folder).mkdir()
        Image.fromarray(picture).save(tmp_path / folder / "a.png")
    draw = ("generate", model, tmp_path / "labels", "--output", tmp_path / "photos")
    assert "no folder instances lies beside" in " ".join(call(*draw, code=1).split())
    call(*draw, "--instances", tmp_path / "things")
    edges = keras.ops.convert_to_numpy(instance_edges(things[None].astype("int32")))
    image = keras.saving.load_model(model)([label_map[None].astype("int32"), edges], training=False)
    expected = np.round((keras.ops.convert_to_numpy(image)[0] + 1) * 127.5)
    assert np.abs(np.asarray(Image.open(tmp_path / "photos" / "a.png")) - expected).max() <= 1
    Image.fromarray(things[1:]).save(tmp_path / "things" / "a.png")
    said = "".join(call(*draw, "--instances", tmp_path / "things", code=1).split())
    assert "a.png:thelabelmapis32×32(height×width),itsinstancemap" in said
    assert "things/a.png31×32.Exportboth" in said


def test_a_network_in_two_files(weights, tmp_path):
    state, files = dict(np.load(weights)), (tmp_path / "first.npz", tmp_path / "second.npz")
    for i, file in enumerate(files):
        np.savez(file, **{name: state[name] for name in sorted(state)[i::2]})
    options = ("--network", "oasis_generator", *SIZES, "--output", tmp_path / "generator.keras")
    call("import", *files, *options)
    imported = checkpoints.save_reference_weights(keras.saving.load_model(tmp_path / "generator.keras"), family="oasis")
    for name, array in state.items():
        np.testing.assert_array_equal(imported[name], array)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--network", "oasis"), "--network oasis: expected one of oasis_generator"),
        (("--network", "oasis_generator", "--num-classes", 3), "needs --image-size"),
        (("--network", "oasis_generator", *SIZES, "--option", "depth=3"), "has no depth; it takes num_classes"),
        (("--network", "oasis_generator", *SIZES, "--option", "norm"), "--option norm: expected NAME=VALUE"),
        (("--network", "oasis_generator", *SIZES, "--option", "base_channels=2"), "shape: fc.weight is (16, 5, 3, 3)"),
        (("--network", "wavelet_decoder", "--image-size", "128x128", "--option", "base_channels=1"), "... and 194 more"),
    ],
)
def test_mistakes(options, words, weights, tmp_path, capfd):
    output = call("import", weights, *options, "--output", tmp_path / "model.keras", code=1)
    assert words in " ".join((output + capfd.readouterr().err).split())
    assert not (tmp_path / "model.keras").exists()


def test_every_network_that_is_named_exists():
    for name in importing.FAMILY_OF:
        assert callable(getattr(models, name))
