import json
import subprocess
import sys
from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from scipy import stats

from keras_semisis.data import (
    CamVid,
    DataError,
    Folder,
    class_statistics,
    paired_dataset,
    rare_class_probabilities,
    semi_paired_split,
    training_stream,
    unpaired_dataset,
)
from keras_semisis.data.sources.one_sided import ImagesOnly
from keras_semisis.data.stream import batch_stream as batch_stream_module
from keras_semisis.data.stream import pipeline
from keras_semisis.data.stream.step_dataset import StepDataset
from tests.conftest import ROOT, SHARED, needs_shared
from tests.data.array_source import ArraySource, numbered_source

# Statistical tests reject what is correct with this probability (once: the draws are fixed by their seed).
ERROR_RATE = 1e-4


@pytest.fixture(params=["tensorflow", "numpy"])
def form(request, monkeypatch):
    """Both forms of a stream: a tf.data.Dataset, and the PyDataset where TensorFlow is not installed."""
    if request.param == "numpy":
        for module in (batch_stream_module, pipeline):
            monkeypatch.setattr(module, "optional_tensorflow", lambda: None)
    return request.param


def steps_of(stream, number=None):
    """The elements of a stream in either form, as NumPy."""
    if isinstance(stream, tf.data.Dataset):
        stream = stream if number is None else stream.take(number)
        return list(stream.as_numpy_iterator())
    return [stream[i] for i in range(len(stream) if number is None else number)]


def assert_same(first, second):
    assert len(first) == len(second)
    for one, other in zip(first, second, strict=True):
        for a, b in zip(keras.tree.flatten(one), keras.tree.flatten(other), strict=True):
            assert a.dtype == b.dtype
            np.testing.assert_array_equal(a, b)


def items_of(batches):
    """Which items of a numbered source the label maps show, and which of them are flipped."""
    label_maps = np.concatenate([label_map for _, label_map in batches])
    return label_maps[:, 0, 2], label_maps[:, 0, 0] == label_maps[:, 0, 2]


def image_items_of(batches):
    images = np.round((np.concatenate([image for image, _ in batches]) + 1) * 127.5).astype(int)
    return images[:, 0, 2, 0], images[:, 0, 0, 0] == images[:, 0, 2, 0]


def long_tailed_source(number=16):
    """Item 0 alone holds class 2, item 1 a little of class 1: p_0 and p_1 are far from 1 / number."""
    label_maps = np.zeros((number, 4, 8), np.uint8)
    label_maps[0, :2] = 2
    label_maps[1, 0, :4] = 1
    images = np.empty((number, 4, 8, 3), np.uint8)
    images[:] = np.arange(number)[:, None, None, None]
    return ArraySource(label_maps, images=images, num_classes=3)


# Batches


def test_batches_are_what_the_networks_read():
    batches = paired_dataset(numbered_source(10), image_size=(8, 12), batch_size=3)
    assert (batches.batch_size, batches.image_size, len(batches)) == (3, (8, 12), 3)
    assert batches.label_space.num_classes == 256
    for _ in range(2):
        passed = list(batches)
        assert len(passed) == 3
        for image, label_map in passed:
            assert image.shape == (3, 8, 12, 3) and image.dtype == np.float32
            assert label_map.shape == (3, 8, 12) and label_map.dtype == np.int32


def test_the_range_of_an_image_is_minus_one_to_one():
    images = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1).repeat(3, axis=3)
    source = ArraySource(np.zeros((1, 16, 16)), images=images)
    image = next(iter(paired_dataset(source, (16, 16), 1, training=False)))[0]
    np.testing.assert_allclose(image[0, ..., 1].ravel(), np.arange(256) / 255 * 2 - 1, atol=1e-6)
    assert image.min() == -1 and image.max() == 1


