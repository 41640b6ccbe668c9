"""Options as text, settings as files, the choice of a backend: what needs no network."""

import json
import os
import sys
from dataclasses import replace
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from PIL import Image

from keras_semisis import backend
from keras_semisis.data import BadFiles, DataError, LabelSpace, SyntheticScenes
from keras_semisis.data.labels.distinct_colors import distinct_colors
from keras_semisis.data.labels.label_space import unnamed_classes
from keras_semisis.options import text
from keras_semisis.options.segmenter import SegmenterOptions
from keras_semisis.options.train import TrainSettings
from keras_semisis.recipes import further_data, segmenter, sources, trained_models, training
from keras_semisis.recipes import run_folder as settings
from keras_semisis.recipes.named_sources import is_published
from keras_semisis.recipes.training_data import open_training_data
from tests.cli.command import call


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: text.parse_size("64"), "--image-size 64"),
        (lambda: text.parse_size("64xa"), "HEIGHTxWIDTH"),
        (lambda: text.parse_channels("8,,8", "--channels"), "--channels 8,,8"),
        (lambda: text.parse_unconditional_channels("4:x"), "--unconditional-channels 4:x"),
        (lambda: text.parse_unconditional_channels("-1"), "factor"),
        (lambda: text.parse_id_map(("255",)), "STORED=CLASS"),
        (lambda: sources.open_data("voc:x", (64, 96)), "cityscapes:PATH, .*folder:PATH, records:PATH or synthetic"),
        (lambda: sources.open_data("folder:", (64, 96)), "camvid:PATH"),
    ],
)
def test_options_that_cannot_be_understood_are_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_settings_survive_the_file(tmp_path):
    original = TrainSettings(
        data="folder:x",
        output="y",
        id_map=("255=3",),
        discriminator_channels=(4, 8),
        unconditional_channels={4: 8, 8: 8},
        learning_rate=1e-3,
    )
    space = SyntheticScenes(1).label_space
    settings.write_document(tmp_path / settings.FILE, settings.document_of(original, space, counts={"pairs": 3}))
    assert settings.read_settings(tmp_path) == original
    document = json.loads((tmp_path / settings.FILE).read_text())
    assert {"keras", "python", "backend"} <= document["versions"].keys()
    (tmp_path / "last.keras").touch()
    for number, expected in ((space.num_classes, space), (3, LabelSpace(unnamed_classes(3), distinct_colors(3)))):
        gan = SimpleNamespace(label_space=None, num_classes=number, ignore_class=None)
        found = trained_models.label_space_of_model(gan, tmp_path / "last.keras")
        assert found == gan.label_space == replace(expected, ignore_class=None)


def test_settings_with_names_that_are_no_text(tmp_path):
    original = TrainSettings(data="folder:" + os.fsdecode(b"caf\xe9"), output="Straße")
    settings.write_document(tmp_path / settings.FILE, settings.document_of(original, SyntheticScenes(1).label_space))
    assert settings.read_settings(tmp_path) == original
    assert (tmp_path / settings.FILE).read_bytes().isascii()  # whatever the locale's encoding, then and when it is read


@pytest.mark.parametrize("output", ["file/segmenter.keras", "folder.keras", "x" * 250 + ".keras"])
def test_a_segmenter_that_could_not_be_written_is_not_trained(tmp_path, monkeypatch, output):
    (tmp_path / "file").write_text("in the way")
    (tmp_path / "folder.keras").mkdir()
    monkeypatch.setattr(segmenter, "open_settings", None)  # nothing is read
    with pytest.raises(OSError, match=r"\.keras: cannot be written \(.*Name another file"):
        segmenter.train_segmenter_file(SegmenterOptions(data="synthetic:2", output=tmp_path / output, steps=1), BadFiles(0))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder.keras"]


def test_settings_of_another_version_are_refused(tmp_path):
    document = {"options": {"data": "synthetic", "output": "x", "novelty": 1}}
    settings.write_document(tmp_path / settings.FILE, document)
    with pytest.raises(ValueError, match="unknown options novelty"):
        settings.read_settings(tmp_path)


