"""Every cell of Python in the documentation runs, as it stands there but for sizes and numbers of steps."""

import inspect
import re

import keras
import numpy as np
import pytest
from PIL import Image

import keras_semisis as ks
from keras_semisis.exports.onnx_file import CONVERTERS
from tests.conftest import ROOT

pytestmark = [pytest.mark.docs, pytest.mark.usefixtures("eager_tensorflow")]
SIZE = (32, 48)
SMALL = {"(64, 96)": str(SIZE), "batch_size=8": "batch_size=2"}
# tests/test_extending.py and tests/metrics/test_documented_metric.py run these, and look at what comes of it
ELSEWHERE = {"docs/extending.md", "docs/metrics.md"}


def tiny_gan(space):
    gan = ks.SemiPairedGAN(
        space.num_classes,
        SIZE,
        space.ignore_class,
        label_space=space,
        generator=ks.models.oasis_generator(space.num_classes, SIZE, base_channels=1, noise_channels=4, num_blocks=3),
        discriminator=ks.models.oasis_discriminator(space.num_classes, SIZE, channels=(4, 4), final_channels=4),
        unconditional_discriminator=ks.models.wavelet_discriminator(SIZE, {4: 4, 8: 4, 32: 4}),
        perceptual=None,
    )
    gan.compile(statistics_batches=1)
    return gan


def write(folder, images, labels, count=4, photos=0):
    """Scenes as files; ``photos`` further ones have no label map."""
    scenes = ks.data.SyntheticScenes(count + photos, image_size=SIZE)
    for i in range(len(scenes)):
        image, label_map = scenes.load(i)
        for name, array in ((images, image), (labels, label_map))[: 1 if i >= count else 2]:
            (folder / name).mkdir(parents=True, exist_ok=True)
            Image.fromarray(array).save(folder / name / f"{i}.png")
    return scenes


def readme(folder):
    write(folder / "path/to/camvid", "train", "trainannot", count=10)
    return {}


def data(folder):
    scenes = write(folder / "PATH", "images", "labels", photos=2)
    stripes = np.tile(np.uint8([0, 127, 255]).repeat(16), (SIZE[0], 1))
    for name, array in (("images", np.zeros((*SIZE, 3), "uint8")), ("labels", stripes)):
        (folder / "masks" / name).mkdir(parents=True)
        Image.fromarray(array).save(folder / "masks" / name / "0.png")
    Image.fromarray(scenes.load(0)[1]).save(folder / "scene.png")
    tiny_gan(scenes.label_space).save(folder / "gan.keras")
    return {}


def checkpoints(folder):
    generator = ks.models.oasis_generator(35, (32, 64), base_channels=1, noise_channels=4)
    ks.checkpoints.save_reference_weights(generator, folder / "latest_EMA.safetensors", family="oasis")
    return {}


def sharing(folder):
    scenes = ks.data.SyntheticScenes(2, image_size=SIZE)
    val_ds = ks.data.paired_dataset(scenes, SIZE, batch_size=2, training=False)
    gan = tiny_gan(scenes.label_space)
    gan.compile(metrics=[ks.metrics.FrechetInceptionDistance(lambda images: images.mean(axis=(1, 2)))])
    return {"gan": gan, "val_ds": val_ds, "label_maps": next(iter(val_ds))[1]}


def exporting(folder):
    for name in ("onnxruntime", *CONVERTERS[keras.backend.backend()]):
        pytest.importorskip(name)
    return {"gan": tiny_gan(ks.data.SyntheticScenes(2, image_size=SIZE).label_space)}


def generating(folder):
    scenes = ks.data.SyntheticScenes(2, image_size=SIZE)
    (before, label_map), (after, changed) = scenes.load(0), scenes.load(1)
    styled = ks.gans.Sampler(
        ks.models.spade_generator(11, (32, 64), base_channels=1, latent_channels=4, hidden_channels=4),
        encoder=ks.models.spade_encoder((32, 64), base_channels=1, latent_channels=4),
    )
    return {
        "model": tiny_gan(scenes.label_space),
        "styled": styled,
        "photos": np.stack([before, after]),
        "label_maps": np.zeros((2, 32, 64), "uint8"),
        "label_map": label_map,
        "changed_label_map": changed,
        "mask": label_map == 0,
        "noise_map": np.zeros((*SIZE, 4)),
        "before": before,
        "after": after,
    }


def augmenting(folder):
    scenes = ks.data.SyntheticScenes(2, image_size=SIZE)
    return {"gan": tiny_gan(scenes.label_space), "source": scenes}


def start(folder):
    write(folder / "PATH", "images", "labels", photos=2)
    return {}


def callbacks(folder):
    pytest.importorskip("trackio")
    return {}


def scale(folder):
    pytest.importorskip("apache_beam")
    from apache_beam.options.pipeline_options import PipelineOptions

    write(folder / "shared/data", "images", "labels")
    return {"options": PipelineOptions(["--runner=DirectRunner"])}


