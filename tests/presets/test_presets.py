"""A trained model as a folder: what goes in comes out, and nothing is run."""

import json
import os
import shutil
import subprocess
import sys
from unittest import mock

import h5py
import keras
import numpy as np
import pytest

import keras_semisis as ks
from keras_semisis import models
from keras_semisis.presets import PresetModel, built_in_presets, from_preset, save_to_preset
from keras_semisis.presets.location import example_files, is_preset
from keras_semisis.recipes.trained_models import fit_of_model
from tests.conftest import ROOT

SIZE, CLASSES = (32, 32), 4
SPACE = ks.data.LabelSpace(("sky", "road", "car", "void"), [(i, 0, 9) for i in range(CLASSES)], 3).with_ids({255: 3})
MAPS = np.random.default_rng(0).integers(0, CLASSES, (3, *SIZE))


@pytest.fixture(scope="module")
def gan():
    keras.utils.set_random_seed(0)
    generator = models.oasis_generator(CLASSES, SIZE, base_channels=2, noise_channels=4, num_blocks=3, hidden_channels=8)
    discriminator = models.oasis_discriminator(CLASSES, SIZE, channels=(4, 4), final_channels=4)
    gan = ks.OASIS(CLASSES, SIZE, 3, generator, discriminator, label_space=SPACE)
    # a new generator's singular values and statistics are not found yet, and its images are black and white
    for _ in range(20):
        gan.ema_generator([MAPS, np.ones((3, 4), "float32")], training=True)
    with gan.statistics_of([(np.zeros((3, *SIZE, 3), "float32"), MAPS)], 1):
        gan.refresh_statistics()
        weights = gan.ema_generator.get_weights()
    gan.ema_generator.set_weights(weights)
    return gan


@pytest.fixture(scope="module")
def folder(gan, tmp_path_factory):
    path = tmp_path_factory.mktemp("preset")
    scores, training = {"frechet": 1.25, "frechet_real": 0.5}, {"method": "oasis", "data": "camvid:PATH", "ratio": 0.1}
    gan.save_to_preset(path, scores=scores, training=training, license="apache-2.0")
    return path


def test_a_preset_draws_and_segments_as_the_model_that_was_saved(gan, folder):
    model = ks.from_preset(folder)
    photos = gan.generate(MAPS, seed=1)
    assert np.ptp(photos) > 20
    np.testing.assert_array_equal(model.generate(MAPS, seed=1), photos)
    np.testing.assert_array_equal(model.segment(photos), gan.segment(photos))
    assert model.label_space == SPACE
    assert model.label_space.id_map == {255: 3}
    assert (model.num_classes, model.image_size, model.ignore_class) == (CLASSES, SIZE, 3)


def test_statistics_that_are_due_are_estimated_before_they_are_written(gan, tmp_path):
    with gan.statistics_of([(np.zeros((3, *SIZE, 3), "float32"), MAPS % 2)], 1):
        gan.save_to_preset(tmp_path)
        photos = gan.generate(MAPS, seed=1)
    assert not np.array_equal(gan.generate(MAPS, seed=1), photos)
    assert gan.calibrate(None) == (None, None)  # as before
    np.testing.assert_array_equal(ks.from_preset(tmp_path).generate(MAPS, seed=1), photos)


def test_label_maps_to_begin_with_lie_beside_it(gan, tmp_path):
    gan.save_to_preset(tmp_path, label_maps=MAPS)
    files = example_files(tmp_path)
    assert [file.name for file in files] == ["label_map-0.png", "label_map-1.png", "label_map-2.png"]
    np.testing.assert_array_equal([SPACE.read(file) for file in files], MAPS)
    gan.save_to_preset(tmp_path)
    assert not example_files(tmp_path)
    with pytest.raises(ValueError, match="label_maps: a model without a label space"):
        save_to_preset(ks.gans.Sampler(gan.ema_generator), tmp_path, label_maps=MAPS)


