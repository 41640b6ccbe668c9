"""A data set of generated photos: what is written, what is kept, and that it is the same again."""

import json
import shutil
from collections import Counter

import keras
import numpy as np
import pytest
from PIL import Image
from scipy.special import log_softmax

import keras_semisis as ks
from keras_semisis.data import DataError, Folder, LabelSpace
from keras_semisis.data.argument_error import ArgumentError
from keras_semisis.data.sources.joined import Joined
from keras_semisis.gans import Sampler
from keras_semisis.options.check import CheckOptions
from keras_semisis.options.segmenter import SegmenterOptions
from keras_semisis.recipes import augment, segmenter
from keras_semisis.recipes.agreement import agreement
from keras_semisis.recipes.augmented_folder import AugmentedFolder
from keras_semisis.recipes.checking import read_everything
from tests.cli.command import call
from tests.gans.tiny import CLASSES, IGNORE, SIZE, Scenes, tiny_gan

pytestmark = pytest.mark.usefixtures("eager_tensorflow")
SPACE = LabelSpace(("sky", "road", "pole", "void"), ((0, 0, 255), (90, 90, 90), (200, 200, 0), (0, 0, 0)), ignore_class=3)
SKY, ROAD, POLE, VOID = range(4)


class Maps(ks.data.Source):
    """Label maps that are given, without photos."""

    label_space = SPACE

    def __init__(self, label_maps, names=None):
        self.label_maps = [np.array(each, "uint8") for each in label_maps]
        self.names = names or [f"town/{i}" for i in range(len(label_maps))]

    def __len__(self):
        return len(self.label_maps)

    def name(self, index):
        return self.names[index]

    def load_image(self, index):
        raise AssertionError("photos are not needed")

    def load_label_map(self, index):
        return self.label_maps[index]


@pytest.fixture(scope="module")
def painter():
    """A generator that paints each class in its color, as if it had learned all there is."""
    label_map = keras.Input((2, 4), dtype="int32")
    colors = keras.layers.Embedding(4, 3)
    generator = keras.Model(label_map, colors(label_map))
    colors.set_weights([np.array(SPACE.palette, "float32") / 127.5 - 1])
    return Sampler(generator, 4, (2, 4), label_space=SPACE)


def reads_colors(images, swapped=()):
    """A segmenter that knows the colors, and takes the pixels of some classes for sky."""
    colors = np.rint((np.asarray(images) + 1) * 127.5)
    seen = np.stack([(colors == color).all(-1) for color in SPACE.palette]).argmax(0)
    return np.where(np.isin(seen, swapped), SKY, seen)


def takes_poles_for_sky(images):
    return reads_colors(images, (POLE,))


def entries(folder):
    return [json.loads(line) for line in (folder / "photos.jsonl").read_text().splitlines()]