# what is there before the first cell, and what is made small
PAGES = {
    "README.md": (readme, SMALL | {"steps_per_epoch=2000": "steps_per_epoch=1"}),
    "docs/augment.md": (augmenting, {"per_map=4": "per_map=2, threshold=0.0"}),
    "docs/callbacks.md": (
        callbacks,
        SMALL | {"num_scenes=200": "num_scenes=10", "epochs=10": "epochs=2", "steps_per_epoch=100": "steps_per_epoch=1"},
    ),
    "docs/checkpoints.md": (
        checkpoints,
        {"image_size=(256, 512)": "image_size=(32, 64), base_channels=1, noise_channels=4", ".pth": ".safetensors"},
    ),
    "docs/data.md": (data, {}),
    "docs/exporting.md": (exporting, {}),
    "docs/generating.md": (generating, {"steps=200": "steps=1"}),
    "docs/training.md": (lambda folder: {}, {}),
    "docs/scale.md": (scale, {"/shared/": "shared/"}),
    "docs/sharing.md": (sharing, {}),
    "docs/start.md": (
        start,
        {"(48, 64)": str(SIZE), "batch_size=8": "batch_size=2", "steps_per_epoch=500": "steps_per_epoch=1"},
    ),
    "docs/notebooks/quickstart.md": (
        lambda folder: {},
        SMALL | {"num_scenes=400": "num_scenes=10", "epochs=3": "epochs=1", "steps_per_epoch=100": "steps_per_epoch=1"},
    ),
    "docs/notebooks/own_data.md": (
        lambda folder: {},
        SMALL | {"epochs=5": "epochs=1", "steps_per_epoch=100": "steps_per_epoch=1"},
    ),
    "docs/notebooks/few_labels.md": (
        lambda folder: {},
        SMALL
        | {
            "num_scenes=400": "num_scenes=40",
            "num_scenes=100": "num_scenes=4",
            "steps_per_epoch=600": "steps_per_epoch=1",
            "steps=500": "steps=1",
            "(32, 32, 64, 128), final_channels=32": "(4, 4), final_channels=4",
        },
    ),
}


def cells_of(page):
    return re.findall(r"^```python\n(.*?)^```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def pages():
    found = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    return sorted(path.relative_to(ROOT).as_posix() for path in found if "results" not in path.parts)


def test_every_page_with_cells_is_run():
    assert {page for page in pages() if cells_of(page)} == PAGES.keys() | ELSEWHERE


@pytest.fixture
def trackio_here(tmp_path, monkeypatch):
    monkeypatch.setenv("TRACKIO_DIR", str(tmp_path / "trackio"))


@pytest.fixture
def tiny_recipe(monkeypatch):
    """The recipe's arguments, and a network that takes a second; tests/recipes/test_few_labels.py has the recipe itself."""
    signature = inspect.signature(ks.recipes.few_labels)

    def few_labels(*arguments, **named):
        given = signature.bind(*arguments, **named).arguments
        assert given["image_size"] == SIZE
        return tiny_gan(given["label_space"])

    monkeypatch.setattr(ks.recipes, "few_labels", few_labels)


@pytest.mark.usefixtures("trackio_here", "tiny_recipe")
@pytest.mark.parametrize("page", PAGES)
def test_cells_run(page, tmp_path, monkeypatch, capsys):
    prepare, small = PAGES[page]
    cells = cells_of(page)
    # the longest first, since one may hold another
    for given in sorted(small, key=len, reverse=True):
        assert any(given in cell for cell in cells), f"{page} has no {given} any more: tell PAGES."
        cells = [cell.replace(given, small[given]) for cell in cells]
    monkeypatch.chdir(tmp_path)
    keras.utils.set_random_seed(0)
    names = {"ks": ks, "keras": keras, "np": np} | prepare(tmp_path)
    for number, cell in enumerate(cells):
        exec(compile(cell, f"{page}, cell {number}", "exec"), names)
    LOOKS.get(page, lambda names, printed: None)(names, capsys.readouterr().out)


def looks_at_data(names, printed):
    assert "{'id_map': {127: 1, 255: 2}}" in printed  # as the comment beside it says
    assert names["source"].label_space.num_classes == 3 and names["photo"].shape == (*SIZE, 3)


def looks_at_augmenting(names, printed):
    assert len(names["generated"]) == names["manifest"]["report"]["kept"] == 4


def looks_at_exporting(names, printed):
    expected = names["gan"].generate(names["label_map"], seed=7)
    assert np.abs(names["photo"][0].astype(int) - expected).max() <= 1
    assert (names["seen"][0] != names["gan"].segment(names["photo"][0])).mean() < 0.005


def looks_at_start(names, printed):
    assert names["drawn"].shape == (4, *SIZE, 3) and names["gan"].step == 1
    assert len(names["paired"]) == 4 and len(names["images"]) == 2


def looks_at_callbacks(names, printed):
    from trackio.sqlite_storage import SQLiteStorage

    (run,) = SQLiteStorage.get_runs("streets")
    logs = SQLiteStorage.get_logs("streets", run)
    assert [row["step"] for row in logs] == [1, 2] and np.isfinite(logs[-1]["unpaired/cycle"]) and "grid" in logs[-1]


def looks_at_few_labels(names, printed):
    assert len(names["labeled"][0]) == 2 and len(names["generated"][0]) == 38
    assert all(0 <= value <= 1 for value in names["results"].values()) and "labels for all: mIoU" in printed


LOOKS = {
    "docs/augment.md": looks_at_augmenting,
    "docs/data.md": looks_at_data,
    "docs/exporting.md": looks_at_exporting,
    "docs/start.md": looks_at_start,
    "docs/callbacks.md": looks_at_callbacks,
    "docs/notebooks/few_labels.md": looks_at_few_labels,
}