def write_folder(root, names, label=0):
    for name in names:
        for kind, array in (("images", np.zeros((8, 8, 3), "uint8")), ("labels", np.full((8, 8), label, "uint8"))):
            path = root / kind / f"{name}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(array).save(path)


def test_a_folder_without_splits_keeps_a_tenth_for_validation(tmp_path):
    write_folder(tmp_path, [f"{i:02d}" for i in range(20)])
    train, val = sources.open_data(f"folder:{tmp_path}", (8, 8))
    names = [{source.name(i) for i in range(len(source))} for source in (train, val)]
    assert (len(names[0]), len(names[1])) == (18, 2)
    assert not names[0] & names[1]
    again = sources.open_data(f"folder:{tmp_path}", (8, 8)).val
    assert {again.name(i) for i in range(2)} == names[1]


@pytest.mark.parametrize("pairs, kept", [(2, 1), (3, 1), (4, 2), (14, 2), (30, 3)])
def test_at_least_two_of_four_pairs_are_kept_for_validation(tmp_path, pairs, kept):
    write_folder(tmp_path, [f"{i:02d}" for i in range(pairs)])
    assert [len(source) for source in sources.open_data(f"folder:{tmp_path}", (8, 8))] == [pairs - kept, kept]


def test_a_folder_with_splits_is_read_as_such(tmp_path):
    write_folder(tmp_path, ["train/a", "train/b", "val/c"])
    train, val = sources.open_data(f"folder:{tmp_path}", (8, 8))
    assert (len(train), len(val)) == (2, 1)


def test_another_folder_can_validate(tmp_path):
    write_folder(tmp_path / "one", ["a", "b"], label=2)
    write_folder(tmp_path / "two", ["c"])
    train, val = sources.open_data(f"folder:{tmp_path / 'one'}", (8, 8), validation_data=f"folder:{tmp_path / 'two'}")
    assert (len(train), len(val), val.label_space.num_classes) == (2, 1, 3)


def test_photos_that_are_trained_on_do_not_validate(tmp_path, monkeypatch):
    write_folder(tmp_path / "one", ["a", "b"])
    write_folder(tmp_path / "two", ["c", "d", "e"])
    (tmp_path / "link").symlink_to(tmp_path / "one")
    monkeypatch.chdir(tmp_path)
    one = f"folder:{tmp_path / 'one'}"
    for others in (one, "folder:one", "folder:link"):
        with pytest.raises(ValueError, match=r"validation_data=.*: 2 of its 2 photos are among those to train on, .*a\.png"):
            sources.open_data(one, (8, 8), validation_data=others)
    (tmp_path / "two/images/d.png").unlink()
    (tmp_path / "two/images/d.png").symlink_to(tmp_path / "one/images/a.png")
    with pytest.raises(ValueError, match=r"1 of its 3 photos are among those to train on, such as two.images.d\.png"):
        sources.open_data(one, (8, 8), validation_data="folder:two")


def test_one_item_cannot_train_and_validate(tmp_path):
    write_folder(tmp_path, ["a"])
    with pytest.raises(DataError, match="--validation-data"):
        sources.open_data(f"folder:{tmp_path}", (8, 8))


def partly_labeled(root, photos, labeled, label_maps=0):
    """A folder in which some photos have label maps, and some label maps no photo."""
    write_folder(root, [f"p{i:02d}" for i in range(photos)])
    for i in range(labeled, photos):
        (root / "labels" / f"p{i:02d}.png").unlink()
    for i in range(label_maps):
        Image.fromarray(np.full((8, 8), 2, "uint8")).save(root / "labels" / f"q{i:02d}.png")


def training_data(**options):
    return open_training_data(TrainSettings(image_size=(8, 8), batch_size=2, **options))