def files(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_agreement_is_what_counting_pixels_gives():
    random = np.random.default_rng(0)
    for _ in range(20):
        label_map, seen = random.integers(0, 5, (2, 6, 7))
        seen[label_map == 4] = random.integers(0, 4, (label_map == 4).sum())
        expected = []
        for c in range(5):
            counted = [(a, b) for a, b in zip(label_map.ravel(), seen.ravel(), strict=True) if a != 4]
            both, either = sum(a == b == c for a, b in counted), sum(c in (a, b) for a, b in counted)
            expected.append(round(both / either, 4) if c in label_map and c != 4 else np.nan)
        np.testing.assert_allclose(agreement(label_map, seen, 5, 4), expected, atol=1e-9)
    assert np.isnan(agreement(np.zeros((2, 2), int), np.ones((2, 2), int), 3)).tolist() == [False, True, True]


def test_what_is_written_is_read_as_a_folder(painter, tmp_path):
    maps = [[[0, 0, 1, 1], [3, 3, 1, 1]], [[2, 2, 2, 2], [0, 0, 0, 0]]]
    document = augment(painter, Maps(maps), tmp_path, 2, sampler="uniform", segmenter=reads_colors)
    written = Folder(tmp_path)
    assert [written.name(i) for i in range(4)] == ["town_0-0", "town_0-1", "town_1-0", "town_1-1"]
    assert (written.label_space.class_names, written.label_space.ignore_class) == (SPACE.class_names, VOID)
    assert written.label_space.palette == SPACE.palette
    for i in range(4):
        photo, label_map = written.load(i)
        np.testing.assert_array_equal(label_map, maps[i // 2])
        np.testing.assert_array_equal(photo, SPACE.colorize(np.array(maps[i // 2])))
    assert all(entry["agreement"] == 1.0 and entry["kept"] for entry in entries(tmp_path))
    assert document["report"]["drawn"] == document["report"]["kept"] == 4
    assert document == json.loads((tmp_path / "manifest.json").read_text())
    # with programs of others: indices are ids
    assert np.asarray(Image.open(tmp_path / "labels" / "town_0-0.png")).tolist() == maps[0]


def test_photos_are_dropped_by_their_mean_and_by_a_class(painter, tmp_path):
    """Poles are taken for sky: with hand-counted agreements."""
    maps = [
        [[0, 0, 1, 1], [0, 0, 1, 1]],  # nothing is wrong
        [[0, 0, 0, 1], [0, 0, 2, 1]],  # sky 5 of 6, road 1, pole 0: mean 0.6111
        [[2, 2, 2, 2], [0, 0, 2, 3]],  # sky 2 of 7, pole 0: mean 0.1429
        [[3, 3, 3, 3], [3, 3, 3, 3]],  # nothing that counts
    ]
    options = {"sampler": "uniform", "segmenter": takes_poles_for_sky}
    report = augment(painter, Maps(maps), tmp_path / "mean", threshold=0.6111, **options)["report"]
    assert [entry["agreement"] for entry in entries(tmp_path / "mean")] == [1.0, 0.6111, 0.1429, None]
    assert [entry["classes"] for entry in entries(tmp_path / "mean")][1:3] == [
        {"sky": 0.8333, "road": 1.0, "pole": 0.0},
        {"sky": 0.2857, "pole": 0.0},
    ]
    assert sorted(path.stem for path in (tmp_path / "mean" / "images").iterdir()) == ["town_0-0", "town_1-0"]
    assert (report["drawn"], report["kept"], report["agreement"]) == (4, 2, round((1 + 0.6111 + 0.1429) / 3, 4))
    assert report["classes"]["pole"] == {"drawn": 2, "kept": 1, "agreement": 0.0, "agreement_kept": 0.0}
    assert report["classes"]["sky"]["drawn"] == 3 and "void" not in report["classes"]
    augment(painter, Maps(maps), tmp_path / "class", threshold=0.0, class_threshold={"sky": 0.8333}, **options)
    assert [entry["kept"] for entry in entries(tmp_path / "class")] == [True, True, False, False]
    augment(painter, Maps(maps), tmp_path / "all", sampler="uniform", filter=False)
    assert [(e["kept"], e["agreement"]) for e in entries(tmp_path / "all")] == [(True, None)] * 4
    assert entries(tmp_path / "all")[2]["classes"] == {"sky": None, "pole": None}


def test_of_photos_of_few_classes_that_are_kept_it_is_told(painter, tmp_path, told):
    maps = [[[0, 0, 1, 1], [0, 0, 1, 1]], [[2, 2, 2, 2], [0, 0, 2, 3]]]
    augment(painter, Maps(maps), tmp_path / "some", sampler="uniform", segmenter=takes_poles_for_sky)
    assert told() == "Less than half of the photos were kept of those that show: pole (0 of 1)."
    augment(painter, Maps([maps[0], maps[1], maps[1]]), tmp_path / "one", sampler="uniform", segmenter=takes_poles_for_sky)
    assert told() == "1 of 3 photos were kept; the mean agreement of all is 0.43, the threshold 0.3."
    with pytest.raises(ArgumentError, match=r"threshold=0.2: none of 1 photos agrees .* mean agreement is 0\.14\. Lower it"):
        augment(painter, Maps(maps[1:]), tmp_path / "none", threshold=0.2, segmenter=takes_poles_for_sky)


def test_label_maps_with_rare_classes_are_drawn_more_often(painter, tmp_path):
    """The second of ten has the only poles: p is 1/2 from these, and its share of what all have."""
    common = [[0, 0, 1, 1], [0, 0, 1, 1]]
    maps = Maps([common, [[0, 0, 2, 2], [0, 0, 1, 1]], *[common] * 8])
    shares = 4 / 40 + 2 / 38 + 1
    augment(painter, maps, tmp_path / "rare", 20, filter=False, batch_size=50)
    drawn = Counter(entry["label_map"] for entry in entries(tmp_path / "rare"))
    assert drawn.total() == 200
    expected = 200 * shares / 3
    assert abs(drawn["town/1"] - expected) < 4 * np.sqrt(expected * (1 - shares / 3))  # fails once in 16,000
    augment(painter, maps, tmp_path / "seed", 20, filter=False, batch_size=50, seed=1)
    assert [e["label_map"] for e in entries(tmp_path / "seed")] != [e["label_map"] for e in entries(tmp_path / "rare")]
    # the only don't-care pixel prefers nothing: sky 3 of 39, road 4 of 38
    maps.label_maps[5][0, 0] = VOID
    augment(painter, maps, tmp_path / "void", 20, filter=False, batch_size=50)
    drawn = Counter(entry["label_map"] for entry in entries(tmp_path / "void"))
    expected = 200 * (3 / 39 + 4 / 38) / 3
    assert drawn["town/5"] < expected + 4 * np.sqrt(expected)
    augment(painter, maps, tmp_path / "uniform", 2, sampler="uniform", filter=False)
    assert {*Counter(entry["label_map"] for entry in entries(tmp_path / "uniform")).values()} == {2}


@pytest.fixture(scope="module")
def gan():
    gan = tiny_gan(compile=False, label_space=Scenes.label_space)
    # a new generator's images are black and white
    for _ in range(5):
        gan.ema_generator([np.arange(CLASSES * 2).repeat(256).reshape(5, *SIZE) % CLASSES, np.ones((5, 4))], training=True)
    return gan


def test_the_same_arguments_give_the_same_files_interrupted_or_not(gan, tmp_path, monkeypatch):
    options = {"per_map": 2, "seed": 3, "batch_size": 4}
    augment(gan, Scenes(5), tmp_path / "all", **options, threshold=0.0)
    options["threshold"] = float(np.median([entry["agreement"] for entry in entries(tmp_path / "all")]))
    whole = augment(gan, Scenes(5), tmp_path / "whole", **options)
    assert 0 < whole["report"]["kept"] < 10
    augment(gan, Scenes(5), tmp_path / "again", **options)
    assert files(tmp_path / "again") == files(tmp_path / "whole")
    calls, generate = [], type(gan).generate

    def stops(self, *arguments, **more):
        calls.append(arguments)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return generate(self, *arguments, **more)

    monkeypatch.setattr(type(gan), "generate", stops)
    with pytest.raises(KeyboardInterrupt):
        augment(gan, Scenes(5), tmp_path / "stopped", **options)
    assert len(entries(tmp_path / "stopped")) == 4
    with open(tmp_path / "stopped" / "photos.jsonl", "a") as file:  # killed while it wrote
        file.write('{"name": "1-0", "label_map"')
    augment(gan, Scenes(5), tmp_path / "stopped", **options)
    assert files(tmp_path / "stopped") == files(tmp_path / "whole")
    assert len(calls) == 4
    augment(gan, Scenes(5), tmp_path / "stopped", **options)
    assert len(calls) == 4 and files(tmp_path / "stopped") == files(tmp_path / "whole")
    log = tmp_path / "stopped" / "photos.jsonl"
    log.write_text("".join(log.read_text().splitlines(keepends=True)[:6]))  # a batch and a half
    augment(gan, Scenes(5), tmp_path / "stopped", **options)
    assert [len(names) for *_, names in calls[4:]] == [4, 2] and files(tmp_path / "stopped") == files(tmp_path / "whole")


def test_generate_draws_every_photo_again(gan, tmp_path):
    gan.save(tmp_path / "gan.keras")
    augment(gan, Scenes(3), tmp_path / "set", 2, threshold=0.0, seed=5)
    written = Folder(tmp_path / "set")
    for i in range(len(written)):
        photo, label_map = written.load(i)
        assert np.ptp(photo) > 20
        np.testing.assert_array_equal(gan.generate(label_map, seed=5, first=written.name(i)), photo)
    call("generate", tmp_path / "gan.keras", tmp_path / "set/labels", "--seed", 5, "--output", tmp_path / "drawn")
    assert {path.name for path in (tmp_path / "drawn").iterdir()} == {path.name for path in (tmp_path / "set/images").iterdir()}
    for path in (tmp_path / "drawn").iterdir():
        np.testing.assert_array_equal(Image.open(path), Image.open(tmp_path / "set/images" / path.name))


def test_the_discriminator_judges_as_segment_answers(gan, tmp_path):
    augment(gan, Scenes(3), tmp_path, threshold=0.0, sampler="uniform")
    for entry, i in zip(entries(tmp_path), range(3), strict=True):
        photo, label_map = Folder(tmp_path).load(i)
        found = agreement(label_map, gan.segment(photo), CLASSES, IGNORE)
        assert list(entry["classes"].values()) == found[~np.isnan(found)].tolist()


def sure_but_on_the_left(images):
    """Logits of a segmenter that knows the colors, and in the first column takes each of three classes for as likely."""
    logits = 4.0 * np.eye(4)[reads_colors(images)]
    logits[:, :, 0] = 0
    return logits


def test_pixels_that_are_harder_to_see_than_their_class_become_dont_care(painter, tmp_path):
    """By hand: on the left are one of eight pixels of sky, one of two of road, and the only one of a pole."""
    maps = [[[SKY, SKY, SKY, ROAD], [ROAD, SKY, SKY, VOID]], [[POLE, SKY, SKY, SKY], [VOID, VOID, VOID, VOID]]]
    options = {"sampler": "uniform", "filter": False, "segmenter": sure_but_on_the_left}
    document = augment(painter, Maps(maps), tmp_path / "some", pixel_tolerance=1.25, **options)
    left, sure = np.log(3), np.log(1 + 2 * np.exp(-4))
    written = Folder(tmp_path / "some")
    expected = [[[VOID, SKY, SKY, ROAD], [VOID, SKY, SKY, VOID]], maps[1]]
    np.testing.assert_array_equal([written.load_label_map(i) for i in range(2)], expected)
    pixels = [entry["pixels"] for entry in entries(tmp_path / "some")]
    assert pixels[0] == {
        "sky": {"cross_entropy": round((left + 4 * sure) / 5, 6), "drawn": 5, "kept": 4},
        "road": {"cross_entropy": round((left + sure) / 2, 6), "drawn": 2, "kept": 1},
    }
    assert pixels[1]["pole"] == {"cross_entropy": round(left, 6), "drawn": 1, "kept": 1}
    report = document["report"]
    assert (report["pixels"], report["kept"]) == (round(9 / 11, 4), 2)
    assert {name: found["pixels"] for name, found in report["classes"].items()} == {"sky": 0.875, "road": 0.5, "pole": 1.0}
    # a photo alone has other means: of its two skies one is harder to see than 1.8 times theirs
    augment(painter, Maps([[[SKY, SKY, ROAD, ROAD]] * 2]), tmp_path / "more", pixel_tolerance=1.8, **options)
    np.testing.assert_array_equal(Folder(tmp_path / "more").load_label_map(0), [[VOID, SKY, ROAD, ROAD]] * 2)
    augment(painter, Maps([[[SKY, SKY, ROAD, ROAD]] * 2]), tmp_path / "none", pixel_tolerance=2, **options)
    np.testing.assert_array_equal(Folder(tmp_path / "none").load_label_map(0), [[SKY, SKY, ROAD, ROAD]] * 2)


def test_pixels_are_judged_by_the_discriminator_and_photos_as_without(gan, tmp_path, monkeypatch):
    options = {"per_map": 2, "seed": 3, "batch_size": 4}
    augment(gan, Scenes(5), tmp_path / "without", threshold=0.0, **options)
    options["threshold"] = float(np.median([entry["agreement"] for entry in entries(tmp_path / "without")]))
    augment(gan, Scenes(5), tmp_path / "photos", **options)
    options["pixel_tolerance"] = 1.25
    augment(gan, Scenes(5), tmp_path / "pixels", **options)
    alike = ("name", "kept", "agreement", "classes")
    both = [[{key: entry[key] for key in alike} for entry in entries(tmp_path / name)] for name in ("photos", "pixels")]
    assert both[0] == both[1]
    photos, whole = (np.stack([Folder(tmp_path / "photos").load(i)[k] for i in range(5)]) for k in range(2))
    logits = gan.segmentation_logits(photos).astype("float64")
    np.testing.assert_array_equal(logits.argmax(-1), gan.segment(photos))
    costs = -np.take_along_axis(log_softmax(logits, -1), whole[..., None].astype(int), -1)[..., 0]
    expected = whole.copy()
    for c in set(range(CLASSES)) - {IGNORE}:
        expected[(whole == c) & (costs > 1.25 * costs[whole == c].mean())] = IGNORE
    written = np.stack([Folder(tmp_path / "pixels").load_label_map(i) for i in range(5)])
    assert ((written != whole).any((1, 2)) & (written != IGNORE).any((1, 2))).all()
    np.testing.assert_array_equal(written, expected)

    calls, write = [], AugmentedFolder.write_label_map

    def stops(self, name, label_map):
        calls.append(name)
        if len(calls) == 8:
            raise KeyboardInterrupt
        return write(self, name, label_map)

    monkeypatch.setattr(AugmentedFolder, "write_label_map", stops)
    with pytest.raises(KeyboardInterrupt):  # five label maps were written with their photos
        augment(gan, Scenes(5), tmp_path / "stopped", **options)
    assert len(entries(tmp_path / "stopped")) == 10
    for _ in range(2):
        augment(gan, Scenes(5), tmp_path / "stopped", **options)
        assert files(tmp_path / "stopped") == files(tmp_path / "pixels")
    with pytest.raises(FileExistsError, match=r"pixel_tolerance was null and is 1\.25"):
        augment(gan, Scenes(5), tmp_path / "photos", **options)


def test_what_cannot_be_is_refused(painter, tmp_path):
    maps = Maps([[[0, 0, 1, 1], [0, 0, 1, 1]]])
    with pytest.raises(ValueError, match=r"no discriminator that segments.*--segmenter FILE.*--no-filter"):
        augment(painter, maps, tmp_path / "a")
    with pytest.raises(ArgumentError, match="there is no class tram; there are sky, road, pole, void"):
        augment(painter, maps, tmp_path / "a", segmenter=reads_colors, class_threshold={"tram": 0.5})
    for name, value in {
        "threshold": 50.0,
        "pixel_tolerance": 0.0,
        "per_map": 0,
        "batch_size": 0,
        "sampler": "even",
        "fit": "squeeze",
    }.items():
        with pytest.raises(ValueError, match=str(value)):
            augment(painter, maps, tmp_path / "a", **{name: value})
    with pytest.raises(ValueError, match=r"it returns label maps; logits .* are needed"):
        augment(painter, maps, tmp_path / "a", segmenter=reads_colors, pixel_tolerance=1.25)
    with pytest.raises(ValueError, match=r"no discriminator that segments.*--segmenter FILE.* without --pixel-tolerance"):
        augment(painter, maps, tmp_path / "a", filter=False, pixel_tolerance=1.25)
    with pytest.raises(DataError, match="The classes of label_maps are not those of the model"):
        augment(painter, Scenes(2), tmp_path / "a")
    assert not (tmp_path / "a").exists()
    augment(painter, maps, tmp_path / "b", filter=False)
    (tmp_path / "site").mkdir()
    for text in ('{"name": "an app"}', "[]"):
        (tmp_path / "site/manifest.json").write_text(text)
        with pytest.raises(FileExistsError, match="holds something else"):
            augment(painter, maps, tmp_path / "site", filter=False)
    with pytest.raises(FileExistsError, match=r"other settings: seed was 0 and is 1\. Remove it or name another folder"):
        augment(painter, maps, tmp_path / "b", filter=False, seed=1)
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "notes.txt").touch()
    with pytest.raises(FileExistsError, match="holds something else"):
        augment(painter, maps, tmp_path / "c", filter=False)
    with pytest.raises(DataError, match=r"The label maps a/1 and a_1 lead to photos of one name"):
        augment(painter, Maps([maps.label_maps[0]] * 2, ["a/1", "a_1"]), tmp_path / "d", filter=False)
    long, longest = ("ä" * 120 + "a" * number for number in (10, 9))  # with "-0.png" 256 bytes, and 255
    with pytest.raises(DataError, match=rf"{long}: the name of its photo, {long}-0\.png, would have 256 bytes; .* 255\. Give"):
        augment(painter, Maps([maps.label_maps[0]] * 2, ["a", long]), tmp_path / "d", filter=False)
    assert not (tmp_path / "d").exists()
    augment(painter, Maps([maps.label_maps[0]], [longest]), tmp_path / "d", filter=False)


def test_without_a_dont_care_class_pixels_cannot_be_left_out(painter, tmp_path):
    maps = Maps([[[0, 0, 1, 1], [0, 0, 1, 1]]])
    maps.label_space = LabelSpace(SPACE.class_names, SPACE.palette)
    model = Sampler(painter.ema_generator, 4, (2, 4), label_space=maps.label_space)
    with pytest.raises(ArgumentError, match=r"pixel_tolerance=1\.25: there is no don't-care class"):
        augment(model, maps, tmp_path / "a", segmenter=sure_but_on_the_left, pixel_tolerance=1.25)


def test_label_maps_of_two_sources_keep_their_names_where_these_differ(painter, tmp_path):
    map_ = [[0, 0, 1, 1], [0, 0, 1, 1]]
    for folder, names, expected in (("a", ["1", "2"], {"1-0", "2-0"}), ("b", ["1", "1"], {"0_1-0", "1_1-0"})):
        first, second = (Maps([map_], [name]) for name in names)
        augment(painter, Joined(first, second), tmp_path / folder, sampler="uniform", filter=False)
        assert {path.stem for path in (tmp_path / folder / "images").iterdir()} == expected


def test_on_the_command_line(gan, tmp_path):
    gan.save(tmp_path / "gan.keras")
    for folder in ("images", "labels"):
        (tmp_path / "data" / folder).mkdir(parents=True)
    for i in range(4):
        photo, label_map = Scenes(4).load(i)
        Image.fromarray(label_map).save(tmp_path / "data/labels" / f"{i}.png")
        if i < 2:
            Image.fromarray(photo).save(tmp_path / "data/images" / f"{i}.png")
    augmenting = ["augment", tmp_path / "gan.keras", "--data", f"folder:{tmp_path / 'data'}", "--sampler", "uniform"]
    said = call(*augmenting, "--per-map", 2, "--threshold", 0, "--output", tmp_path / "out")
    # of two pairs one is kept for validation; label maps without a photo are drawn too
    assert f"6 of 6 photos kept in {tmp_path / 'out'}. Train on them with --data folder:{tmp_path / 'out'}, and on" in said
    assert "class 3" in said and "class 4" not in said
    assert "pixels left" not in said
    said = call(*augmenting, "--no-filter", "--pixel-tolerance", 1.25, "--output", tmp_path / "pixels")
    manifest = json.loads((tmp_path / "pixels/manifest.json").read_text())
    shares = [found["pixels"] for found in manifest["report"]["classes"].values()]
    assert "pixels left" in said and len(shares) == 4 and all(f"{share:.0%}" in said for share in shares)
    shutil.rmtree(tmp_path / "data/images")
    assert "4 of 4 photos kept" in call(*augmenting, "--threshold", 0, "--output", tmp_path / "labels alone")
    for i, form in enumerate(("labels/{}", "{}/labels")):
        for split, number in (("train", 3), ("val", 1)):
            (tmp_path / f"split{i}" / form.format(split)).mkdir(parents=True)
            for n in range(number):
                shutil.copy(tmp_path / f"data/labels/{n}.png", tmp_path / f"split{i}" / form.format(split))
        divided = ["augment", tmp_path / "gan.keras", "--data", f"folder:{tmp_path / f'split{i}'}", "--sampler", "uniform"]
        assert "3 of 3 photos kept" in call(*divided, "--threshold", 0, "--output", tmp_path / f"of split{i}")
    masks = []
    for path in sorted((tmp_path / "data/labels").iterdir()):
        masks.append(path.with_name(f"{path.stem}_mask.png"))
        Image.fromarray(np.where(np.asarray(Image.open(path)) == IGNORE, 255, 0).astype("uint8")).save(masks[-1])
    suffixed = ("--label-suffix", "_mask", "--ignore-class", 255, "--threshold", 0)
    assert "4 of 4 photos kept" in call(*augmenting, *suffixed, "--output", tmp_path / "of one kind")
    for path in masks:
        path.unlink()
    said = call(*augmenting, "--threshold", 1, "--class-threshold", "class 1=0.5", "--output", tmp_path / "none", code=1)
    assert said.count("Error: --threshold 1.0: none of 4 photos agrees") == 1
    for options, words in {
        ("--class-threshold", "pole"): "Error: --class-threshold pole: expected CLASS=LEAST, such as pole=0.1.",
        ("--threshold", 2): "Error: --threshold 2.0 is not between 0 and 1",
        ("--pixel-tolerance", 0): "Error: --pixel-tolerance 0.0 is no multiple of a mean",
        ("--no-filter", "--segmenter", tmp_path / "gan.keras"): f"Error: --segmenter {tmp_path / 'gan.keras'} has no use with",
        ("--sampler", "even"): "Error: --sampler even: expected rare_classes or uniform.",
    }.items():
        assert words in call(*augmenting, *options, "--output", tmp_path / "x", code=1)


@pytest.mark.parametrize("what", ["a label map", "its rule"])
def test_label_maps_that_have_changed_are_another_data_set(painter, tmp_path, what):
    source = tmp_path / "source"
    source.mkdir()
    for name in "ab":
        Image.fromarray(np.zeros((2, 4), np.uint8)).save(source / f"{name}.png")

    def folder(**rule):
        return Folder(source, images=None, labels=".", label_space=painter.label_space, **rule)

    augment(painter, folder(), tmp_path / "out", sampler="uniform", filter=False)
    augment(painter, folder(), tmp_path / "out", sampler="uniform", filter=False)  # the same
    if what == "a label map":
        Image.fromarray(np.ones((2, 5), np.uint8)).save(source / "a.png")
    with pytest.raises(FileExistsError, match="other settings: label_maps_digest was"):
        augment(
            painter,
            folder(**({"id_map": {0: 1}} if what == "its rule" else {})),
            tmp_path / "out",
            sampler="uniform",
            filter=False,
        )


def test_instance_maps_that_have_changed_are_another_data_set(tmp_path):
    inputs = keras.Input((2, 4), dtype="int32"), keras.Input((2, 4, 1), name="edges")
    generator = keras.Model(inputs, keras.layers.Embedding(4, 3)(inputs[0]) + inputs[1])
    reader = Sampler(generator, 4, (2, 4), label_space=SPACE)
    source = tmp_path / "source"
    for kind in ("labels", "instances"):
        (source / kind).mkdir(parents=True)
        Image.fromarray(np.zeros((2, 4), np.uint8)).save(source / kind / "a.png")

    def drawn():
        folder = Folder(source, images=None, label_space=SPACE)
        augment(reader, folder, tmp_path / "out", sampler="uniform", filter=False)

    drawn()
    drawn()  # the same
    Image.fromarray(np.arange(8, dtype=np.uint8).reshape(2, 4)).save(source / "instances" / "a.png")
    with pytest.raises(FileExistsError, match="other settings: instance_maps_digest was"):
        drawn()


@pytest.mark.filterwarnings("error:The photos have several proportions")
def test_a_segmenter_learns_from_generated_photos_as_much_as_from_real_ones(painter, tmp_path, monkeypatch):
    """Real photos are black, and of other proportions; 2 of them and 7 generated ones are 14 of an epoch."""
    map_ = np.array([[SKY, SKY, ROAD, ROAD], [SKY, POLE, VOID, ROAD]], "uint8")
    augment(painter, Maps([map_] * 7), tmp_path / "augmented", sampler="uniform", filter=False)
    real = tmp_path / "real"
    for folder, array in (("images", np.zeros((4, 4, 3), "uint8")), ("labels", np.repeat(map_, 2, 0))):
        (real / folder).mkdir(parents=True)
        for i in range(3):
            Image.fromarray(array).save(real / folder / f"{i}.png")
    shutil.copy(tmp_path / "augmented/classes.csv", real)
    counted = []

    def count(segmenter, dataset, steps, *_):
        black = np.concatenate([(np.asarray(image) == -1).all((1, 2, 3)) for image, _ in dataset.stream(0, len(dataset))])
        counted.append((black.sum(), len(black)))

    monkeypatch.setattr(segmenter, "train_segmenter", count)
    options = {"data": f"folder:{real}", "image_size": (32, 32), "batch_size": 2, "channels": (2, 2), "final_channels": 2}
    fits = []

    def stream(*arguments, fit, **options):
        fits.append(fit)
        return ks.data.paired_dataset(*arguments, fit=fit, **options)

    monkeypatch.setattr(segmenter, "paired_dataset", stream)
    for augmented in (None, tmp_path / "augmented"):
        settings = SegmenterOptions(**options, augmented=augmented, output=tmp_path / "segmenter.keras")
        segmenter.train_segmenter_file(settings, ks.data.BadFiles(0))
    assert counted == [(2, 2), (7, 14)] and fits == [None, None, "stretch", "stretch"]
    manifest = json.loads((tmp_path / "augmented/manifest.json").read_text())
    del manifest["report"]
    (tmp_path / "augmented/manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(DataError, match="augment was interrupted before it had finished this folder"):
        segmenter.train_segmenter_file(settings, ks.data.BadFiles(0))
    for named in (
        {"data": f"folder:{tmp_path / 'augmented'}"},
        {"data": f"folder:{real}", "validation_data": f"folder:{tmp_path / 'augmented'}"},
        {"data": f"folder:{real}", "unpaired_labels": str(tmp_path / "augmented/labels")},
        {"data": f"folder:{real}", "unpaired_images": str(tmp_path / "augmented/images")},
    ):
        with pytest.raises(DataError, match="augment was interrupted before it had finished this folder"):
            read_everything(CheckOptions(**named))
    (tmp_path / "augmented/manifest.json").unlink()
    (tmp_path / "augmented/classes.csv").write_text((real / "classes.csv").read_text().replace("pole", "tram"))
    with pytest.raises(DataError, match=r"(?s)--data folder:.*real.*augmented/classes\.csv"):
        segmenter.train_segmenter_file(settings, ks.data.BadFiles(0))
