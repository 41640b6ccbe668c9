"""Data sets that are not ours: every form is read, and what does not fit is refused with the line that converts it."""

import gc
import threading
import weakref
from collections import UserList
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from importlib.util import find_spec
from itertools import chain

import keras
import numpy as np
import pytest

from keras_semisis.data import DataError, training_stream
from keras_semisis.data.stream import own_batches as module
from keras_semisis.data.stream import pipeline
from keras_semisis.data.stream.batch_rule import BatchRule
from keras_semisis.data.stream.original_errors import original_errors
from keras_semisis.data.stream.own_batches import OwnBatches, own_batches
from tests.data.array_source import numbered_source

tf = pytest.importorskip("tensorflow")

SIZE, CLASSES = (6, 8), 4
RULE = BatchRule(CLASSES, SIZE)
_RNG = np.random.default_rng(0)
PHOTOS = _RNG.integers(0, 256, (4, *SIZE, 3)).astype("uint8")
PHOTOS[0, 0, :2] = [[0], [255]]  # so that a range is whole
IDS = _RNG.integers(0, CLASSES, (4, *SIZE)).astype("uint8")
GOOD = PHOTOS.astype("float32") / np.float32(127.5) - np.float32(1)
TARGET = (GOOD, IDS.astype("int32"))

# what a user may have, and the words that say what it is; the line at the end of the message makes the right batch of it
CONVERTED = {
    "photos from 0 to 1": ((PHOTOS / np.float32(255), IDS), "as if from 0 to 1"),
    "photos from 0 to 1 beyond their range": ((np.where(PHOTOS == 255, 1.04, PHOTOS / 255), IDS), "as if from 0 to 1"),
    "photos from 0 to 255": ((PHOTOS.astype("float32"), IDS), "as if from 0 to 255"),
    "photos int32": ((PHOTOS.astype("int32"), IDS), "int32 in 0..255"),
    "photos of 16 bits": ((PHOTOS.astype("uint16") * 257, IDS), "uint16 in 0..65535"),
    "photos of 16 bits as floats": ((PHOTOS.astype("float32") * 257, IDS), "floats in 0..6.554e.04"),
    "photos beyond their range": ((np.where(PHOTOS == 0, -1.02, GOOD), IDS), "a cubic filter"),
    "channels first": ((np.moveaxis(GOOD, -1, 1), IDS), r"\(4, 3, 6, 8\) float32, but \(B, 6, 8, 3\)"),
    "alpha": ((np.concatenate([GOOD, GOOD[..., :1]], -1), IDS), r"\(4, 6, 8, 4\)"),
    "label maps with an axis more": ((GOOD, IDS[..., None]), r"\(4, 6, 8, 1\) uint8, but \(B, 6, 8\) of class ids"),
    "label maps with an axis more, first": ((GOOD, IDS[:, None]), r"\(4, 1, 6, 8\)"),
    "one-hot": ((GOOD, np.eye(CLASSES, dtype="float32")[IDS]), "one-hot"),
    "one-hot, channels first": ((GOOD, np.moveaxis(np.eye(CLASSES)[IDS], -1, 1)), "one-hot"),
    "label maps of floats": ((GOOD, IDS.astype("float32")), "label maps are float32, but they must have an integer dtype"),
    "ids from 1": ((GOOD, IDS + 1), r"label id 4 \(.* pixels\) found, but the 4 classes are 0..3"),
}


@pytest.mark.parametrize("mapped", [False, True], ids=["NumPy", "tf.data"])
@pytest.mark.parametrize("name", CONVERTED)
def test_the_line_of_an_error_converts(name, mapped):
    arrays, words = CONVERTED[name]
    with pytest.raises(DataError, match=f"paired_ds: .*{words}") as raised:
        RULE.batch(arrays, "paired_ds", mapped=mapped)
    line = str(raised.value).split(": ")[-1] if not mapped else "dataset.map" + str(raised.value).split("dataset.map")[1]
    names = {
        "np": np,
        "tf": tf,
        "keras": keras,
        "image": arrays[0],
        "label_map": arrays[1],
        "dataset": tf.data.Dataset.from_tensors(arrays),
    }
    if mapped:
        converted = next(iter(eval(line, names)))
    else:
        exec(line, names)
        converted = names["image"], names["label_map"]
    image, label_map = RULE.batch(converted, "paired_ds")
    np.testing.assert_allclose(image, GOOD, atol=0.03 if "beyond" in name else 2e-6)
    np.testing.assert_array_equal(label_map, TARGET[1])


