"""skip_bad: which files are tolerated, what takes their places, and what is told about them."""

import warnings

import numpy as np
import pytest
from PIL import Image
from scipy import stats

from keras_semisis.data import (
    BadFiles,
    DataError,
    Folder,
    Source,
    class_statistics,
    paired_dataset,
    semi_paired_split,
    unpaired_dataset,
)
from keras_semisis.data.stream import batch_stream, pipeline
from tests.data.array_source import numbered_source
from tests.data.pictures.test_hostile_files import IDS, SPACE, encoded, write_pair
from tests.data.stream.test_pipeline import ERROR_RATE, assert_same, image_items_of, items_of, steps_of

BAD = (2, 5)


class Damaged(Source):
    """A numbered source of which some items cannot be read."""

    def __init__(self, number, bad_images=BAD, bad_labels=()):
        self.source = numbered_source(number)
        self.label_space = self.source.label_space
        self.bad_images, self.bad_labels = bad_images, bad_labels
        self.reads = []

    def __len__(self):
        return len(self.source)

    def name(self, index):
        return self.source.name(index)

    def fingerprint(self, index):
        return f"{index}"

    def load_image(self, index):
        self.reads.append(int(index))
        if index in self.bad_images:
            raise DataError(f"image{index}.png: cannot be read.")
        return self.source.load_image(index)

    def load_label_map(self, index):
        if index in self.bad_labels:
            raise DataError(f"label{index}.png: label id 999 found.")
        return self.source.load_label_map(index)


@pytest.fixture(params=["tensorflow", "numpy"])
def form(request, monkeypatch):
    """Both forms of a stream, as in test_pipeline."""
    if request.param == "numpy":
        for module in (batch_stream, pipeline):
            monkeypatch.setattr(module, "optional_tensorflow", lambda: None)
    return request.param


def test_without_skip_bad_the_first_error_is_raised_as_it_is():
    with pytest.raises(DataError, match=r"^image[25]\.png: cannot be read\.$"):
        list(paired_dataset(Damaged(8), (4, 6), 2))


def test_bad_items_are_replaced_and_listed(form):
    batches = paired_dataset(Damaged(8), (4, 6), 2, skip_bad=2)
    plain = paired_dataset(numbered_source(8), (4, 6), 2)
    items, whole = (items_of(steps_of(each.stream(0, 40)))[0] for each in (batches, plain))
    assert set(items) == set(range(8)) - set(BAD)
    kept = ~np.isin(whole, BAD)
    np.testing.assert_array_equal(items[kept], whole[kept])  # the others stay where they are
    assert sorted(batches.bad_files.messages) == ["image2.png: cannot be read.", "image5.png: cannot be read."]
    assert batches.bad_files.listed().count("\n  image") == 2


def test_a_resumed_stream_with_bad_items_is_the_tail_of_the_whole(form):
    def dataset():
        return paired_dataset(Damaged(8), (4, 6), 3, sampler="rare_classes", skip_bad=2)

    whole = steps_of(dataset().stream(0, 40))
    for start in (7, 31):
        assert_same(steps_of(dataset().stream(start, 40)), whole[start:])
    assert_same(whole, [dataset().load_step(step, 40) for step in range(40)])


def test_what_takes_the_place_of_a_bad_item_is_drawn_uniformly():
    batches = paired_dataset(Damaged(8), (4, 6), 8, skip_bad=2)
    whole = items_of(steps_of(paired_dataset(numbered_source(8), (4, 6), 8).stream(0, 400)))[0]
    items = items_of([batches.load_step(step, 400) for step in range(400)])[0]
    counts = np.bincount(items[np.isin(whole, BAD)], minlength=8)[[i for i in range(8) if i not in BAD]]
    assert counts.sum() == 800 and stats.chisquare(counts).pvalue > ERROR_RATE


def test_another_seed_takes_others():
    def first(seed):
        return items_of([paired_dataset(Damaged(40, range(20)), (4, 6), 40, seed=seed, skip_bad=20).load_step(0)])[0]

    assert (first(0) == first(0)).all() and (first(0) != first(1)).any()


def test_too_many_are_listed_when_the_number_is_exceeded(form):
    batches = paired_dataset(Damaged(8, (1, 3, 6)), (4, 6), 4, skip_bad=2)
    with pytest.raises(Exception, match="of which 2 are tolerated"):
        steps_of(batches.stream(0, 20))
    message = str(batches.error)
    assert isinstance(batches.error, DataError) and message.startswith("Bad files: 3, of which 2 are tolerated:")
    assert [f"image{i}.png" in message for i in (1, 3, 6)] == [True] * 3


def test_nothing_but_bad_items():
    with pytest.raises(DataError, match=r"None of the 3 items can be used:\n  image\d.png"):
        list(paired_dataset(Damaged(3, range(3)), (4, 6), 1, skip_bad=9))


def test_a_bad_item_is_tried_once():
    source = Damaged(8)
    batches = paired_dataset(source, (4, 6), 1, skip_bad=2)
    for step in range(80):
        batches.load_step(step)
    assert source.reads.count(2) == source.reads.count(5) == 1


def test_halves_of_unpaired_data_share_the_number(form):
    images, labels = Damaged(8, (1,)), Damaged(8, (), (4,))
    batches = unpaired_dataset(images, labels, (4, 6), 2, skip_bad=2)
    steps = steps_of(batches.stream(0, 20))
    assert 1 not in image_items_of(steps)[0] and 4 not in items_of(steps)[0]
    assert sorted(batches.bad_files.messages) == ["image1.png: cannot be read.", "label4.png: label id 999 found."]
    batches = unpaired_dataset(images, labels, (4, 6), 2, skip_bad=1)
    with pytest.raises(Exception, match="of which 1 is tolerated"):
        steps_of(batches.stream(0, 20))