def test_evaluation_is_in_order_unflipped_and_keeps_the_last_batch(form):
    batches = paired_dataset(numbered_source(7), (4, 6), batch_size=3, sampler="rare_classes", training=False)
    assert len(batches) == 3
    for passed in (list(batches), steps_of(batches.stream())):
        assert [len(label_map) for _, label_map in passed] == [3, 3, 1]
        items, flipped = items_of(passed)
        assert items.tolist() == list(range(7)) and not flipped.any()


def test_evaluation_of_unpaired_sources_repeats_the_shorter(form):
    batches = unpaired_dataset(numbered_source(2), numbered_source(5), (4, 6), batch_size=3, training=False)
    for passed in (list(batches), steps_of(batches.stream())):
        assert items_of(passed)[0].tolist() == [0, 1, 2, 3, 4]
        assert image_items_of(passed)[0].tolist() == [0, 1, 0, 1, 0]


def test_a_source_smaller_than_a_batch_repeats_in_training(form):
    batches = paired_dataset(numbered_source(3), (4, 6), batch_size=8)
    assert len(batches) == 1
    items, _ = items_of(steps_of(batches.stream(0, 3)))
    assert np.bincount(items).tolist() == [8, 8, 8]


def test_every_pass_of_training_sees_every_item_once(form):
    items, _ = items_of(steps_of(paired_dataset(numbered_source(12), (4, 6), 4).stream(0, 9)))
    for seen in items.reshape(3, 12):
        assert sorted(seen) == list(range(12))


def test_pairs_are_flipped_together_half_of_the_time():
    batches = list(paired_dataset(numbered_source(100), (4, 6), 10).stream(0, 100).as_numpy_iterator())
    items, flipped = items_of(batches)
    image_items, images_flipped = image_items_of(batches)
    np.testing.assert_array_equal(items, image_items)
    np.testing.assert_array_equal(flipped, images_flipped)
    assert stats.binomtest(int(flipped.sum()), len(flipped)).pvalue > ERROR_RATE


def test_unpaired_halves_are_drawn_and_flipped_independently():
    source = numbered_source(20)
    batches = list(unpaired_dataset(source, source, (4, 6), 10).stream(0, 200).as_numpy_iterator())
    items, flipped = items_of(batches)
    image_items, images_flipped = image_items_of(batches)
    table = np.array(
        [
            [(flipped & images_flipped).sum(), (flipped & ~images_flipped).sum()],
            [(~flipped & images_flipped).sum(), (~flipped & ~images_flipped).sum()],
        ]
    )
    assert stats.chisquare(table.ravel()).pvalue > ERROR_RATE
    assert stats.binomtest(int((items == image_items).sum()), len(items), 1 / 20).pvalue > ERROR_RATE
    assert np.bincount(items).tolist() == np.bincount(image_items).tolist() == [100] * 20


def test_unpaired_sources_may_differ_in_number():
    batches = unpaired_dataset(numbered_source(5), numbered_source(9), (4, 6), 2)
    assert len(batches) == 4
    passed = list(batches.stream(0, 45).as_numpy_iterator())
    assert np.bincount(image_items_of(passed)[0]).tolist() == [18] * 5
    assert np.bincount(items_of(passed)[0]).tolist() == [10] * 9


def test_crops_are_uniform_and_common_to_image_and_label_map():
    label_maps = np.arange(48, dtype=np.uint8).reshape(1, 6, 8)
    batches = paired_dataset(ArraySource(label_maps), (4, 6), 10, load_size=(6, 8))
    corners = []
    for image, label_map in batches.stream(0, 60).as_numpy_iterator():
        np.testing.assert_array_equal(np.round((image[..., 0] + 1) * 127.5), label_map)
        for one in label_map:
            one = one if one[0, 1] > one[0, 0] else one[:, ::-1]
            top, left = divmod(int(one[0, 0]), 8)
            np.testing.assert_array_equal(one, label_maps[0, top : top + 4, left : left + 6])
            corners.append(top * 3 + left)
    assert stats.chisquare(np.bincount(corners, minlength=9)).pvalue > ERROR_RATE


