"""Photos drawn in the style of others, by the encoder that learned with the generator."""

import keras
import numpy as np
import pytest
from PIL import Image

import keras_semisis as ks
from keras_semisis import models
from keras_semisis.data import LabelSpace
from keras_semisis.gans import Sampler
from tests.cli.command import call
from tests.gans.test_any_size import maps

pytestmark = pytest.mark.usefixtures("eager_tensorflow")
CLASSES, SIZE, STYLES = 4, (32, 64), 8
SPACE = LabelSpace(("sky", "road", "car", "tree"), tuple((60 * i, 0, 0) for i in range(CLASSES)))
PHOTOS = np.random.default_rng(0).integers(0, 256, (2, *SIZE, 3)).astype("uint8")


def networks(method):
    make = models.spade_generator if method is ks.SPADEGAN else models.cc_fpse_generator
    return {
        "generator": make(CLASSES, SIZE, 1, latent_channels=STYLES, hidden_channels=4),
        "encoder": models.spade_encoder(SIZE, 1, STYLES),
    }


def settled(model):
    """After passes in training, without which what spectral norms leave grows beyond all bounds."""
    for _ in range(3):
        mean, _ = model.encoder(PHOTOS / np.float32(127.5) - 1, training=True)
        model.generator([keras.ops.convert_to_tensor(maps(SIZE, 2), "int32"), mean], training=True)
    return model


@pytest.fixture(scope="module")
def sampler():
    keras.utils.set_random_seed(0)
    return settled(Sampler(label_space=SPACE, **networks(ks.SPADEGAN)))


def test_a_style_is_what_the_encoder_makes_of_a_photo(sampler):
    mean, log_variance = sampler.encode(PHOTOS)
    for found, expected in zip((mean, log_variance), sampler.encoder(PHOTOS / np.float32(127.5) - 1), strict=True):
        np.testing.assert_allclose(found, keras.ops.convert_to_numpy(expected), atol=1e-4)
    assert np.abs(mean[0] - mean[1]).max() > 1e-3
    np.testing.assert_allclose(sampler.encode(PHOTOS[1])[0], mean[1], atol=1e-4)
    larger = np.stack([np.asarray(Image.fromarray(photo).resize((96, 48), Image.Resampling.BICUBIC)) for photo in PHOTOS])
    back = np.stack([np.asarray(Image.fromarray(photo).resize((64, 32), Image.Resampling.BICUBIC)) for photo in larger])
    np.testing.assert_allclose(sampler.encode(larger)[0], sampler.encode(back)[0], atol=1e-4)


def test_photos_are_drawn_in_a_style(sampler):
    label_maps = maps(SIZE, 2)
    mean, _ = sampler.encode(PHOTOS)
    images = sampler.generate_floats(label_maps, style=PHOTOS)
    expected = sampler.generator([keras.ops.convert_to_tensor(x) for x in (label_maps.astype("int32"), mean)], training=False)
    assert images.std() > 1e-3
    np.testing.assert_allclose(images, keras.ops.convert_to_numpy(expected), atol=1e-4)
    assert np.abs(images - sampler.generate_floats(label_maps, style=PHOTOS[::-1])).max() > 1e-3
    np.testing.assert_allclose(sampler.generate_floats(label_maps, style=mean), images, atol=1e-4)
    of_one = sampler.generate(label_maps, style=PHOTOS[:1]).astype(int)
    assert np.abs(sampler.generate(label_maps[1], style=PHOTOS[0]) - of_one[1]).max() <= 1
    assert np.abs(sampler.generate(label_maps[1], style=mean[0]) - of_one[1]).max() <= 1


def test_styles_that_do_not_fit_are_refused_in_a_sentence(sampler):
    label_maps = maps(SIZE, 3)
    for style, words in (
        (PHOTOS, r"style: \(2, 8\) for 3 label maps"),
        (np.zeros((3, 5)), r"style: \(3, 5\) for 3 label maps"),
    ):
        with pytest.raises(ValueError, match=words):
            sampler.generate(label_maps, style=style)
    with pytest.raises(ValueError, match="style, noise: a style takes the place"):
        sampler.generate(label_maps, style=PHOTOS[:1], noise=np.zeros((3, STYLES)))
    with pytest.raises(ValueError, match="no encoder of photos"):
        Sampler(sampler.generator).encode(PHOTOS)


@pytest.mark.parametrize("method", [ks.SPADEGAN, ks.CCFPSE])
def test_a_file_and_a_preset_keep_the_encoder(method, tmp_path):
    keras.utils.set_random_seed(0)
    discriminator = models.multiscale_discriminator(CLASSES, SIZE, base_channels=2)
    if method is ks.CCFPSE:
        discriminator = models.fpse_discriminator(CLASSES, SIZE, base_channels=2)
    gan = settled(method(CLASSES, SIZE, discriminator=discriminator, perceptual=None, label_space=SPACE, **networks(method)))
    gan.ema_generator.set_weights(gan.generator.get_weights())
    expected = gan.generate(maps(SIZE), style=PHOTOS[:1]).astype(int)
    gan.save(tmp_path / "gan.keras")
    gan.save_to_preset(tmp_path / "preset")
    Sampler(gan.ema_generator, encoder=gan.encoder).save(tmp_path / "alone.keras")
    alone = keras.saving.load_model(tmp_path / "alone.keras")
    for model in (keras.saving.load_model(tmp_path / "gan.keras"), ks.from_preset(tmp_path / "preset"), alone):
        np.testing.assert_allclose(model.encode(PHOTOS)[0], gan.encode(PHOTOS)[0], atol=1e-4)
        assert np.abs(model.generate(maps(SIZE), style=PHOTOS[:1]) - expected).max() <= 1


def test_the_command_draws_each_label_map_in_each_style(sampler, tmp_path):
    label_maps = maps(SIZE, 2)
    for folder, names, pictures in (("maps", "ab", label_maps), ("photos", "xyz", [*PHOTOS, PHOTOS[0][:, :40]])):
        (tmp_path / folder).mkdir()
        for name, picture in zip(names, pictures, strict=True):
            Image.fromarray(picture).save(tmp_path / folder / f"{name}.png")
    sampler.save(tmp_path / "a.keras")
    output = ["--output", tmp_path / "drawn", "--style", tmp_path / "photos"]
    assert "7 photos in" in call("generate", tmp_path / "a.keras", tmp_path / "maps", *output)
    photo = np.asarray(Image.open(tmp_path / "drawn" / "b-y.png")).astype(int)
    assert np.abs(photo - sampler.generate(label_maps[1], style=PHOTOS[1])).max() <= 1
    assert Image.open(tmp_path / "drawn" / "styles.png").size == (4 + 4 * (4 * 64 + 4), 4 + 3 * (4 * 32 + 4))
    # a published generator, and its encoder
    sampler.generator.save(tmp_path / "generator.keras")
    sampler.encoder.save(tmp_path / "encoder.keras")
    one = ["generate", tmp_path / "generator.keras", tmp_path / "maps" / "b.png", "--style", tmp_path / "photos" / "y.png"]
    assert "no encoder of photos" in call(*one, code=1)
    call(*one, "--encoder", tmp_path / "encoder.keras", "--output", tmp_path / "alone")
    assert np.abs(np.asarray(Image.open(tmp_path / "alone" / "b-y.png")) - photo).max() <= 1
    assert "mean and logarithm of the variance of 8 channels" in call(*one, "--encoder", tmp_path / "generator.keras", code=1)
    assert "--samples 2 has no use with --style" in call(*one, "--samples", 2, code=1)
