"""invert, and generate --noise, which draws by what it has found."""

from unittest import mock

import keras
import numpy as np
import pytest
from PIL import Image

from keras_semisis import models
from keras_semisis.gans import Sampler
from keras_semisis.models import LabeledModel
from tests.cli.command import call
from tests.gans.tiny import CLASSES, Scenes

pytestmark = pytest.mark.usefixtures("eager_tensorflow")
SIZE = (16, 32)
SMALL = np.repeat(np.repeat(np.random.default_rng(0).integers(0, CLASSES, (4, 8)), 4, 0), 4, 1).astype("uint8")


@pytest.fixture(scope="module", autouse=True)
def colors_for_lpips():
    image = keras.Input((None, None, 3))
    network = keras.Model(image, [image, keras.layers.Rescaling(0.0)(image)])
    with mock.patch("keras_semisis.recipes.inverting.lpips_features", return_value=network) as asked:
        yield asked


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("invert")
    keras.utils.set_random_seed(0)
    generator = models.oasis_generator(CLASSES, SIZE, 2, noise_channels=4, num_blocks=2, hidden_channels=8)
    for _ in range(3):  # spectral norms and statistics settle
        generator([keras.ops.convert_to_tensor(SMALL[None].astype("int32")), keras.ops.ones((1, 4))], training=True)
    LabeledModel.of(generator, Scenes(1).label_space).save(path / "model.keras")
    Image.fromarray(SMALL).save(path / "map.png")
    Image.fromarray(Sampler(generator).generate(SMALL, seed=7)).save(path / "street.png")
    return path


def picture(path):
    return np.asarray(Image.open(path)).astype(float)


def test_the_noise_in_the_file_draws_the_image_beside_it(folder):
    arguments = (folder / "model.keras", folder / "street.png", "--label-map", folder / "map.png", "--seed", 1)
    said = call("invert", *arguments, "--output", folder / "found", "--steps", 8, "--learning-rate", 0.2)
    noise = np.load(folder / "found/street.npz")["noise"]
    assert (noise.shape, noise.dtype) == ((*SIZE, 4), "float32")
    call(
        "generate", folder / "model.keras", folder / "map.png", "--noise", folder / "found/street.npz", "--output", folder / "a"
    )
    drawn = picture(folder / "found/street.png")
    np.testing.assert_array_equal(picture(folder / "a/map.png"), drawn)
    # what is told are the distances of the pictures, but for their eight bits
    call("invert", *arguments, "--output", folder / "start", "--steps", 0)
    before, after = (
        np.square((picture(file) - picture(folder / "street.png")) / 127.5).sum(-1).mean()
        for file in (folder / "start/street.png", folder / "found/street.png")
    )
    told = [float(said.split(word)[0].split()[-1]) for word in (" before", " after 8 steps")]
    assert told == pytest.approx([before, after], abs=2e-3) and after < 0.7 * before
    assert f"{1 - after / before:.0%} of the distance is gone" in said
    assert f"keras-semisis generate {folder / 'model.keras'} LABELMAP --noise {folder / 'found/street.npz'}" in said


def test_an_edited_label_map_keeps_the_noise(folder):
    noise = np.random.default_rng(5).standard_normal((24, 32, 4)).astype("float32")
    np.savez(folder / "other.npz", noise=noise)
    said = call(
        "generate", folder / "model.keras", folder / "map.png", "--noise", folder / "other.npz", "--output", folder / "b"
    )
    assert "are resized to the noise's 24×32" in said
    model = Sampler(keras.saving.load_model(folder / "model.keras"))
    taller = SMALL[(2 * np.arange(24) + 1) * 16 // 48]
    np.testing.assert_array_equal(picture(folder / "b/map.png"), model.generate(taller, noise=noise))
    np.savez(folder / "vector.npz", noise=noise[0, 0])
    call("generate", folder / "model.keras", folder / "map.png", "--noise", folder / "vector.npz", "--output", folder / "c")
    np.testing.assert_array_equal(picture(folder / "c/map.png"), model.generate(SMALL, noise=noise[0, 0]))


def test_the_size_is_the_models_or_as_is_said(folder, colors_for_lpips):
    Image.fromarray(np.zeros((20, 36, 3), "uint8")).save(folder / "large.png")
    Image.fromarray(np.zeros((20, 36), "uint8")).save(folder / "large_map.png")
    arguments = ("invert", folder / "model.keras", folder / "large.png", "--label-map", folder / "large_map.png", "--steps", 0)
    for options, size in (((), SIZE), (("--image-size", "own"), (20, 36)), (("--image-size", "8x16"), (8, 16))):
        call(*arguments, *options, "--output", folder / "sizes")
        assert np.load(folder / "sizes/large.npz")["noise"].shape == (*size, 4)
    colors_for_lpips.reset_mock()
    said = call(*arguments, "--image-size", "17x32", code=1)
    assert (
        said
        == "Error: --image-size 17x32: 17×32 (height×width) is no multiple of the generator's 2. Name a size that is one.\n"
    )
    assert not colors_for_lpips.called


def test_what_is_wrong_is_named(folder):
    model, photo, label_map = folder / "model.keras", folder / "street.png", folder / "map.png"
    Image.fromarray(SMALL.T).save(folder / "turned.png")
    for arguments, words in (
        ((model, folder / "no.png", "--label-map", label_map), "no.png: there is no such file. Give a photo."),
        ((model, photo, "--label-map", folder / "no.png"), "no.png: there is no such file. Give the photo's label map"),
        ((folder / "no.keras", photo, "--label-map", label_map), "there is no such model"),
        ((model, photo, "--label-map", folder / "turned.png"), "They would agree if one of them were turned"),
    ):
        said = call("invert", *arguments, "--output", folder / "no", code=1)
        assert words in said and said.count("\n") == 1
    (folder / "other").mkdir()
    Image.fromarray(SMALL).save(folder / "other/map.png")
    (folder / "other/classes.csv").write_text("id,name\n0,fence\n1,sky\n")
    said = call("invert", model, photo, "--label-map", folder / "other/map.png", "--output", folder / "no", code=1)
    assert "1 sky. Take data of the same classes" in said and "other/classes.csv: 0 fence, " in said
    assert not (folder / "no").exists()
    np.savez(folder / "three.npz", noise=np.zeros((16, 32, 3), "float32"))
    np.savez(folder / "whole.npz", noise=np.zeros((4,), "int32"))
    np.savez(folder / "nameless.npz", np.zeros((4,), "float32"))
    for file, words in (
        ("no.npz", "there is no such file"),
        ("street.png", "this is no .npz file with the array noise"),
        ("nameless.npz", "this is no .npz file with the array noise"),
        ("three.npz", "its shape is (16, 32, 3), but this model takes (4,) or (height, width, 4)"),
        ("whole.npz", "finite floating-point numbers are expected"),
    ):
        said = call("generate", model, label_map, "--noise", folder / file, "--output", folder / "no", code=1)
        assert said.startswith(f"Error: --noise {folder / file}: {words}")
    for options in (("--samples", 2), ("--one-noise",), ("--interpolate", "1", "2"), ("--style", photo)):
        said = call("generate", model, label_map, "--noise", folder / "three.npz", *options, code=1)
        assert f"{options[0]} " in said and "has no use with --noise." in said