def test_few_labeled_photos_among_many(tmp_path, told):
    partly_labeled(tmp_path / "data", photos=12, labeled=3)
    common = dict(data=f"folder:{tmp_path / 'data'}", output=str(tmp_path / "run"))
    data = training_data(**common)
    assert data.counts == {"pairs": 2, "unpaired_images": 9, "unpaired_label_maps": 2, "validation": 1}
    assert "data: 3 of 12 photos have a label map, which makes pairs; the other 9 are unpaired photos." in told()
    chosen = TrainSettings(**common, image_size=(8, 8))
    open_training_data(chosen)
    assert chosen.ratio == 1
    assert training_data(**common, ratio=0.5).counts == {
        "pairs": 1,
        "unpaired_images": 10,
        "unpaired_label_maps": 1,
        "validation": 1,
    }
    assert training_data(**common, method="usis").counts == {"unpaired_images": 11, "unpaired_label_maps": 2, "validation": 1}
    told()
    assert training_data(**common, method="oasis").counts == {"pairs": 2, "validation": 1}
    assert "--method oasis learns from pairs alone: 9 unpaired files are not used." in told()


def test_all_labels_of_a_folder_are_used(tmp_path):
    """Without unpaired data the unpaired batches are of the pairs' own photos and label maps."""
    partly_labeled(tmp_path / "data", photos=40, labeled=40)
    settings = TrainSettings(f"folder:{tmp_path / 'data'}", str(tmp_path / "run"), image_size=(8, 8), batch_size=2)
    data = open_training_data(settings)
    assert settings.ratio == 1
    assert data.counts == {"pairs": 36, "unpaired_images": 36, "unpaired_label_maps": 36, "validation": 4}


@pytest.mark.parametrize(
    ("data", "published"),
    [
        ("folder:PATH", False),
        ("PATH", False),
        ("hf:NAME", False),
        ("records:PATH", False),
        ("tfds:scenes_of_mine", False),
        ("tfds:cityscapes", True),
        ("cityscapes:PATH", True),
        ("camvid:PATH", True),
        ("synthetic", True),
        ("synthetic:20", True),
    ],
)
def test_what_is_published(data, published):
    assert is_published(data) is published


def test_label_maps_without_a_photo_and_further_folders_add_up(tmp_path):
    partly_labeled(tmp_path / "data", photos=20, labeled=20, label_maps=5)
    write_folder(tmp_path / "more", ["a", "b"])
    common = dict(data=f"folder:{tmp_path / 'data'}", output=str(tmp_path / "run"))
    with pytest.warns(UserWarning, match="no pixel of class 2"):
        counts = training_data(**common).counts
    assert counts == {"pairs": 18, "unpaired_images": 18, "unpaired_label_maps": 5, "validation": 2}
    with pytest.warns(UserWarning, match="no pixel of class 2"):
        counts = training_data(
            **common, unpaired_images=str(tmp_path / "more" / "images"), unpaired_labels=str(tmp_path / "more" / "labels")
        ).counts
    assert counts == {"pairs": 18, "unpaired_images": 2, "unpaired_label_maps": 5 + 2, "validation": 2}


def test_what_is_unpaired_in_validation_data_is_not_trained_on(tmp_path, told):
    partly_labeled(tmp_path / "one", photos=3, labeled=3)
    partly_labeled(tmp_path / "two", photos=5, labeled=2)
    pair = sources.open_data(f"folder:{tmp_path / 'one'}", (8, 8), validation_data=f"folder:{tmp_path / 'two'}")
    assert (len(pair.val), pair.val.unpaired_images, pair.train.unpaired_images) == (2, None, None)
    assert "two: 2 of 5 photos have a label map, which makes pairs; the other 3 are not used." in told()


@pytest.mark.filterwarnings("ignore:The 2 pairs")
def test_further_images_and_label_maps_join_the_unpaired_part(tmp_path):
    write_folder(tmp_path / "more", ["a", "b", "c"], label=1)
    options = dict(
        data="synthetic:10",
        output="x",
        unpaired_images=str(tmp_path / "more" / "images"),
        unpaired_labels=str(tmp_path / "more" / "labels"),
    )
    train = SyntheticScenes(10, image_size=(32, 32))
    paired, images, labels = further_data.training_sources(TrainSettings(**options, ratio=0.2), train)
    assert (len(paired), len(images), len(labels)) == (2, 11, 11)
    assert images.load_image(10).shape == (8, 8, 3)
    assert labels.load_label_map(10).max() == 1
    assert len({labels.name(i) for i in range(11)}) == 11
    paired, images, labels = further_data.training_sources(TrainSettings(**options, ratio=1.0), train)
    assert (len(paired), len(images), len(labels)) == (10, 3, 3)


