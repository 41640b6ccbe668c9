"""Label ids, sizes and classes around a segmenter, against the published tables and loops."""

import csv
from dataclasses import replace

import keras
import numpy as np
import pytest
from PIL import Image

from keras_semisis.data import Cityscapes, LabelSpace
from keras_semisis.metrics import PROTOCOLS, GeneratedMeanIoU
from keras_semisis.metrics.protocols import IGNORED, SegmentationRule
from keras_semisis.metrics.protocols.rule_scores import RuleScores
from keras_semisis.metrics.protocols.rule_segmenter import RuleSegmenter, rule_for
from keras_semisis.metrics.protocols.segmentation_rule import DEEPLAB, DRN, PLAIN_RULES, UPERNET, own_rule
from tests.conftest import SHARED, needs_shared
from tests.models.test_inception_v3_fid import bilinear as bilinear_by_hand


def space_of(names, ignore_class=None):
    return LabelSpace(names, [(i % 256, 0, 0) for i in range(len(names))], ignore_class)


def table(name):
    with open(SHARED / "data" / "classes" / f"{name}.csv", newline="") as file:
        return list(csv.DictReader(file))


@needs_shared("data/classes")
def test_label_ids_are_those_of_the_published_tables():
    train_ids = {int(row["label_id"]): int(row["train_id"]) for row in table("cityscapes")}
    expected = [train_ids[i] if 0 <= train_ids[i] < 19 else IGNORED for i in (*range(34), -1)]
    assert list(Cityscapes.train_ids) == expected == list(DRN.label_ids)
    assert sorted(set(Cityscapes.train_ids)) == [*range(19), 255]
    # the library's id is that of the file, where 0 is unknown; a channel is one less
    assert list(UPERNET.label_ids) == [IGNORED, *(int(row["index"]) - 1 for row in table("ade20k"))]
    assert list(DEEPLAB.label_ids) == [IGNORED, *(int(row["id"]) for row in table("coco_stuff"))]
    for rules in (PROTOCOLS["oasis2021"].segmentation, PLAIN_RULES):
        for rule, name, column in zip(rules, ("cityscapes", "ade20k", "coco_stuff"), ("name", "name", "name"), strict=True):
            names = [row[column] for row in table(name)]
            names = names if name == "cityscapes" else ["unknown", *names]
            assert rule.fits(space_of(names), rule.num_outputs)


def test_channels():
    label_map = np.array([[[7, 0], [34, 33]]], np.uint8)
    assert DRN.channels(label_map).tolist() == [[[0, 255], [255, 18]]]
    own = own_rule(space_of(["a", "b", "void"], ignore_class=2))
    assert own.channels(np.array([0, 1, 2])).tolist() == [0, 1, 255]
    # 255 is a class of its own where there are that many
    many = own_rule(space_of([str(i) for i in range(300)], ignore_class=3))
    assert (many.ignored, many.label_ids[3], many.label_ids[255]) == (300, 300, 255)


@pytest.mark.parametrize(
    "size, expected",
    [
        # short side 300 .. 600 of a square: rounded up to multiples of 32
        ((256, 256), [(320, 320), (384, 384), (480, 480), (544, 544), (608, 608)]),
        # the long side stays at most 1000: 600 would be 1200
        ((256, 512), [(320, 608), (384, 768), (480, 928), (512, 1024), (512, 1024)]),
    ],
)
def test_sizes_of_the_multi_scale_test(size, expected):
    assert UPERNET.input_sizes(size) == expected
    assert DRN.input_sizes(size) == DEEPLAB.input_sizes(size) == [size]


def convolution(size, classes, name="segmenter", stride=1):
    """A linear segmenter: what it does can be computed by hand."""
    image = keras.Input((*size, 3))
    layer = keras.layers.Conv2D(classes, 1, stride, name="logits")
    model = keras.Model(image, layer(image), name=name)
    kernel = np.random.default_rng(0).normal(size=(1, 1, 3, classes))
    layer.set_weights([kernel, np.zeros(classes)])
    return model, kernel[0, 0]


