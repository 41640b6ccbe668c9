import itertools
import json
import os
import pickle
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from keras_semisis.data import (
    BadFiles,
    DataError,
    Folder,
    Records,
    SyntheticScenes,
    class_statistics,
    paired_dataset,
    write_records,
)
from keras_semisis.data.packs import packing
from keras_semisis.data.sources.one_sided import ImagesOnly, LabelMapsOnly
from tests.data.array_source import ArraySource

pytest.importorskip("array_record", reason="packed records need the extra keras-semisis[records]")

NUMBER, SHARD = 10, 4
PALETTE = [(i, 2 * i, 3 * i) for i in range(5)]


def write_folder(root, number=NUMBER):
    """JPEG photos, one of them gray and one turned by EXIF; label maps with 255, one of them in colors."""
    rng = np.random.default_rng(0)
    for kind in ("images", "labels"):
        (root / kind).mkdir(parents=True)
    for i in range(number):
        image = Image.fromarray(rng.integers(0, 256, (12, 16, 3)).astype(np.uint8))
        label_map = rng.integers(0, 4, (12, 16)).astype(np.uint8)
        label_map[i] = 255
        options = {}
        if i == 1:
            image = image.convert("L")
        if i == 2:
            exif = Image.Exif()
            exif[0x0112] = 3
            options["exif"] = exif
        image.save(root / "images" / f"straße {i}.jpg", **options)
        if i == 3:
            Image.fromarray(np.array(PALETTE, np.uint8)[label_map % 251]).save(root / "labels" / f"straße {i}.png")
        else:
            Image.fromarray(label_map).save(root / "labels" / f"straße {i}.png")
    return open_folder(root)


def open_folder(root):
    return Folder(root, palette=PALETTE, ignore_class=4, id_map={255: 4})


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_folder(tmp_path_factory.mktemp("folder") / "data")


@pytest.fixture(scope="module")
def packed(folder, tmp_path_factory):
    path = tmp_path_factory.mktemp("packed") / "my records"
    write_records(folder, path, items_per_shard=SHARD)
    return path


@pytest.fixture
def copy(packed, tmp_path):
    return Path(shutil.copytree(packed, tmp_path / "copy"))


def assert_same_items(source, other):
    assert len(source) == len(other)
    for i in range(len(source)):
        assert source.name(i) == other.name(i)
        for one, two in zip(source.load(i), other.load(i), strict=True):
            np.testing.assert_array_equal(one, two)


def reads_of(source, monkeypatch):
    """Which images are read from here on."""
    reads = []
    original = type(source).image_bytes
    monkeypatch.setattr(type(source), "image_bytes", lambda self, i: reads.append(int(i)) or original(self, i))
    return reads


# What is in a pack


def test_a_pack_gives_what_the_folder_gives(folder, packed):
    records = Records(packed)
    assert_same_items(records, folder)
    assert records.label_space == folder.label_space and records.stored_label_space == folder.stored_label_space
    assert sorted(path.name for path in packed.iterdir()) == [
        "pack.json",
        *(f"shard-0000{i}.{kind}" for i in range(3) for kind in ("images", "label_maps", "npz")),
    ]


def test_files_are_stored_byte_for_byte(folder, packed):
    records = Records(packed)
    for i in range(NUMBER):
        assert records.image_bytes(i) == folder.image_bytes(i)
        assert records.label_map_bytes(i) == folder.label_map_bytes(i)


def test_class_statistics_are_in_the_pack(folder, packed, monkeypatch):
    monkeypatch.setattr(Records, "_read", None)  # nothing is read
    np.testing.assert_array_equal(class_statistics(Records(packed)), class_statistics(folder))
    part = Records(packed).subset([7, 2])
    np.testing.assert_array_equal(class_statistics(part), np.asarray(class_statistics(folder))[[7, 2]])


def test_batches_are_those_of_the_folder(folder, packed):
    streams = [
        paired_dataset(source, (8, 8), 4, sampler="rare_classes", load_size=(10, 12)) for source in (folder, Records(packed))
    ]
    for step in range(3):
        for one, two in zip(*(stream.load_step(step, 10) for stream in streams), strict=True):
            np.testing.assert_array_equal(one, two)


def test_what_is_rendered_is_stored_without_loss(tmp_path):
    scenes = SyntheticScenes(num_scenes=3, image_size=(32, 48))
    write_records(scenes, tmp_path / "scenes")
    assert_same_items(Records(tmp_path / "scenes"), scenes)