@pytest.mark.parametrize(("ignore", "target"), [(None, 4), (2, 2)])
@pytest.mark.parametrize("stray", [-1, 255])
def test_unlabeled_pixels_are_given_the_dont_care_class(stray, ignore, target):
    label_maps = np.where(IDS == 3, stray, IDS.astype("int32"))
    with pytest.raises(DataError, match=rf"label id {stray} \({(IDS == 3).sum()} pixels\) found") as raised:
        BatchRule(CLASSES, SIZE, ignore).label_maps(label_maps, "generate")
    assert ("num_classes=5, ignore_class=4" in str(raised.value)) == (ignore is None)
    names = {"np": np, "label_map": label_maps}
    exec(str(raised.value).split(": ")[-1], names)
    np.testing.assert_array_equal(names["label_map"], np.where(IDS == 3, target, IDS))


@pytest.mark.parametrize("ignore", [None, 2])
@pytest.mark.parametrize(("stray", "dtype"), [(-1, "int32"), (2**32 - 1, "uint32")])
def test_negative_ids_are_refused_where_nobody_knows_the_number_of_classes(stray, dtype, ignore):
    rule, label_maps = BatchRule(None, SIZE, ignore), np.where(IDS == 3, stray, IDS.astype("int64")).astype(dtype)
    with pytest.raises(DataError, match=rf"label id {stray} \({(IDS == 3).sum()} pixels\) found, but class ids") as raised:
        rule.label_maps(label_maps, "generate")
    names = {"np": np, "label_map": label_maps, "C": 200}
    exec(str(raised.value).split(": ")[-1], names)
    np.testing.assert_array_equal(rule.label_maps(names["label_map"], ""), np.where(IDS == 3, ignore or 200, IDS))
    assert rule.label_maps(IDS == 3, "").max() == 1


def test_classes_may_be_fewer_where_ids_are_spare():
    for number, exactly, with_spare in ((3, False, True), (4, True, True), (5, False, False)):
        assert (BatchRule(4, SIZE).takes(number), BatchRule(4, SIZE, spare=True).takes(number)) == (exactly, with_spare)
        assert BatchRule(None, SIZE).takes(number)


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ((GOOD, IDS + 0.5), "resized by interpolation"),
        ((np.where(PHOTOS == 255, np.nan, GOOD), IDS), "NaN"),
        ((GOOD, IDS[:3]), "4 photos and 3 label maps"),
        ((GOOD[0], IDS[0]), r"image = image\[None\]"),
        ((GOOD, np.repeat(IDS, 2, 1)), "by nearest neighbor"),
        ((GOOD, np.stack([IDS] * 3, -1)), "look like colors"),
        ((GOOD * 2.2, IDS), "standardized"),
        ((GOOD, IDS, IDS), "3 parts"),
        ({"image": GOOD, "label": IDS}, "a dictionary of 'image', 'label'"),
    ],
)
def test_what_no_line_converts_is_named(arrays, words):
    with pytest.raises(DataError, match=words):
        RULE.batch(arrays, "paired_ds")


def test_later_batches_are_looked_at_for_ids_and_nan_alone():
    dark = np.zeros_like(GOOD)
    assert RULE.batch((dark, IDS), "", first=False)[0].dtype == np.float32
    with pytest.raises(DataError, match="NaN"):
        RULE.batch((dark * np.nan, IDS), "", first=False)
    with pytest.raises(DataError, match="label id 9"):
        RULE.batch((dark, IDS + 9), "", first=False)


class Numbered(keras.utils.PyDataset):
    """Two batches of two items."""

    def __init__(self, images, label_maps):
        super().__init__()
        self.arrays = images, label_maps

    def __len__(self):
        return 2

    def __getitem__(self, index):
        return tuple(array[2 * index : 2 * index + 2] for array in self.arrays)


