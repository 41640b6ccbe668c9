"""What `generate` and `invert` write, and what they must not write over."""

import keras
import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from keras_semisis import OASIS, models
from keras_semisis.cli import app
from keras_semisis.data import LabelSpace
from keras_semisis.options.generate import GenerateOptions
from keras_semisis.options.invert import InvertOptions
from keras_semisis.recipes.generating import generate
from keras_semisis.recipes.inverting import invert
from tests.cli.command import call

SIZE = (16, 16)
SPACE = LabelSpace(("sky", "road", "car"), ((0, 128, 255), (90, 90, 90), (200, 0, 0)))


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    keras.utils.set_random_seed(0)
    gan = OASIS(
        3,
        SIZE,
        perceptual=None,
        generator=models.oasis_generator(3, SIZE, 1, 4, num_blocks=1, hidden_channels=4),
        discriminator=models.oasis_discriminator(3, SIZE, (4,), 4),
        label_space=SPACE,
    )
    path = tmp_path_factory.mktemp("model") / "gan.keras"
    gan.save(path)
    return path


@pytest.fixture
def labels(tmp_path):
    folder = tmp_path / "labels"
    folder.mkdir()
    ids = np.zeros(SIZE, np.uint8)
    ids[8:] = 1
    for name in "ab":
        Image.fromarray(ids).save(folder / f"{name}.png")
    return folder


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("linked", [False, True])
def test_photos_never_take_the_place_of_label_maps(model, labels, tmp_path, linked):
    before = contents(labels)
    output = labels
    if linked:
        output = tmp_path / "link"
        output.symlink_to(labels)
    with pytest.raises(ValueError, match=r"a\.png is a file that is read here. Name another folder"):
        generate(GenerateOptions(model=str(model), label_maps=(labels,), output=output))
    assert contents(labels) == before
    said = call("generate", model, labels, "--output", labels, code=1)
    assert f"--output {labels}" in said and contents(labels) == before


def test_what_is_found_never_takes_the_place_of_the_photo(model, labels):
    photo = labels / "photo.png"
    Image.new("RGB", SIZE).save(photo)
    before = contents(labels)
    with pytest.raises(ValueError, match=r"photo\.png is a file that is read here"):
        invert(InvertOptions(model=str(model), photo=photo, label_map=labels / "a.png", output=labels, steps=1))
    assert contents(labels) == before


@pytest.mark.parametrize(
    ("options", "ending"),
    [
        ({"samples": 11}, "-10.png"),
        ({"interpolate": (0, 1), "frames": 11}, "-00.png"),
        ({"style": "a-long-one"}, "-a-long-one.png"),
    ],
)
def test_a_name_too_long_for_a_photo_is_told_before_the_first(model, labels, tmp_path, options, ending):
    if "style" in options:
        options = {"style": (tmp_path / f"{options['style']}.png",)}
        Image.new("RGB", SIZE).save(options["style"][0])
    (labels / "b.png").rename(labels / f"{'b' * (256 - len(ending))}.png")
    with pytest.raises(ValueError, match=rf"b\.png: the name of its photo, b+{ending[:2]}.*\.png, would have 256 bytes"):
        generate(GenerateOptions(model=str(model), label_maps=(labels,), output=tmp_path / "photos", **options))
    assert not (tmp_path / "photos").exists()


@pytest.mark.parametrize("mode", ["L", "1", "RGB", "RGBA", "LA", "P"])
def test_a_mask_is_what_a_picture_shows(model, labels, tmp_path, told, mode):
    mask = Image.new("L", SIZE)
    mask.paste(255, (0, 0, 16, 8))
    if mode == "P":  # white is the first of its colors
        mask = Image.fromarray((np.asarray(mask) == 0).astype(np.uint8), "P")
        mask.putpalette([255, 255, 255, 0, 0, 0])
    mask.convert(mode).save(tmp_path / "mask.png")
    options = GenerateOptions(model=str(model), label_maps=(labels,), output=tmp_path / mode, resample=("mask.png=7",))
    options.resample = (f"{tmp_path / 'mask.png'}=7",)
    generate(options)
    plain = tmp_path / "plain"
    generate(GenerateOptions(model=str(model), label_maps=(labels,), output=plain))
    changed = [np.asarray(Image.open(folder / "a.png")).astype(int) for folder in (tmp_path / mode, plain)]
    difference = np.abs(changed[0] - changed[1]).sum(-1)
    assert difference[:6].any() and "nan" not in told()
    assert difference[:8].mean() > difference[8:].mean()


def test_of_a_class_that_no_label_map_shows_it_is_said(model, labels, tmp_path, told):
    generate(GenerateOptions(model=str(model), label_maps=(labels,), output=tmp_path / "out", resample=("car=7",)))
    assert "a mean difference of no gray levels inside, 0.0 outside" in told()
    with pytest.raises(ValueError, match="the model's classes are 0 to 2"):
        generate(GenerateOptions(model=str(model), label_maps=(labels,), output=tmp_path, resample=("3=7",)))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"frames": 3}, "frames=3 needs --interpolate"),
        ({"overlap": 5}, "overlap=5 needs --tile-size"),
        ({"interpolate": (-1, 3)}, "seeds are at least 0"),
    ],
)
def test_options_that_are_of_no_use_or_cannot_be(model, labels, options, words):
    with pytest.raises(ValueError, match=words):
        generate(GenerateOptions(model=str(model), label_maps=(labels,), **options))


@pytest.mark.parametrize(
    "options",
    [
        ("generate", "MODEL", "--image-size", "0x0"),
        ("invert", "MODEL", "photo.png", "--label-map", "a.png", "--learning-rate", "-1"),
        ("train", "--data", "synthetic", "--learning-rate", "-1"),
        ("train", "--data", "synthetic", "--ema-decay", "2"),
        ("train", "--data", "synthetic", "--cycle-weight", "-1"),
    ],
)
def test_numbers_that_cannot_be_are_refused(model, options):
    result = CliRunner().invoke(app, [str(model) if word == "MODEL" else word for word in options], env={"COLUMNS": "200"})
    assert result.exit_code and isinstance(result.exception, SystemExit) and options[-2] in result.output


def test_a_file_of_settings_of_another_program_is_not_read(model, labels, tmp_path):
    for text in ('{"editor.fontSize": 12}', "// comment\n{}", "[]"):
        (model.parent / "settings.json").write_text(text)
        assert generate(GenerateOptions(model=str(model), label_maps=(labels,), output=tmp_path / "out"))
    (model.parent / "settings.json").unlink()
