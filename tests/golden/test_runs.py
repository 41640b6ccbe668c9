"""Models and run folders of earlier versions: they load, draw the same photos, and go on."""

import io
import json
import shutil
import tarfile
import zipfile

import h5py
import keras
import numpy as np
import pytest

from keras_semisis.gans.batch_statistics import Calibration
from keras_semisis.options.methods import METHODS
from tests.cli.command import call
from tests.golden.published import FOLDER
from tests.golden.runs import PACKED, PHOTOS, label_maps
from tests.golden.write_runs import TINY

VERSIONS = sorted(path.name for path in (FOLDER / "runs").iterdir() if (path / PACKED.format("oasis")).is_file())
CASES = [(version, method) for version in VERSIONS for method in TINY]

on_tensorflow = pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="a run goes on on the backend that began it")


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory):
    """The run folder of a version and a method, unpacked once."""
    place, found = tmp_path_factory.mktemp("runs"), {}

    def run(version, method):
        if (version, method) not in found:
            with tarfile.open(FOLDER / "runs" / version / PACKED.format(method)) as archive:
                archive.extractall(place / version, filter="data")
            found[version, method] = place / version / method
        return found[version, method]

    return run


def contents(path):
    """What a checkpoint says of its training, and its arrays by name."""
    found = {}
    with zipfile.ZipFile(path) as archive, h5py.File(io.BytesIO(archive.read("model.weights.h5"))) as file:
        file.visititems(lambda name, item: found.update({name: item[()]}) if isinstance(item, h5py.Dataset) else None)
        return json.loads(archive.read("training.json")), found


def test_every_method_has_a_run():
    assert set(TINY) == set(METHODS) and VERSIONS


@pytest.mark.parametrize(("version", "method"), CASES)
def test_a_model_draws_the_photos_that_it_drew(version, method, unpacked):
    gan = keras.saving.load_model(unpacked(version, method) / "last.keras")
    assert type(gan) is METHODS[method].system and gan.step == 2
    maps, drawn = label_maps(gan), np.load(FOLDER / "runs" / version / PHOTOS.format(method))
    photos = gan.generate(maps, seed=0)
    assert photos.dtype == drawn.dtype == np.uint8 and photos.shape == drawn.shape == (*maps.shape, 3)
    assert np.abs(photos.astype(int) - drawn).max() <= 1
    # what was drawn has something to see in it, and depends on the noise where there is any
    assert drawn.std((1, 2)).min() > 1
    if gan.noise_channels:
        assert np.abs(gan.generate(maps, seed=1).astype(int) - drawn).max() > 1


@on_tensorflow
@pytest.mark.usefixtures("eager_tensorflow")
@pytest.mark.filterwarnings("ignore:Even though the", "ignore:The . pairs")
@pytest.mark.parametrize(("version", "method"), CASES)
def test_a_run_goes_on(version, method, unpacked, tmp_path, monkeypatch):
    run = shutil.copytree(unpacked(version, method), tmp_path / method)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Calibration, "label_maps", lambda self: [next(iter(self.dataset))[1:]])
    before = contents(run / "last.keras")[1]
    call("train", "--resume", method)
    note, after = contents(run / "last.keras")
    assert note == {"step": 3} and before.keys() == after.keys()
    assert np.mean([np.any(before[name] != after[name]) for name in before]) > 0.5