def test_evaluation_keeps_its_number_of_items(form):
    batches = paired_dataset(Damaged(7), (4, 6), 3, training=False, skip_bad=2)
    for passed in (list(batches), steps_of(batches.stream())):
        items = items_of(passed)[0]
        assert [len(label_map) for _, label_map in passed] == [3, 3, 1]
        assert [items[i] for i in (0, 1, 3, 4, 6)] == [0, 1, 3, 4, 6] and not set(BAD) & set(items)


def test_bad_label_maps_have_no_part_in_the_statistics(tmp_path):
    source = Damaged(8, (), BAD)
    bad = BadFiles(2)
    batches = paired_dataset(source, (4, 6), 4, sampler="rare_classes", skip_bad=bad, statistics_cache=tmp_path / "n.npz")
    assert len(bad.messages) == 2
    items = items_of(steps_of(batches.stream(0, 30)))[0]
    assert not set(BAD) & set(items)
    for cache in (None, tmp_path / "n.npz"):
        with pytest.raises(DataError, match=r"label2\.png"):
            class_statistics(source, cache)
    again = BadFiles(2)
    paired_dataset(source, (4, 6), 4, sampler="rare_classes", skip_bad=again, statistics_cache=tmp_path / "n.npz")
    assert again.messages == bad.messages
    source.bad_labels = ()  # what could not be read then can be now
    np.testing.assert_array_equal(class_statistics(source, tmp_path / "n.npz"), class_statistics(source))


def test_a_split_tolerates_bad_label_maps():
    with pytest.raises(DataError, match="label"):
        semi_paired_split(Damaged(8, (), range(8)), 0.5)
    bad = BadFiles(2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        paired, images, labels = semi_paired_split(Damaged(8, (), BAD), 0.5, skip_bad=bad)
    assert (len(paired), len(images), len(labels), len(bad.messages)) == (4, 4, 4, 2)


def test_a_folder_finds_its_classes_despite_bad_files(tmp_path):
    for name in "abc":
        write_pair(tmp_path, name)
    (tmp_path / "labels" / "b.png").write_bytes(encoded(IDS)[:50])
    with pytest.raises(DataError, match=r"b\.png: cannot be read"):
        Folder(tmp_path)
    bad = BadFiles(1)
    source = Folder(tmp_path, skip_bad=bad)
    assert source.label_space.num_classes == 3 and len(bad.messages) == 1
    image, _ = next(iter(paired_dataset(source, (10, 15), 3, skip_bad=bad)))
    assert image.shape == (3, 10, 15, 3) and len(bad.messages) == 1  # the same file counts once
    for name in "ac":
        (tmp_path / "labels" / f"{name}.png").unlink()
    with pytest.raises(DataError, match=r"None of the 1 label maps can be used:\n  .*b\.png"):
        Folder(tmp_path, images=None, skip_bad=3)


def test_a_file_that_vanishes_in_training_is_skipped(tmp_path, monkeypatch):
    monkeypatch.setattr("keras_semisis.data.stream.prepared_items.MEMORY_LIMIT", 0)  # every item is read each time
    for name in "abcd":
        write_pair(tmp_path, name)
    source = Folder(tmp_path, label_space=SPACE)
    batches = paired_dataset(source, (10, 15), 4, skip_bad=1)
    batches.load_step(0)
    (tmp_path / "images" / "c.png").unlink()
    assert batches.load_step(1)[0].shape == (4, 10, 15, 3)
    assert "c.png: the file has gone" in batches.bad_files.messages[0]


def test_a_number_that_is_none():
    with pytest.raises(ValueError, match="skip_bad=-1"):
        paired_dataset(numbered_source(3), (4, 6), 2, skip_bad=-1)


@pytest.mark.parametrize("kind", ["a palette of another order", "edges that were smoothed"])
def test_a_label_map_that_is_tolerated_as_bad_is_never_trained_on(tmp_path, kind):
    ids = np.repeat(np.repeat([[0, 1, 2, 0]], 8, 0), 8, 1).astype(np.uint8)
    for i in range(4):
        image = Image.fromarray(ids)
        if kind == "a palette of another order":
            image = Image.fromarray(ids, "P")
            image.putpalette([0, 0, 0, 1, 2, 3, 4, 5, 6] if i < 3 else [0, 0, 0, 4, 5, 6, 1, 2, 3])
        elif i == 3:
            image = Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64)).astype(np.uint8))
        for folder, picture in (("labels", image), ("images", Image.new("RGB", image.size))):
            (tmp_path / folder).mkdir(exist_ok=True)
            picture.save(tmp_path / folder / f"{i}.png")
    bad = BadFiles(1)
    source = Folder(tmp_path, skip_bad=bad)
    assert len(bad.errors) == 1 and "3.png" in bad.messages[0]
    with pytest.raises(DataError) as caught:
        source.load_label_map(3)
    assert str(caught.value) == bad.messages[0]
    with pytest.raises(DataError):
        source.label_map_bytes(3)
    batches = paired_dataset(source, (8, 32), 4, sampler="uniform", skip_bad=bad)
    for step in range(3):
        batches.load_step(step)
    assert len(bad.errors) == 1  # one file, and one error