@pytest.mark.parametrize("eight_bit", [True, False])
def test_scales_are_averaged_after_the_softmax(eight_bit):
    rule = SegmentationRule("two sizes", tuple(range(5)), 5, short_sides=(20, 50), multiple_of=8)
    network, kernel = convolution((None, None), 5)
    images = np.random.default_rng(1).uniform(-1, 1, (2, 16, 24, 3)).astype("float32")
    found = RuleSegmenter(network, rule, (16, 24), eight_bit)(images)
    total = np.zeros((2, 16, 24, 5))
    for height, width in ((24, 32), (56, 80)):
        for b, image in enumerate(images):
            if eight_bit:
                photo = Image.fromarray(np.rint((image + 1) * 127.5).astype(np.uint8))
                resized = np.asarray(photo.resize((width, height), Image.Resampling.BILINEAR)) / 127.5 - 1
            else:
                channels = [Image.fromarray(image[..., c]) for c in range(3)]
                resized = np.stack([np.asarray(c.resize((width, height), Image.Resampling.BILINEAR)) for c in channels], -1)
            logits = bilinear_by_hand(resized @ kernel, (16, 24))
            total[b] += np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    top = np.sort(total, axis=-1)
    clear = top[..., -1] - top[..., -2] > 1e-3
    assert clear.mean() > 0.9
    np.testing.assert_array_equal(found[clear], total.argmax(-1)[clear])


def test_probabilities_are_no_logits():
    """A second softmax would flatten them."""
    rule = SegmentationRule("two sizes", (0, 1), 2, short_sides=(20, 50), multiple_of=8)
    segmenter = RuleSegmenter(lambda images: np.full((*images.shape[:3], 2), 0.5), rule, (16, 24), eight_bit=False)
    with pytest.raises(ValueError, match="returns probabilities, but the rule 'two sizes'"):
        segmenter(np.zeros((1, 16, 24, 3), "float32"))


def test_a_segmenter_of_one_size_is_fitted_where_the_rule_allows_it():
    network, _ = convolution((32, 32), 3, stride=4)
    rule = own_rule(space_of(["a", "b", "void"], ignore_class=1))
    segmenter = RuleSegmenter(network, rule, (16, 24), eight_bit=False)
    assert segmenter.input_sizes == [(32, 32)]
    answers = segmenter(np.random.default_rng(2).uniform(-1, 1, (2, 16, 24, 3)).astype("float32"))
    assert answers.shape == (2, 16, 24) and set(np.unique(answers)) == {0, 2}  # never the don't-care class
    with pytest.raises(ValueError, match=r"takes images of \(32, 32\) alone.*--protocol native"):
        RuleSegmenter(network, replace(rule, fits_segmenter=False), (16, 24), eight_bit=False)


def test_a_dont_care_class_that_is_answered_is_missed_and_has_no_score():
    label_maps = np.array([[[0, 0, 1, 1], [0, 0, 2, 1]]])
    answers = np.array([[[0, 2, 1, 1], [0, 0, 0, 1]]])
    space = space_of(["a", "b", "void"], ignore_class=2)
    metrics = [
        RuleScores(lambda images: answers, PROTOCOLS["native"], space, (2, 4)),
        GeneratedMeanIoU(lambda images: answers, ignore_class=2, num_classes=3),
    ]
    for metric in metrics:
        metric.update_real(label_maps, np.zeros((1, 2, 4, 3)))
        metric.update_generated(label_maps, np.zeros((1, 2, 4, 3)))
        assert metric.result()["miou"] == metric.result()["miou_real"] == (3 / 4 + 1) / 2


def test_wrong_answers_are_refused():
    rule = SegmentationRule("three", (0, 1, 2), 3)
    for shape in ((2, 8, 8, 4), (2, 4, 4), (2, 3)):
        segmenter = RuleSegmenter(lambda images, shape=shape: np.zeros(shape), rule, (8, 8), eight_bit=False)
        with pytest.raises(ValueError, match=r"expected logits \(B, h, w, 3\) or a label map \(B, 8, 8\)"):
            segmenter(np.zeros((2, 8, 8, 3), "float32"))


def test_answers_that_are_no_numbers_are_refused():
    rule = SegmentationRule("three", (0, 1, 2), 3)
    segmenter = RuleSegmenter(lambda images: np.full((1, 8, 8, 3), np.nan), rule, (8, 8), eight_bit=False)
    with pytest.raises(ValueError, match="not a number; check its weights"):
        segmenter(np.zeros((1, 8, 8, 3), "float32"))


def test_the_rule_follows_from_the_classes():
    protocol = PROTOCOLS["oasis2021"]
    streets = space_of([f"class {i}" for i in range(35)])
    assert rule_for(protocol, streets, convolution((8, 8), 19)[0]) is DRN
    assert rule_for(protocol, streets, convolution((8, 8), 35)[0]).name == "own classes"
    assert rule_for(PROTOCOLS["native"], streets, convolution((8, 8), 19)[0]) is PLAIN_RULES[0]
    assert rule_for(protocol, streets, lambda images: images).name == "own classes"
    with pytest.raises(ValueError, match="The segmenter has 20 classes and the label maps 35"):
        rule_for(protocol, streets, convolution((8, 8), 20)[0])
    with pytest.raises(ValueError, match="class 7 is 'cat', not 'road'"):
        rule_for(protocol, space_of(["cat"] * 35), convolution((8, 8), 19)[0])