def test_a_data_set_of_keras_is_told_of_the_end_of_an_epoch():
    told = []

    class Told(Numbered):
        def on_epoch_end(self):
            told.append(len(self))

    for dataset in (Told(PHOTOS, IDS), [(PHOTOS, IDS)], (PHOTOS, IDS)):
        OwnBatches(dataset, RULE, "here").end_epoch()
    assert told == [2]


class Loader:
    """What a PyTorch DataLoader is to us: an iterable of lists, which begins anew each time."""

    def __init__(self, images, label_maps):
        self.batches = Numbered(images, label_maps)

    def __iter__(self):
        return (list(self.batches[i]) for i in range(2))

    def __len__(self):
        return 2


FORMS = {
    "tf.data": lambda images, label_maps: tf.data.Dataset.from_tensor_slices((images, label_maps)).batch(2),
    "PyDataset": Numbered,
    "list": lambda *arrays: [Numbered(*arrays)[i] for i in range(2)],
    "iterable": Loader,
    "tensors": lambda *arrays: [tuple(map(keras.ops.convert_to_tensor, Numbered(*arrays)[i])) for i in range(2)],
}


def torch_loader(images, label_maps):
    """As PyTorch has it: channels first, label maps of int64."""
    import torch

    arrays = np.moveaxis(np.asarray(images), 3, 1), np.asarray(label_maps).astype("int64")
    return torch.utils.data.DataLoader(torch.utils.data.TensorDataset(*map(torch.from_numpy, arrays)), batch_size=2)


if find_spec("torch"):
    FORMS |= {
        "DataLoader": torch_loader,
        "DataLoader of NumPy arrays": lambda *arrays: torch_loader(*arrays).__class__(
            list(zip(*arrays, strict=True)), batch_size=2
        ),
    }


@pytest.fixture(params=["tf.data", "numpy"])
def form(request, monkeypatch):
    """Both forms of the stream of training."""
    if request.param == "numpy":
        from keras_semisis.data.stream import pipeline

        monkeypatch.setattr(pipeline, "optional_tensorflow", lambda: None)
    return request.param


def steps_of(stream):
    return list(stream.as_numpy_iterator()) if isinstance(stream, tf.data.Dataset) else [stream[i] for i in range(len(stream))]


def expected(step):
    return [array[2 * (step % 2) : 2 * (step % 2) + 2] for array in TARGET]


@pytest.mark.filterwarnings("ignore:.*a resume is not exact")
@pytest.mark.parametrize("name", FORMS)
def test_every_form_is_read_again_and_again_and_converted(name, form):
    if name == "tf.data" and form == "numpy":
        pytest.skip("there is no tf.data without TensorFlow")
    data = OwnBatches(FORMS[name](PHOTOS, IDS), RULE, "paired_ds")
    assert len(data) == 2
    for steps in [[step[0] for step in steps_of(training_stream([data], 0, 5))], list(data), list(data)]:
        for step, (image, label_map) in enumerate(steps):
            np.testing.assert_allclose(image, expected(step)[0], atol=1e-6)
            np.testing.assert_array_equal(label_map, expected(step)[1])
            assert image.dtype == np.float32 and label_map.dtype == np.int32


@pytest.mark.filterwarnings("ignore:.*a resume is not exact")
@pytest.mark.parametrize("name", FORMS)
def test_every_form_is_checked(name):
    late = IDS.copy()
    late[3, 0, 0] = 77
    for arrays, words in (((PHOTOS / 255, IDS), "as if from 0 to 1"), ((GOOD, late), r"label id 77 \(1 pixel\)")):
        data = OwnBatches(FORMS[name](*arrays), RULE, "paired_ds")
        with pytest.raises(DataError, match=f"paired_ds: .*{words}"), original_errors([data]):
            steps_of(training_stream([data], 0, 5))
        with pytest.raises(DataError, match=words):
            list(data)


