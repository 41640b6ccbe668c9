"""Batches with instance maps: what happens to a label map happens to its instance map."""

import keras
import numpy as np
import pytest

from keras_semisis.data import DataError, paired_dataset, training_stream
from keras_semisis.data.stream import batch_stream, pipeline
from keras_semisis.data.stream.batch_rule import BatchRule
from keras_semisis.data.stream.own_batches import own_batches
from tests.data.array_source import ArraySource

RULE = BatchRule(256, (5, 6), instances=True)


class WithInstances(ArraySource):
    """The instance of a pixel is a thousand times its class, and the image shows the class."""

    has_instances = True

    def load_instance_map(self, index):
        return self.label_maps[index].astype("int64") * 1000


def source(height=9, width=11):
    return WithInstances(np.random.default_rng(0).integers(0, 256, (4, height, width)), num_classes=256)


@pytest.mark.parametrize("tensorflow", [True, False])
@pytest.mark.parametrize("fit", ["stretch", "crop"])
def test_instance_maps_are_resized_cropped_and_flipped_as_their_label_maps(monkeypatch, tensorflow, fit):
    if not tensorflow:
        for module in (pipeline, batch_stream):
            monkeypatch.setattr(module, "optional_tensorflow", lambda: None)
    batches = paired_dataset(source(), (5, 6), 2, load_size=(7, 8), fit=fit, instances=True)
    assert batches.instances
    stream, seen = iter(training_stream([batches], 0, 6)), set()
    for _ in range(6):
        (image, label_map, instances), *_ = (keras.tree.map_structure(np.asarray, part) for part in next(stream))
        assert image.shape == (2, 5, 6, 3) and instances.dtype == np.int32
        np.testing.assert_array_equal(instances, 1000 * label_map)
        seen |= {part.tobytes() for part in label_map}
    assert len(seen) > 8  # they were cropped in many ways


def test_a_pass_in_order_and_the_label_maps_of_it():
    batches = paired_dataset(source(), (9, 11), 3, training=False, instances=True)
    assert [len(batch) for batch in batches] == [3, 3]
    for batch, maps in zip(batches, batches.label_maps(), strict=True):
        for ours, theirs in zip(batch[1:], maps, strict=True):
            np.testing.assert_array_equal(ours, theirs)
    assert [len(maps) for maps in paired_dataset(source(), (9, 11), 3, training=False).label_maps()] == [1, 1]


def test_nobody_reads_instances_unasked():
    class Guarded(WithInstances):
        @property
        def has_instances(self):
            raise AssertionError

        def load_instance_map(self, index):
            raise AssertionError

    plain = Guarded(source().label_maps, num_classes=256)
    assert [len(batch) for batch in paired_dataset(plain, (9, 11), 2, training=False)] == [2, 2]


def test_errors():
    with pytest.raises(DataError, match=r"no instance maps.*into a folder instances beside"):
        paired_dataset(ArraySource(source().label_maps, num_classes=256), (5, 6), 2, instances=True)

    class Smaller(WithInstances):
        def load_instance_map(self, index):
            return super().load_instance_map(index)[:, :-1]

    wrong = paired_dataset(Smaller(source().label_maps, num_classes=256), (5, 6), 2, instances=True)
    with pytest.raises(DataError, match=r"item000.: the label map is 9×11 .*, its instance map 9×10"):
        wrong.load_step(0)
    for given, wants, said in ((False, True, "lack instance maps, and the model reads"), (True, False, "have instance maps")):
        ours = paired_dataset(source(), (5, 6), 2, instances=given)
        with pytest.raises(DataError, match=rf"paired_ds: its batches {said}.*Give instances={wants}"):
            own_batches(ours, BatchRule(256, (5, 6), instances=wants), "paired_ds")


IMAGES, LABELS = np.zeros((4, 5, 6, 3), "uint8"), np.random.default_rng(0).integers(0, 256, (4, 5, 6))


@pytest.mark.parametrize("form", ["arrays", "list", "tf.data"])
def test_own_data_sets(form):
    parts = (IMAGES, LABELS, 1000 * LABELS)
    if form == "list":
        given = [tuple(part[i : i + 2] for part in parts) for i in (0, 2)]
    elif form == "tf.data":
        given = pytest.importorskip("tensorflow").data.Dataset.from_tensor_slices(parts).batch(2)
    else:
        given = parts
    data = own_batches(given, RULE, "paired_ds", batch_size=2)
    for batch in data:
        assert [part.dtype for part in batch] == ["float32", "int32", "int32"]
        np.testing.assert_array_equal(batch[2], 1000 * batch[1])
    ((_, label_map, instances),) = next(iter(training_stream([data], 0, 2)))
    np.testing.assert_array_equal(np.asarray(instances), 1000 * np.asarray(label_map))
    assert {len(maps) for maps in data.label_maps()} == {2}


def test_own_data_sets_that_are_wrong():
    with pytest.raises(DataError, match=r"2 parts, but \(images, label_maps, instances\) is expected, since the model reads"):
        own_batches((IMAGES, LABELS), RULE, "paired_ds")
    with pytest.raises(
        DataError, match=r"instance maps are \(4, 5, 5\) int64, but integers of the label maps' shape, \(4, 5, 6\)"
    ):
        own_batches((IMAGES, LABELS, LABELS[:, :, 1:]), RULE, "paired_ds")
    with pytest.raises(DataError, match=r"instance maps are .* float64, but integers"):
        own_batches((IMAGES, LABELS, LABELS.astype(float)), RULE, "paired_ds")
    with pytest.raises(DataError, match=r"3 parts, but \(images, label_maps\) is expected"):
        own_batches((IMAGES, LABELS, LABELS), BatchRule(256, (5, 6)), "paired_ds")