def test_the_card_says_what_the_hub_and_a_reader_want(folder):
    card = (folder / "README.md").read_text()
    assert card.startswith("---\nlibrary_name: keras-semisis\n")
    assert "license: apache-2.0\n---\n" in card
    assert "| 2 | car | 2, 0, 9 |" in card
    assert "| 3 | void (don’t care) | 3, 0, 9 |" in card
    assert "255 → 3" in card
    assert "| frechet | 1.25 | 0.5 |" in card
    assert "share of the pairs that it learned from: 0.1" in card
    assert "grid.png" not in card
    metadata = json.loads((folder / "metadata.json").read_text())
    assert metadata["keras_semisis_version"] == ks.__version__
    assert metadata["scores"]["frechet"] == 1.25


def test_names_on_the_card_are_no_markup_and_no_second_setting(tmp_path):
    names = ("a|b", "two\nlines", "<script>", "[a](b)", "\\|")
    space = ks.data.LabelSpace(names, [(i, 0, 9) for i in range(5)])
    gan = ks.gans.Sampler(models.oasis_generator(5, SIZE, base_channels=1, noise_channels=4), label_space=space)
    training = {"data": "<b>\n# x", "command": "train a\n# b"}
    save_to_preset(gan, tmp_path, scores={"protocol": "p\n\n# q", "f|d": 1.5}, training=training)
    card = (tmp_path / "README.md").read_text()
    shown = (r"a\|b", "two lines", "&lt;script&gt;", r"\[a](b)", r"\\\|")
    for i, name in enumerate(shown):
        assert f"\n| {i} | {name} | {i}, 0, 9 |\n" in card
    for line in (r"| f\|d | 1.5 |  |", "Protocol p # q of `keras-semisis evaluate`.", "- data: &lt;b&gt; # x", "    # b"):
        assert f"\n{line}\n" in card
    for license in ("x\ntags: y", "a: b", "x\n"):
        with pytest.raises(ValueError, match=r"license='.*': expected an identifier of the Hub, such as apache-2\.0\."):
            save_to_preset(gan, tmp_path / "none", license=license)
    assert not (tmp_path / "none").exists()


def test_half_the_bits_are_half_the_size_and_the_photos_nearly_the_same(gan, tmp_path):
    save_to_preset(gan, tmp_path / "whole", segmenter=False)
    save_to_preset(gan, tmp_path / "half", segmenter=False, dtype="float16")
    sizes = [(tmp_path / name / "model.weights.h5").stat().st_size for name in ("whole", "half")]
    assert sizes[0] - sizes[1] > 1.5 * gan.ema_generator.count_params()  # bytes; both are packed, and have the same index
    half = from_preset(tmp_path / "half")
    assert {v.dtype for v in half.generator.weights} == {"float32"}
    apart = np.abs(half.generate(MAPS, seed=1).astype(int) - gan.generate(MAPS, seed=1))
    assert apart.max() <= 2


def test_a_preset_without_a_network_that_segments_says_so(gan, tmp_path):
    save_to_preset(gan, tmp_path, segmenter=False)
    with h5py.File(tmp_path / "model.weights.h5") as file:
        values = []
        file.visititems(lambda name, item: values.append(item.size) if isinstance(item, h5py.Dataset) else None)
    assert sum(values) < gan.ema_generator.count_params() + 10  # and the step
    model = from_preset(tmp_path)
    with pytest.raises(ValueError, match="no network that segments"):
        model.segment(np.zeros((1, *SIZE, 3), "uint8"))
    assert "segmenter" not in json.loads((tmp_path / "metadata.json").read_text())["parameters"]


def test_a_picture_goes_along(gan, tmp_path):
    ks.callbacks.sample_grid(tmp_path / "grid.png", gan, MAPS[:1])
    save_to_preset(gan, tmp_path / "preset", grid=tmp_path / "grid.png")
    assert (tmp_path / "preset" / "grid.png").read_bytes() == (tmp_path / "grid.png").read_bytes()
    assert "](grid.png)" in (tmp_path / "preset" / "README.md").read_text()