def test_an_error_lets_the_iterator_go_that_it_has_ended():
    """Where garbage is collected inside a callback of tf.data, the end of an iterator would wait for that callback."""
    data, iterators = OwnBatches(FORMS["list"](GOOD, IDS + 9), RULE, "paired_ds"), []

    def read():
        iterator = iter(training_stream([data], 0, 5))
        iterators.append(weakref.ref(iterator))
        next(iterator)

    gc.collect()
    gc.disable()
    try:
        with pytest.raises(DataError, match="label id") as raised, original_errors([data]):
            read()
        assert iterators[0]() is None and raised.value is data.error
    finally:
        gc.enable()


def test_a_resume_of_a_list_is_exact_and_of_an_iterable_is_not(form):
    step = steps_of(training_stream([OwnBatches(FORMS["list"](GOOD, IDS), RULE, "paired_ds")], 3, 4))[0][0]
    np.testing.assert_array_equal(step[1], expected(1)[1])
    with pytest.warns(UserWarning, match="paired_ds: a Loader is read from its beginning .* a resume is not exact"):
        stream = training_stream([OwnBatches(Loader(GOOD, IDS), RULE, "paired_ds")], 3, 4)
    np.testing.assert_array_equal(steps_of(stream)[0][0][1], expected(0)[1])


@pytest.mark.filterwarnings("ignore:.*a resume is not exact")
def test_a_generator_is_read_once_in_order_and_says_when_it_has_ended(form):
    data = OwnBatches((batch for batch in FORMS["list"](GOOD, IDS) * 2), RULE, "paired_ds", kept=3)
    with pytest.raises(TypeError, match="how many batches"):
        len(data)
    steps = steps_of(training_stream([data], 0, 4))
    for number, step in enumerate(steps):
        np.testing.assert_array_equal(step[0][1], expected(number)[1])
    assert [len(label_map) for (label_map,) in data.label_maps()] == [2, 2, 2]
    ended = OwnBatches((batch for batch in FORMS["list"](GOOD, IDS)), RULE, "paired_ds")
    with pytest.raises(DataError, match="this generator has no batches any more"), original_errors([ended]):
        steps_of(training_stream([ended], 0, 3))


def numbered_arrays(count):
    """Photos and label maps that say which item they are of."""
    photos = np.zeros((count, *SIZE, 3), "uint8") + np.arange(count, dtype="uint8")[:, None, None, None]
    return photos, np.zeros((count, *SIZE), "int64") + np.arange(count)[:, None, None]


def numbers(batches):
    return [
        (np.rint((image[:, 0, 0, 0] + 1) * 127.5).astype(int).tolist(), label_map[:, 0, 0].tolist())
        for image, label_map in batches
    ]


def test_arrays_are_shuffled_in_pairs_every_pass_anew_and_exactly(form):
    rule = BatchRule(6, SIZE)
    data = own_batches(numbered_arrays(6), rule, "paired_ds", batch_size=3)
    steps = numbers(step[0] for step in steps_of(training_stream([data], 0, 4)))
    assert all(images == label_maps for images, label_maps in steps)
    passes = [[*chain(*(images for images, _ in steps[i : i + 2]))] for i in (0, 2)]
    assert [sorted(items) for items in passes] == [[*range(6)]] * 2 and passes[0] != passes[1]
    assert numbers(step[0] for step in steps_of(training_stream([data], 2, 4))) == steps[2:]


def test_unpaired_arrays_have_orders_of_their_own_and_any_number():
    photos, _ = numbered_arrays(6)
    _, label_maps = numbered_arrays(4)
    data = own_batches((photos, label_maps), BatchRule(6, SIZE), "unpaired_ds", batch_size=2, paired=False)
    assert len(data) == 3
    drawn = numbers(data)
    assert sorted(chain(*(images for images, _ in drawn))) == [*range(6)]
    assert sorted([*chain(*(ids for _, ids in drawn))][:4]) == [*range(4)]
    with pytest.raises(DataError, match="6 photos, but 4 label maps"):
        own_batches((photos, label_maps), BatchRule(6, SIZE), "paired_ds")


