"""`--instance-edges`: a run on a folder with instance maps, and what is drawn of it."""

import json

import keras
import numpy as np
import pytest
from PIL import Image

from keras_semisis.data import DataError
from keras_semisis.gans.batch_statistics import Calibration
from keras_semisis.recipes.instance_files import instance_files
from tests.cli.command import call
from tests.conftest import not_on_jax

SIZE = (32, 64)
TINY = (
    "--method spade --image-size 32x64 --discriminator-channels 4 --perceptual none --base-channels 1 --hidden-channels 4 "
    "--batch-size 2"
)


def write(path, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(array)).save(path)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    root, random = tmp_path_factory.mktemp("data"), np.random.default_rng(0)
    for split, count in (("train", 4), ("val", 2)):
        for i in range(count):
            label_map = np.kron(random.integers(0, 3, (4, 8)), np.ones((8, 8))).astype("uint16")
            write(root / "images" / split / f"{i}.png", random.integers(0, 256, (*SIZE, 3)).astype("uint8"))
            write(root / "labels" / split / f"{i}.png", label_map.astype("uint8"))
            # as a file of 16 bits: halves of each cell are two things
            write(root / "instances" / split / f"{i}.png", 1000 * label_map + (np.arange(64) % 8 > 3))
    return root


@not_on_jax
@pytest.mark.usefixtures("eager_tensorflow")
@pytest.mark.filterwarnings("ignore:Even though the")
def test_train_generate_evaluate_and_go_on(data, tmp_path, monkeypatch):
    monkeypatch.setattr(Calibration, "label_maps", lambda self: [next(iter(self.dataset))[1:]])
    run = tmp_path / "run"
    said = call("train", "--data", f"folder:{data}", "--instance-edges", "--steps", 1, "--output", run, *TINY.split())
    assert "not used: instances" not in said
    gan = keras.saving.load_model(run / "last.keras")
    assert gan.instance_edges and gan.step == 1
    settings = json.loads((run / "settings.json").read_text())
    assert settings["options"]["instance_edges"] is True
    settings["options"]["steps"] = 2
    (run / "settings.json").write_text(json.dumps(settings))
    call("train", "--resume", run)
    gan = keras.saving.load_model(run / "last.keras")
    assert gan.step == 2 and (run / "grid-000002.png").is_file()

    model, labels, things = run / "last.keras", data / "labels/val", data / "instances/val"
    call("generate", model, labels, "--output", tmp_path / "beside")
    call("generate", model, labels / "1.png", "--instances", things / "1.png", "--output", tmp_path / "named")
    call("generate", model, labels / "1.png", "--instances", labels, "--output", tmp_path / "classes")
    label_map, instances = (np.asarray(Image.open(folder / "1.png")) for folder in (labels, things))
    expected = gan.generate(label_map, instances=instances, first="1").astype(int)
    photos = {name: np.asarray(Image.open(tmp_path / name / "1.png")) for name in ("beside", "named", "classes")}
    assert np.abs(photos["beside"] - expected).max() <= 1 and np.abs(photos["named"] - expected).max() <= 1
    by_classes = gan.generate(label_map, instances=label_map, first="1").astype(int)
    assert np.abs(photos["classes"] - by_classes).max() <= 1


def test_errors(data, tmp_path):
    write(tmp_path / "without/images/a.png", np.zeros((*SIZE, 3), np.uint8))
    write(tmp_path / "without/images/b.png", np.zeros((*SIZE, 3), np.uint8))
    for name in ("a", "b"):
        write(tmp_path / f"without/labels/{name}.png", np.eye(*SIZE, dtype=np.uint8))
    for source, words in ((f"folder:{tmp_path / 'without'}", "no instance maps"), ("synthetic:4", "no instance maps")):
        said = call("train", "--data", source, "--instance-edges", "--output", tmp_path / "run", *TINY.split(), code=1)
        assert words in " ".join(said.split())
    said = call("train", "--data", "synthetic:4", "--method", "oasis", "--instance-edges", "--output", tmp_path / "run", code=1)
    assert "--method oasis has no use for --instance-edges" in said


def test_instance_files_are_found_beside_the_label_maps(tmp_path):
    for path in ("labels/a.png", "labels/town/b.png", "instances/a.png", "instances/town/b.png", "train/labels/c.png"):
        write(tmp_path / path, np.zeros((2, 2), np.uint8))
    write(tmp_path / "train/instances/c_instance.png", np.zeros((2, 2), np.uint8))
    files = {"a": "labels/a.png", "town/b": "labels/town/b.png", "c": "train/labels/c.png"}
    files = {name: tmp_path / path for name, path in files.items()}
    expected = {"a": "instances/a.png", "town/b": "instances/town/b.png", "c": "train/instances/c_instance.png"}
    assert instance_files(None, files) == {name: tmp_path / path for name, path in expected.items()}
    named = instance_files(tmp_path / "instances", {"a": files["a"]})
    assert named == {"a": tmp_path / "instances/a.png"}
    write(tmp_path / "labels/d.png", np.zeros((2, 2), np.uint8))
    with pytest.raises(DataError, match=r"d\.png: this label map has no instance map \(1 of 2 have none\)"):
        instance_files(None, {"a": files["a"], "d": tmp_path / "labels/d.png"})
    write(tmp_path / "alone/e.png", np.zeros((2, 2), np.uint8))
    (tmp_path / "instances").rename(tmp_path / "things")
    with pytest.raises(ValueError, match=r"no folder instances lies beside .* --instances"):
        instance_files(None, {"e": tmp_path / "alone/e.png"})