def test_a_preset_stays_whole_where_another_cannot_be_written(gan, tmp_path):
    gan.save_to_preset(tmp_path, scores={"fid": np.float32(3)}, grid=__file__)
    assert json.loads((tmp_path / "metadata.json").read_text())["scores"] == {"fid": 3.0}
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(TypeError, match="written as JSON, which has no PosixPath"):
        gan.save_to_preset(tmp_path, training={"data": tmp_path})
    large = keras.models.clone_model(gan.ema_generator)
    large.set_weights([weight * 0 + 1e5 for weight in gan.ema_generator.get_weights()])
    with pytest.raises(ValueError, match=r"holds 1e\+05, which is more than such a number can be"):
        save_to_preset(ks.gans.Sampler(large, CLASSES, SIZE), tmp_path, dtype="float16")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    gan.save_to_preset(tmp_path)
    assert not (tmp_path / "grid.png").exists()  # which was of the model before


def test_the_first_process_alone_writes(gan, tmp_path, monkeypatch):
    for module in ("presets.folder", "exports.writing"):
        monkeypatch.setattr(f"keras_semisis.{module}.is_first_process", lambda: False)
    gan.save_to_preset(tmp_path / "preset")
    with (
        mock.patch("keras_semisis.exports.writing.drawing_network"),
        mock.patch("keras_semisis.exports.writing.description_of"),
    ):
        gan.export(tmp_path / "model.onnx")
    assert not [*tmp_path.iterdir()]


def test_a_name_that_means_two_presets_is_refused(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(folder, tmp_path / "street")
    with pytest.raises(ValueError, match=r"street: this preset is built in, and there is a folder.*Give \./street"):
        from_preset("street")
    assert from_preset("./street").num_classes == CLASSES


def test_photos_are_cropped_as_in_the_training_of_a_preset(gan, folder, tmp_path, told):
    gan.save_to_preset(tmp_path, training={"fit": "crop"})
    assert [fit_of_model(fit, tmp_path) for fit in (None, "stretch")] == ["crop", "stretch"]
    assert "metadata.json says --fit crop" in told()
    assert fit_of_model(None, folder) == "stretch"


def test_code_in_a_preset_is_not_run(tmp_path):
    label_map = keras.Input(SIZE, dtype="int32")
    x = keras.layers.Lambda(lambda x: x[..., None] * [1.0, 1.0, 1.0], output_shape=(*SIZE, 3))(label_map)
    save_to_preset(ks.gans.Sampler(keras.Model(label_map, x), num_classes=4), tmp_path)
    with pytest.raises(ValueError, match=r"cannot be built.*(lambda|Lambda)"):
        from_preset(tmp_path)


def test_what_is_no_preset_is_said(folder, tmp_path):
    with pytest.raises(ValueError, match=r"nowhere: this is no preset, it lacks config\.json.*hf://user/model"):
        from_preset("nowhere")
    with pytest.raises(ValueError, match=r"revision='main' is of presets on the Hub"):
        from_preset(folder, revision="main")
    for name in ("config.json", "metadata.json", "model.weights.h5"):
        (tmp_path / name).write_bytes((folder / name).read_bytes()[:300])
    with pytest.raises(ValueError, match="this preset cannot be built"):
        from_preset(tmp_path)
    with pytest.raises(ValueError, match="dtype='int8': expected one of float32, float16"):
        save_to_preset(None, tmp_path, dtype="int8")


def test_a_word_for_a_model_is_a_preset_or_a_file(folder, tmp_path):
    assert is_preset(folder)
    assert is_preset("hf://user/model")
    assert not is_preset(tmp_path / "model.keras")
    assert all(is_preset(name) for name in built_in_presets())
    assert ks.SemiPairedGAN.presets == built_in_presets()


def test_what_is_built_in_is_small_and_draws_the_label_maps_beside_it():
    assert "street" in built_in_presets()
    for name, folder in built_in_presets().items():
        assert max(file.stat().st_size for file in folder.iterdir()) < 2**20
        model = from_preset(name)
        label_maps = np.stack([model.label_space.read(file) for file in example_files(folder)])
        photos = model.generate(label_maps, seed=0)
        np.testing.assert_array_equal(photos, model.generate(label_maps, seed=0))
        # the sky of a street is brighter than its road, whatever the weather
        bright = photos.mean(-1)
        assert bright[label_maps == 0].mean() > bright[label_maps == 3].mean() + 10


COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def hub(folder, tmp_path):
    """A cache of the Hub in which the preset is someone/street."""
    pytest.importorskip("huggingface_hub")
    cache = tmp_path / "hub" / "models--someone--street"
    shutil.copytree(folder, cache / "snapshots" / COMMIT)
    (cache / "refs").mkdir()
    for name in ("main", "v1"):
        (cache / "refs" / name).write_text(COMMIT)
    return tmp_path / "hub"


def test_the_hub_is_read_where_nothing_else_has_loaded_its_package(hub):
    code = """import keras_semisis as ks
print(ks.from_preset("hf://someone/street").image_size)
try:
    ks.from_preset("hf://someone/else")
except ValueError as error:
    print(error)
"""
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "HF_HUB_CACHE": str(hub), "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert done.stdout.startswith(f"{SIZE}\nhf://someone/else cannot be read from the Hub"), done.stderr


def test_the_hub_is_read_by_way_of_its_local_cache(gan, hub, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(hub))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    for revision in (None, "v1", COMMIT):
        model = from_preset("hf://someone/street", revision=revision)
        np.testing.assert_array_equal(model.generate(MAPS, seed=1), gan.generate(MAPS, seed=1))
    for name, revision in (("hf://someone/street", "v2"), ("hf://someone/else", None), ("hf://no such name", None)):
        with pytest.raises(ValueError, match=r"cannot be read from the Hub"):
            from_preset(name, revision=revision)


def test_a_preset_of_a_model_is_itself_a_sampler_with_a_file(gan, tmp_path):
    PresetModel.of(gan).save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again.generate(MAPS, seed=1), gan.generate(MAPS, seed=1))