def test_evaluation_is_not_cropped():
    label_maps = np.arange(48, dtype=np.uint8).reshape(1, 6, 8)
    cropped, plain = (
        paired_dataset(ArraySource(label_maps), (4, 6), 1, load_size=load_size, training=False) for load_size in ((6, 8), None)
    )
    assert_same(list(cropped), list(plain))


# Streams


@pytest.mark.parametrize("sampler", pipeline.SAMPLERS)
def test_a_resumed_stream_is_the_tail_of_the_whole(form, sampler):
    batches = paired_dataset(long_tailed_source(), (4, 8), 3, sampler=sampler)
    whole = steps_of(batches.stream(0, 90))
    for start in (1, 44, 45, 46, 80):
        assert_same(steps_of(batches.stream(start, 90)), whole[start:])


def test_a_resumed_unpaired_stream_is_the_tail_of_the_whole(form):
    batches = unpaired_dataset(numbered_source(11), numbered_source(7), (4, 6), 3, load_size=(6, 9))
    assert_same(steps_of(batches.stream(5, 80)), steps_of(batches.stream(0, 80))[5:])


@pytest.mark.parametrize("sampler", pipeline.SAMPLERS)
def test_both_forms_are_the_same(sampler):
    batches = paired_dataset(long_tailed_source(), (4, 8), 3, sampler=sampler)
    assert_same(steps_of(batches.stream(0, 70)), [batches.load_step(step, 70) for step in range(70)])
    assert_same(steps_of(batches.stream(40), 50), [batches.load_step(step) for step in range(40, 90)])
    assert_same(list(batches), [batches.load_step(step) for step in range(len(batches))])


def test_another_seed_is_another_stream(form):
    def first(seed):
        return items_of(steps_of(paired_dataset(numbered_source(50), (4, 6), 10, seed=seed).stream(0, 2)))

    assert (first(0)[0] == first(0)[0]).all()
    assert (first(0)[0] != first(1)[0]).any() and (first(0)[1] != first(1)[1]).any()


@pytest.mark.parametrize(("sampler", "rare_half"), [("rare_classes", 0), ("rare_classes_second_half", 1)])
def test_sampler_switches_at_half_of_training(form, sampler, rare_half):
    source = long_tailed_source()
    batches = paired_dataset(source, (4, 8), 4, sampler=sampler).stream(0, 801)  # first half: steps 0..400
    steps = steps_of(batches)
    halves = [image_items_of(steps[:401])[0], image_items_of(steps[401:])[0]]
    p = rare_class_probabilities(class_statistics(source))
    counts = np.bincount(halves[rare_half], minlength=16)
    assert stats.chisquare(counts, p * counts.sum()).pvalue > ERROR_RATE
    assert np.ptp(np.bincount(halves[1 - rare_half], minlength=16)) <= 2  # whole passes, but for their ends


def test_dont_care_is_no_rare_class():
    source = long_tailed_source()
    source.label_space = replace(source.label_space, ignore_class=2)
    batches = paired_dataset(source, (4, 8), 4, sampler="rare_classes")
    counts = np.bincount(image_items_of([batches.load_step(step) for step in range(400)])[0], minlength=16)
    p = rare_class_probabilities(class_statistics(source), ignore_class=2)
    assert stats.chisquare(counts, p * counts.sum()).pvalue > ERROR_RATE


@pytest.mark.parametrize("sampler", ["uniform", "rare_classes", "rare_classes_second_half"])
def test_label_maps_of_one_pass_are_those_that_there_are(sampler):
    """A network that draws is to know what it will draw: no rare class more often than it is there."""
    maps = [
        label_map
        for (part,) in paired_dataset(long_tailed_source(), (4, 8), 4, sampler=sampler).label_maps()
        for label_map in part
    ]
    assert len(maps) == 16 and [sum((label_map == k).any() for label_map in maps) for k in (1, 2)] == [1, 1]