@pytest.mark.parametrize(
    ("installed", "configured", "environment", "expected"),
    [
        ({"tensorflow", "torch", "jax"}, "tensorflow", None, None),
        ({"torch", "jax"}, "tensorflow", None, "torch"),
        ({"jax"}, "torch", None, "jax"),
        ({"torch", "jax"}, "jax", None, None),
        ({"torch"}, "tensorflow", "torch", "torch"),
    ],
)
def test_an_installed_backend_is_chosen(monkeypatch, tmp_path, installed, configured, environment, expected):
    _pretend(monkeypatch, tmp_path, installed, configured, environment)
    backend.choose_backend()
    assert __import__("os").environ.get("KERAS_BACKEND") == expected


@pytest.mark.parametrize(
    ("installed", "environment", "words"),
    [
        (set(), None, r"pip install .keras-semisis\[tensorflow\]"),
        ({"jax"}, "torch", r"KERAS_BACKEND=torch, which is not installed"),
    ],
)
def test_a_missing_backend_is_named_with_the_install_line(monkeypatch, tmp_path, installed, environment, words):
    _pretend(monkeypatch, tmp_path, installed, "tensorflow", environment)
    with pytest.raises(ValueError, match=words):
        backend.choose_backend()


def _pretend(monkeypatch, tmp_path, installed, configured, environment):
    (tmp_path / "keras.json").write_text(json.dumps({"backend": configured}))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setenv("KERAS_BACKEND", environment or "")
    if environment is None:
        monkeypatch.delenv("KERAS_BACKEND")
    monkeypatch.delitem(sys.modules, "keras")
    monkeypatch.setattr(backend, "find_spec", lambda name: name if name in installed else None)


def test_what_of_the_data_a_resume_takes(tmp_path, monkeypatch):
    seen = []

    def stop(options, *_):
        seen.append(options)
        raise ValueError("seen")

    monkeypatch.setattr(training, "go_on", stop)
    space = SyntheticScenes(1).label_space
    for name, options in (
        ("folder", {"data": "folder:PATH", "ignore_class": 255}),
        ("camvid", {"data": "camvid:PATH", "id_map": ("255=0",), "image_range": (0, 255)}),
    ):
        (tmp_path / name).mkdir()
        settings.write_document(
            tmp_path / name / settings.FILE, settings.document_of(TrainSettings(output="", **options), space)
        )
    run = ("train", "--resume", tmp_path / "folder")
    call(*run, "--ignore-class", 255, "--id-map", "9=1", code=1)
    assert (seen[-1].ignore_class, seen[-1].id_map) == (255, ("9=1",))
    assert call(*run, "--ignore-class", 9, code=1).startswith(
        "Error: --ignore-class 9: this run was begun with --ignore-class 255, by which its model has its classes. Leave it out"
    )
    # an earlier version took and ignored them
    call("train", "--resume", tmp_path / "camvid", code=1)
    assert (seen[-1].id_map, seen[-1].image_range, len(seen)) == ((), None, 2)
    assert "was begun with no --ignore-class" in call("train", "--resume", tmp_path / "camvid", "--ignore-class", 0, code=1)


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="what the other backends say")
def test_several_processes_are_refused_in_one_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    several = ("train", "--data", "synthetic", "--coordinator", "10.0.0.1:99", "--processes", 2, "--process", 0)
    for more, words in (
        ([], "--output VALUE is missing: several processes are told their run folder"),
        (["--output", "run"], "--coordinator 10.0.0.1:99: several processes need JAX (KERAS_BACKEND=jax)"),
    ):
        output = call(*several, *more, code=1)
        assert words in output and output.count("\n") == 1, output
    assert [*tmp_path.iterdir()] == []