def test_files_that_are_no_preset_are_never_replaced(gan, tmp_path):
    for name, text in (("README.md", "mine"), ("config.json", "{}"), ("metadata.json", "[1]"), ("label_map-mine.png", "")):
        (tmp_path / name).write_text(text)
    with pytest.raises(FileExistsError, match=r"holds config\.json and no preset"):
        save_to_preset(gan, tmp_path)
    assert (tmp_path / "README.md").read_text() == "mine" and (tmp_path / "label_map-mine.png").exists()


def test_a_card_that_somebody_wrote_or_changed_stays(gan, tmp_path):
    (tmp_path / "README.md").write_text("mine")
    (tmp_path / ".gitattributes").touch()  # of a repository of the Hub
    for _ in range(2):
        with pytest.warns(UserWarning, match=r"README\.md: this card was not written here, or changed since"):
            save_to_preset(gan, tmp_path)
        assert (tmp_path / "README.md").read_text() == "mine"
    (tmp_path / "README.md").unlink()
    for license in (None, "apache-2.0"):
        save_to_preset(gan, tmp_path, license=license)
    assert "apache-2.0" in (tmp_path / "README.md").read_text()


def test_a_preset_that_was_interrupted_is_written_again(gan, tmp_path, monkeypatch):
    (tmp_path / "LICENSE").write_text("mine")  # of no name that is written here
    with monkeypatch.context() as patch:
        patch.setattr("keras_semisis.presets.folder.model_card", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            save_to_preset(gan, tmp_path)
    save_to_preset(gan, tmp_path)
    assert from_preset(tmp_path).image_size == gan.image_size and (tmp_path / "LICENSE").read_text() == "mine"