def test_without_an_end_every_step_is_of_the_first_half(form):
    source = long_tailed_source()
    counts = {}
    for sampler in ("rare_classes", "rare_classes_second_half"):
        stream = paired_dataset(source, (4, 8), 4, sampler=sampler).stream(1000)
        counts[sampler] = np.bincount(image_items_of(steps_of(stream, 160))[0], minlength=16)
    assert counts["rare_classes"][0] > 4 * counts["rare_classes"][5]
    assert set(counts["rare_classes_second_half"]) == {40}


def test_forms_and_lengths_of_a_stream(form):
    batches = paired_dataset(numbered_source(9), (4, 6), 2)
    if form == "tensorflow":
        stream = batches.stream(2, 7)
        assert stream.cardinality() == 5
        assert batches.stream().cardinality() == tf.data.INFINITE_CARDINALITY
        assert stream.element_spec[0].shape == (2, 4, 6, 3) and stream.element_spec[1].shape == (2, 4, 6)
    else:
        assert isinstance(batches.stream(2, 7), keras.utils.PyDataset)
        assert batches.stream(2, 7).num_batches == 5 and batches.stream().num_batches is None


@pytest.mark.parametrize(("start", "total"), [(-1, 5), (5, 5), (9, 5)])
def test_a_start_outside_of_training_is_refused(form, start, total):
    batches = paired_dataset(numbered_source(4), (4, 6), 2)
    with pytest.raises(ValueError, match="is not one of the steps"):
        batches.stream(start, total)
    with pytest.raises(ValueError, match="is not one of the steps"):
        training_stream([batches], start, total)


# Errors


def damaged_folder(root):
    for i in range(6):
        for folder, mode in (("images", "RGB"), ("labels", "L")):
            (root / folder).mkdir(exist_ok=True)
            Image.new(mode, (6, 4)).save(root / folder / f"{i}.png")
    (root / "images" / "3.png").write_bytes((root / "images" / "3.png").read_bytes()[:40])
    return Folder(root)


_ENDS_WITH_AN_ITERATOR = """
import time
import numpy as np
from keras_semisis.data import paired_dataset
from keras_semisis.data.stream import prepared_items
from tests.data.array_source import ArraySource

class Slow(ArraySource):
    def load(self, index):
        time.sleep(0.01)
        return super().load(index)

prepared_items.MEMORY_LIMIT = 0
zeros = np.zeros((400, 256, 512), np.uint8)
data = paired_dataset(Slow(zeros, images=np.zeros((400, 256, 512, 3), np.uint8), num_classes=2), (256, 512), 2)
iterator = iter(data.stream())
for _ in range(5):
    next(iterator)
print("done", flush=True)
"""


def test_a_program_ends_while_an_iterator_is_alive():
    done = subprocess.run([sys.executable, "-c", _ENDS_WITH_AN_ITERATOR], capture_output=True, text=True, timeout=120)
    assert done.stdout == "done\n" and done.returncode == 0 and "Error" not in done.stderr.replace("CUDA error", "")


def test_no_stream_of_ours_waits_for_a_sleeping_thread_when_it_ends():
    """`fit` now and then took up to a minute to return: autotuning's thread had missed that its data set was gone."""
    data = paired_dataset(numbered_source(4), (4, 6), 2)
    of_tensorflow = data.stream().prefetch(tf.data.AUTOTUNE)

    def autotuned(stream):
        return stream.options().autotune.enabled

    assert autotuned(data.stream()) is False and autotuned(training_stream([data, data], total_steps=3)) is False
    assert autotuned(training_stream([data, of_tensorflow])) is True
    assert autotuned(training_stream([tf.data.Dataset.range(3).batch(1)])) is True