def test_a_pack_keeps_the_rule_of_the_data_set(folder, packed, tmp_path):
    """Also where its own files hold classes, since what a source changes is packed as that."""

    class Rendered(Folder):
        def label_map_bytes(self, index):
            return None

    rendered = Rendered(folder._images["straße 0"].parents[1], palette=PALETTE, ignore_class=4, id_map={255: 4})
    write_records(rendered, tmp_path / "rendered")
    write_records(Records(tmp_path / "rendered"), tmp_path / "again")
    manifest = json.loads((packed / "pack.json").read_text())
    # as packs were before label spaces had a rule
    manifest["label_space"] = {name: manifest["label_space"][name] for name in ("class_names", "palette", "ignore_class")}
    shutil.copytree(packed, tmp_path / "old")
    (tmp_path / "old" / "pack.json").write_text(json.dumps(manifest))
    for pack in (packed, tmp_path / "rendered", tmp_path / "again", tmp_path / "old"):
        assert Records(pack).label_space == folder.label_space and Records(pack).label_space.id_map == {255: 4}
        np.testing.assert_array_equal(Records(pack).load_label_map(5), folder.load_label_map(5))


@pytest.mark.parametrize("number", [256, 257, 700])
def test_ids_above_255_are_stored_without_loss(number, tmp_path):
    source = ArraySource([[[0]]], num_classes=number)
    source.label_maps = [np.array([[0, 255, number // 2, number - 1]], np.int32)]
    write_records(source, tmp_path / "many", images=False)
    np.testing.assert_array_equal(Records(tmp_path / "many").load_label_map(0), source.label_maps[0])


def test_the_rule_that_other_ids_are_none_is_kept(folder, tmp_path):
    space = replace(folder.label_space, id_map={0: 0, 1: 1, 2: 2, 3: 3, 255: 4}, all_ids=True)
    source = Folder(folder._images["straße 0"].parents[1], label_space=space).subset([0, 5])  # of ids
    write_records(source, tmp_path / "pack")
    assert Records(tmp_path / "pack").stored_label_space == source.stored_label_space == space


def test_one_sided_sources(folder, tmp_path):
    write_records(ImagesOnly(folder, [5, 1]), tmp_path / "images")
    images = Records(tmp_path / "images")
    assert images.label_space is None and images.class_counts(0) is None
    np.testing.assert_array_equal(images.load_image(1), folder.load_image(1))
    with pytest.raises(ValueError, match="images alone, no label maps"):
        images.load_label_map(0)
    write_records(LabelMapsOnly(folder, [5, 3]), tmp_path / "labels", images=False)
    labels = Records(tmp_path / "labels")
    np.testing.assert_array_equal(labels.load_label_map(1), folder.load_label_map(3))
    with pytest.raises(ValueError, match="label maps alone, no images"):
        labels.load_image(0)


def test_published_sizes_are_kept(folder, packed, copy, tmp_path):
    assert (Records(packed).published_image_size, Records(packed).published_load_size) == (None, None)
    source = folder.subset(range(2))
    source.published_image_size, source.published_load_size = (256, 256), (286, 286)
    write_records(source, tmp_path / "published")
    part = Records(tmp_path / "published").subset([1])
    assert (part.published_image_size, part.published_load_size) == ((256, 256), (286, 286))
    manifest = json.loads((copy / "pack.json").read_text())
    del manifest["published_image_size"], manifest["published_load_size"]  # as a pack of before
    (copy / "pack.json").write_text(json.dumps(manifest))
    assert Records(copy).published_image_size is None


def test_a_pack_can_be_packed_again(packed, tmp_path):
    write_records(Records(packed), tmp_path / "again")
    assert_same_items(Records(tmp_path / "again"), Records(packed))


def test_fingerprints_tell_the_content(folder, packed, tmp_path):
    write_records(folder, tmp_path / "same", items_per_shard=SHARD)
    write_records(folder.subset([*range(9, -1, -1)]), tmp_path / "order", items_per_shard=SHARD)
    same, order = Records(tmp_path / "same"), Records(tmp_path / "order")
    assert same.fingerprint(3) == Records(packed).fingerprint(3) != Records(packed).fingerprint(4)
    assert order.fingerprint(3) != same.fingerprint(3)


def test_threads_read_at_random(folder, packed):
    records = Records(packed)
    expected = [folder.image_bytes(i) for i in range(NUMBER)]
    order = np.random.default_rng(0).integers(0, NUMBER, 2000)
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(records.image_bytes, order)) == [expected[i] for i in order]


def test_a_source_can_be_pickled_and_refuses_indices_out_of_range(packed):
    records = pickle.loads(pickle.dumps(Records(packed)))
    assert records.load_image(9).shape == (12, 16, 3)
    for index in (-1, NUMBER):
        with pytest.raises(IndexError, match=rf"Record {index} does not exist: there are 0\.\.9"):
            records.load_image(index)


def test_the_package_is_needed_and_named(packed, monkeypatch):
    monkeypatch.setitem(sys.modules, "array_record.python", None)
    with pytest.raises(ImportError, match=r'pip install "keras-semisis\[records\]"'):
        Records(packed)


# Damage


def test_a_damaged_record_is_named_and_the_others_are_read(folder, copy):
    path = copy / "shard-00001.images"
    data = bytearray(path.read_bytes())
    begin = data.find(folder.image_bytes(6))
    assert begin > 0
    data[begin + 100] ^= 1
    path.write_bytes(data)
    records = Records(copy)
    with pytest.raises(DataError, match=r"shard-00001\.images, record 2 \(straße 6\): damaged .*Copy this shard again"):
        records.load(6)
    np.testing.assert_array_equal(records.load_image(5), folder.load_image(5))
    np.testing.assert_array_equal(records.load_image(7), folder.load_image(7))


def test_no_bit_of_a_shard_changes_unnoticed(folder, copy):
    path = copy / "shard-00000.label_maps"
    good = path.read_bytes()
    expected = [folder.label_map_bytes(i) for i in range(SHARD)]
    rng, noticed = np.random.default_rng(0), 0
    places = [good.find(expected[0]) + 5, *rng.integers(0, len(good), 60)]
    for place in places:
        damaged = bytearray(good)
        damaged[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(damaged)
        records = Records(copy)
        for i in range(SHARD):
            try:
                assert records.label_map_bytes(i) == expected[i]
            except DataError as error:
                assert "shard-00000.label_maps, record" in str(error)
                noticed += 1
    assert noticed


def test_a_shard_of_another_pack_is_noticed(tmp_path):
    # uncompressed images of one size: their shards are equally long
    for name, value in (("a", 10), ("b", 200)):
        root = tmp_path / name
        (root / "images").mkdir(parents=True)
        for i in range(2):
            Image.new("RGB", (8, 8), (value, i, 0)).save(root / "images" / f"{i}.bmp")
        write_records(Folder(root, labels=None), root / "packed")
    shutil.copy(tmp_path / "b" / "packed" / "shard-00000.images", tmp_path / "a" / "packed" / "shard-00000.images")
    with pytest.raises(DataError, match=r"a.packed.shard-00000\.images, record 1 \(1\): damaged \(its checksum is another"):
        Records(tmp_path / "a" / "packed").load_image(1)


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (lambda path: (path / "shard-00002.images").unlink(), r"shard-00002\.images: this shard is missing"),
        (lambda path: os.truncate(path / "shard-00001.label_maps", 1000), r"00001\.label_maps: this shard has 1000 bytes, but"),
        (
            lambda path: os.truncate(path / "shard-00001.npz", 100),
            r"shard-00001\.npz: this index of a shard is missing or damaged",
        ),
        (lambda path: (path / "shard-00000.npz").unlink(), r"shard-00000\.npz: this index of a shard is missing or damaged"),
        (
            lambda path: shutil.copy(path / "shard-00000.npz", path / "shard-00001.npz"),
            r"shard-00001\.npz: this index belongs to",
        ),
        (lambda path: (path / "pack.json").unlink(), r"copy: no packed records here \(pack\.json is missing\)"),
        (lambda path: os.truncate(path / "pack.json", 50), r"pack\.json: damaged"),
        (lambda path: (path / "pack.json").write_text("[]"), r"pack\.json: damaged"),
        (
            lambda path: (path / "pack.json").write_text(json.dumps({"format": "keras_semisis records 9"})),
            r"its format is 'keras_semisis records 9'",
        ),
    ],
)
def test_an_incomplete_pack_is_refused(harm, message, copy):
    harm(copy)
    with pytest.raises(DataError, match=message):
        Records(copy)


def test_splits_are_suggested(packed, tmp_path):
    shutil.copytree(packed, tmp_path / "both" / "train")
    assert len(Records(tmp_path / "both", split="train")) == NUMBER
    with pytest.raises(DataError, match="holds the packs train: choose one by split="):
        Records(tmp_path / "both")


# Interruption


def interrupt_at(item):
    def progress(done, number):
        if done == item:
            raise KeyboardInterrupt

    return progress


def test_an_interrupted_pack_is_none_and_goes_on(folder, packed, tmp_path, monkeypatch):
    path = tmp_path / "pack"
    with pytest.raises(KeyboardInterrupt):
        write_records(folder, path, items_per_shard=SHARD, progress=interrupt_at(6))
    assert not path.exists()
    with pytest.raises(DataError, match=r"packing was not finished\. Run the same keras-semisis pack again"):
        Records(path)
    reads = reads_of(folder, monkeypatch)
    reports = []
    write_records(folder, path, items_per_shard=SHARD, progress=lambda done, number: reports.append((done, number)))
    assert set(reads) - {0} == set(range(4, NUMBER))  # 0 is looked at for the kind of source alone
    assert reports == [(done, NUMBER) for done in range(4, NUMBER + 1)]
    assert [entry.name for entry in tmp_path.iterdir()] == ["pack"]
    assert_same_items(Records(path), folder)
    for file in packed.iterdir():
        assert (path / file.name).read_bytes() == file.read_bytes(), file.name


def test_a_pack_that_was_interrupted_leaves_nothing_to_other_data(tmp_path):
    folder = write_folder(tmp_path / "data")
    alone = next((tmp_path / "data" / "labels").iterdir())
    label_map = alone.read_bytes()
    alone.unlink()
    with_photos_alone = Folder(tmp_path / "data", label_space=folder.label_space)
    assert len(with_photos_alone.unpaired_images) == 1
    write_records(with_photos_alone, tmp_path / "pack", items_per_shard=SHARD)
    (tmp_path / "pack").rename(tmp_path / "pack.part")
    (tmp_path / "pack.part" / "pack.json").unlink()
    alone.write_bytes(label_map)
    write_records(folder, tmp_path / "pack", items_per_shard=SHARD)
    packed = Records(tmp_path / "pack")
    assert len(packed) == NUMBER and packed.unpaired_images is None


@pytest.mark.parametrize("killed_at", [1, 4, 6, 9])
def test_a_killed_pack_goes_on_from_whatever_lies_on_the_disk(folder, tmp_path, killed_at):
    path, other = tmp_path / "pack", tmp_path / "killed"

    def kill(done, number):
        if done == killed_at:  # the writers are open: what they have not written is lost
            shutil.copytree(f"{path}.part", f"{other}.part")

    write_records(folder, path, items_per_shard=SHARD, progress=kill)
    write_records(folder, other, items_per_shard=SHARD)
    assert_same_items(Records(other), folder)
    assert len(list(other.iterdir())) == 10  # no remains


@pytest.mark.parametrize("kind", ["images", "labels"])
def test_files_that_changed_meanwhile_are_packed_again(tmp_path, monkeypatch, kind):
    folder = write_folder(tmp_path / "data")
    with pytest.raises(KeyboardInterrupt):
        write_records(folder, tmp_path / "pack", items_per_shard=SHARD, progress=interrupt_at(9))
    path = tmp_path / "data" / kind / ("straße 5.jpg" if kind == "images" else "straße 5.png")
    Image.fromarray(np.zeros((12, 16), np.uint8)).save(path)
    reads = reads_of(folder, monkeypatch)
    write_records(folder, tmp_path / "pack", items_per_shard=SHARD)
    assert set(reads) - {0} == set(range(4, NUMBER))
    assert_same_items(Records(tmp_path / "pack"), folder)


def test_a_finished_pack_is_left_alone_and_another_is_not_overwritten(folder, copy, tmp_path, monkeypatch):
    reads = reads_of(folder, monkeypatch)
    write_records(folder, copy, items_per_shard=SHARD)
    assert not reads
    with pytest.raises(FileExistsError, match="holds a pack of other data"):
        write_records(folder.subset(range(9)), copy, items_per_shard=SHARD)
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileExistsError, match="exists and is no pack"):
        write_records(folder, tmp_path / "empty")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_disk_is_said_and_not_kept_full(folder, tmp_path, monkeypatch):
    def unfinished(path):
        part = path.with_name(f".{path.name}.part")
        if path.name == "shard-00001.images":
            part.symlink_to("/dev/full")
        return part

    monkeypatch.setattr(packing, "unfinished_file", unfinished)
    for _ in range(2):
        with pytest.raises(OSError, match=r"pack\.part: shard 1 cannot be written .*No space left.*Make room"):
            write_records(folder, tmp_path / "pack", items_per_shard=SHARD)
        assert not (tmp_path / "pack").exists()
        assert sorted(path.name for path in (tmp_path / "pack.part").iterdir()) == [
            "shard-00000.images",
            "shard-00000.label_maps",
            "shard-00000.npz",
        ]


# Sources that do not fit


def test_a_bad_label_map_is_named(tmp_path):
    folder = write_folder(tmp_path / "data")
    path = tmp_path / "data" / "labels" / "straße 7.png"
    Image.fromarray(np.full((12, 16), 77, np.uint8)).save(path)
    for _ in range(2):
        with pytest.raises(DataError, match=f"^{path}: label id 77"):  # and not its photo, which is good
            write_records(folder, tmp_path / "pack")
        assert not (tmp_path / "pack").exists() and list((tmp_path / "pack.part").iterdir()) == []


def test_bad_items_are_left_out_up_to_a_number(tmp_path):
    folder = write_folder(tmp_path / "data")
    paths = [tmp_path / "data" / "labels" / "straße 7.png", tmp_path / "data" / "images" / "straße 0.jpg"]
    for path in paths:
        os.truncate(path, 100)
    with pytest.raises(DataError, match=r"Bad files: 2, of which 1 is tolerated"):
        write_records(folder, tmp_path / "pack", skip_bad=1)
    bad = BadFiles(2)
    write_records(folder, tmp_path / "pack", items_per_shard=SHARD, skip_bad=bad)
    assert sorted(message.partition(":")[0] for message in bad.messages) == sorted(map(str, paths))
    assert_same_items(Records(tmp_path / "pack"), folder.subset([1, 2, 3, 4, 5, 6, 8, 9]))
    labels = LabelMapsOnly(folder, range(NUMBER))
    write_records(labels, tmp_path / "labels", images=False, skip_bad=1)
    write_records(ImagesOnly(folder, range(NUMBER)), tmp_path / "images", skip_bad=1)
    assert len(Records(tmp_path / "labels")) == len(Records(tmp_path / "images")) == NUMBER - 1
    with pytest.raises(DataError, match=r"None of the 1 items can be used:\n  .*straße 7\.png"):
        write_records(folder.subset([7]), tmp_path / "none", skip_bad=1)


def test_a_source_that_changes_what_is_in_its_files_is_refused(folder, tmp_path):
    class Shifted(Folder):
        def load_label_map(self, index):
            return np.roll(super().load_label_map(index), 1)

    source = Shifted(folder._images["straße 0"].parents[1], palette=PALETTE, id_map={255: 4})
    with pytest.raises(DataError, match=r"Shifted changes what is in the file.*label_map_bytes must return None"):
        write_records(source, tmp_path / "pack")


def test_label_maps_alone_have_to_be_said(folder, tmp_path):
    labels = Folder(folder._images["straße 0"].parents[1], images=None, palette=PALETTE, id_map={255: 4})
    with pytest.raises(ValueError, match="label maps alone"):
        write_records(labels, tmp_path / "pack")
    write_records(labels, tmp_path / "labels", images=False)
    np.testing.assert_array_equal(Records(tmp_path / "labels").load_label_map(2), folder.load_label_map(2))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"items_per_shard": 0}, ValueError, "items_per_shard=0"),
        ({"source": []}, DataError, "nothing to pack"),
        ({"source": "images", "images": False}, ValueError, "leaves nothing to pack"),
        ({"source": "huge"}, ValueError, "65537 classes cannot be packed"),
    ],
)
def test_bad_arguments(arguments, error, message, folder, tmp_path):
    sources = {"images": ImagesOnly(folder, [0]), "huge": ArraySource([[[0]]], num_classes=2**16 + 1)}
    given = arguments.pop("source", folder)
    source = folder.subset([]) if given == [] else sources.get(given, folder) if isinstance(given, str) else folder
    with pytest.raises(error, match=message):
        write_records(source, tmp_path / "pack", **arguments)
    assert not list(itertools.chain(tmp_path.glob("pack*")))