def test_unpaired_arrays_of_one_number_meet_by_chance_alone():
    data = own_batches(numbered_arrays(40), BatchRule(40, SIZE), "unpaired_ds", batch_size=40, paired=False)
    ((images, ids),) = numbers(data)
    assert sorted(images) == sorted(ids) == [*range(40)]
    assert np.equal(images, ids).sum() < 10  # one is expected


def test_arrays_to_evaluate_on_come_in_order_and_the_last_batch_is_smaller():
    data = own_batches(numbered_arrays(5), BatchRule(5, SIZE), "evaluate", batch_size=2, training=False)
    assert [images for images, _ in numbers(data)] == [[0, 1], [2, 3], [4]]


def test_all_ids_of_arrays_are_checked_at_the_beginning():
    photos, label_maps = numbered_arrays(200)
    with pytest.raises(DataError, match=r"label id 199 \(48 pixels\)"):
        own_batches((photos, label_maps), BatchRule(199, SIZE), "paired_ds")


@pytest.mark.parametrize(
    ("dataset", "error", "words"),
    [
        (numbered_source(3), TypeError, "paired_ds is a .*Source.* Give what paired_dataset"),
        (3, TypeError, "paired_ds is a int"),
        ([], DataError, "the data set is empty"),
        ((PHOTOS[:0], IDS[:0]), DataError, "the data set is empty"),
        ((PHOTOS, IDS, IDS), DataError, "3 parts"),
        (tf.data.Dataset.from_tensor_slices(PHOTOS).batch(2), DataError, "TensorSpec alone, but"),
        (tf.data.Dataset.from_tensor_slices((PHOTOS, IDS)).take(0), DataError, "the data set is empty"),
    ],
)
def test_what_is_no_data_set_is_refused(dataset, error, words):
    with pytest.raises(error, match=words):
        own_batches(dataset, RULE, "paired_ds")


def test_data_sets_of_ours_must_fit_the_model(monkeypatch):
    from keras_semisis.data import paired_dataset

    batches = paired_dataset(numbered_source(4), (4, 6), 2)
    classes = batches.label_space.num_classes
    assert own_batches(batches, BatchRule(classes, (4, 6)), "paired_ds") is batches
    assert own_batches(batches, BatchRule(None, (None, None)), "paired_ds") is batches
    with pytest.raises(DataError, match=r"\(4, 6\) \(height, width\), but the model takes \(6, 8\)"):
        own_batches(batches, BatchRule(classes, SIZE), "paired_ds")
    with pytest.raises(DataError, match=f"label maps have {classes} classes, but the model has {classes + 1}"):
        own_batches(batches, BatchRule(classes + 1, (4, 6)), "paired_ds")


def test_threads_that_ask_in_any_order_get_an_iterable_in_order():
    in_order = module._InOrder(iter("abcd"), 5)
    assert [in_order(step) for step in (7, 5, 6, 8)] == ["c", "a", "b", "d"]


class Meeting:
    """Two batches; in the first two calls each waits for the other, for so many seconds."""

    def __init__(self, seconds, **options):
        super().__init__(**options)
        self.barrier, self.seconds, self.met = threading.Barrier(2), seconds, False

    def __len__(self):
        return 2

    def __getitem__(self, index):
        with suppress(threading.BrokenBarrierError):
            self.barrier.wait(self.seconds)
            self.met = True
        return PHOTOS, IDS


class MeetingOfKeras(Meeting, keras.utils.PyDataset):
    pass


class MeetingInASequence(Meeting, UserList):
    pass


@pytest.mark.parametrize(("workers", "own"), [(None, True), (1, True), (1, False), (2, True), (2, False)])
def test_a_data_set_that_asks_for_no_workers_is_called_by_one_thread_at_a_time(workers, own, monkeypatch):
    dataset = MeetingInASequence(1) if workers is None else MeetingOfKeras(60 if workers > 1 else 1, workers=workers)
    monkeypatch.setattr(pipeline, "optional_tensorflow", lambda: None)
    stream = training_stream([OwnBatches(dataset, RULE, "here") if own else dataset])
    monkeypatch.setattr(stream, "_pool", ThreadPoolExecutor(2))
    assert len(stream[0][0]) == len(stream[1][0]) == 2
    assert dataset.met == (workers == 2)