def test_iterating_raises_the_original_error(tmp_path):
    batches = paired_dataset(damaged_folder(tmp_path), (4, 6), 2)
    with pytest.raises(DataError, match=r"3\.png"):
        list(batches)


def test_a_stream_keeps_the_original_error(form, tmp_path):
    batches = paired_dataset(damaged_folder(tmp_path), (4, 6), 2)
    stream = batches.stream(0, 6)
    assert batches.error is None
    with pytest.raises(Exception, match=r"3\.png"):
        steps_of(stream)
    assert isinstance(batches.error, DataError) and "3.png" in str(batches.error)
    batches.stream(0, 6)
    assert batches.error is None


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        (dict(sampler="rare"), ValueError, "'uniform', 'rare_classes'"),
        (dict(image_size=(4,)), ValueError, "height, width"),
        (dict(load_size=(3, 9)), ValueError, "crop"),
        (dict(batch_size=0), ValueError, "at least 1"),
        (dict(source=numbered_source(3).subset([])), DataError, "larger ratio.*USIS"),
    ],
)
def test_arguments_that_do_not_work(changes, error, message):
    arguments = dict(source=numbered_source(3), image_size=(4, 6), batch_size=2)
    with pytest.raises(error, match=message):
        paired_dataset(**(arguments | changes))


@pytest.mark.parametrize(
    "call", [lambda source: paired_dataset(source, (4, 6), 2), lambda source: semi_paired_split(source, 0.5), class_statistics]
)
def test_photos_alone_are_no_pairs(call):
    with pytest.raises(ValueError, match=r"source= has no label maps \(its label_space is None\)"):
        call(ImagesOnly(numbered_source(4), range(4)))


def test_empty_unpaired_sources():
    source = numbered_source(3)
    with pytest.raises(DataError, match="unpaired images is empty"):
        unpaired_dataset(source.subset([]), source, (4, 6), 2)
    with pytest.raises(DataError, match="unpaired labels is empty"):
        unpaired_dataset(source, source.subset([]), (4, 6), 2)
    _, images, _ = semi_paired_split(source, 0)
    with pytest.raises(ValueError, match="no label maps"):
        unpaired_dataset(source, images, (4, 6), 2)


# The stream of fit


def test_training_stream_zips_data_sets_of_any_lengths(form):
    paired = paired_dataset(long_tailed_source(5), (4, 8), 2, sampler="rare_classes")
    unpaired = unpaired_dataset(numbered_source(7), numbered_source(3), (4, 6), 3)
    steps = steps_of(training_stream([paired, unpaired], 4, 30))
    assert_same([step[0] for step in steps], [paired.load_step(k, 30) for k in range(4, 30)])
    assert_same([step[1] for step in steps], [unpaired.load_step(k, 30) for k in range(4, 30)])
    only = steps_of(training_stream([paired]), 3)
    assert all(len(step) == 1 for step in only)
    assert_same([step[0] for step in only], [paired.load_step(k) for k in range(3)])


def test_training_stream_repeats_other_data_sets():
    arrays = (np.arange(6, dtype=np.float32).reshape(3, 2, 1, 1, 1), np.arange(6).reshape(3, 2, 1, 1))
    raw = tf.data.Dataset.from_tensor_slices(arrays)
    ours = StepDataset(lambda step: (arrays[0][step], arrays[1][step]), 0, 3)
    stream = training_stream([raw, ours], 0, 7)
    assert stream.cardinality() == 7
    for step, (first, second) in enumerate(steps_of(stream)):
        assert_same([first, second], [(arrays[0][step % 3], arrays[1][step % 3])] * 2)
    resumed = steps_of(training_stream([ours], 4, 7))
    assert_same([step[0] for step in resumed], [(arrays[0][k % 3], arrays[1][k % 3]) for k in (4, 5, 6)])


def test_training_stream_says_that_a_raw_data_set_starts_over():
    raw = tf.data.Dataset.from_tensors((np.zeros((1, 2, 2, 3)), np.zeros((1, 2, 2))))
    with pytest.warns(UserWarning, match="not exact"):
        training_stream([raw], 3, 5)


def test_training_stream_refuses_what_cannot_train(form):
    with pytest.raises(ValueError, match="Data set 1 was made with training=False"):
        batches = [paired_dataset(numbered_source(4), (4, 6), 2, training=flag) for flag in (True, False)]
        training_stream(batches)
    with pytest.raises(TypeError, match="Data set 0 is a list"):
        training_stream([[1, 2]])


WITHOUT_TENSORFLOW = """
import sys

sys.modules["tensorflow"] = None  # importing it raises ModuleNotFoundError, as where it is not installed

import json
import keras
import numpy as np
from keras_semisis.data import paired_dataset, rejection_sample, training_stream, unpaired_dataset
from tests.data.array_source import numbered_source

class Seen(keras.Model):
    def __init__(self):
        super().__init__()
        self.scale = self.add_weight(shape=())
        self.built = True

    def call(self, pair):
        return keras.ops.mean(pair[0]) * self.scale

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return keras.ops.mean(y[0]) * y_pred + 0.0 * keras.ops.cast(keras.ops.sum(x[1]), "float32")

source = numbered_source(8)
paired = paired_dataset(source, (4, 6), 4, sampler="rare_classes")
unpaired = unpaired_dataset(source, source, (4, 6), 4)
stream = training_stream([paired, unpaired], 2, 12)
items = [step[0][1][:, 0, 2].tolist() for step in (stream[i] for i in range(10))]
model = Seen()
model.compile(optimizer="sgd", run_eagerly=True)
history = model.fit(stream, epochs=2, steps_per_epoch=5, verbose=0)
endless = model.fit(training_stream([paired, unpaired]), steps_per_epoch=3, verbose=0)
try:
    rejection_sample([1.0])
    message = ""
except ImportError as error:
    message = str(error)
print(json.dumps({"items": items, "epochs": len(history.history["loss"]), "message": message,
                  "tensorflow": sys.modules["tensorflow"] is not None}))
"""


@pytest.mark.skipif(keras.backend.backend() == "tensorflow", reason="runs where KERAS_BACKEND is jax or torch")
def test_without_tensorflow_fit_reads_the_same_draws():
    ran = subprocess.run(
        [sys.executable, "-c", WITHOUT_TENSORFLOW],
        text=True,
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    result = json.loads(ran.stdout.splitlines()[-1])
    paired = paired_dataset(numbered_source(8), (4, 6), 4, sampler="rare_classes")
    assert result["items"] == [x[1][:, 0, 2].tolist() for x in steps_of(paired.stream(2, 12))]
    assert result["epochs"] == 2 and not result["tensorflow"]
    assert "needs TensorFlow" in result["message"]


@needs_shared("data/camvid")
def test_camvid_end_to_end(form, tmp_path):
    train = CamVid(SHARED / "data" / "camvid", split="train")
    paired, images, labels = semi_paired_split(train, ratio=0.1, seed=0)
    assert (len(paired), len(images), len(labels)) == (37, 330, 330)
    cache = tmp_path / "statistics.npz"
    paired_ds = paired_dataset(paired, (64, 96), 8, sampler="rare_classes", statistics_cache=cache)
    unpaired_ds = unpaired_dataset(images, labels, (64, 96), 8)
    assert cache.exists() and (len(paired_ds), len(unpaired_ds)) == (4, 41)
    for (image, label_map), (other_image, _) in steps_of(training_stream([paired_ds, unpaired_ds], 3, 6)):
        assert image.shape == other_image.shape == (8, 64, 96, 3) and label_map.shape == (8, 64, 96)
        # Sky is brighter than road in these photos; between images and other label maps it need not be.
        assert image[label_map == 0].mean() > image[label_map == 3].mean()
        assert label_map.max() <= 11 and np.abs(image).max() <= 1
