import json
from dataclasses import replace

import keras
import numpy as np
import pytest
from PIL import Image

from keras_semisis.cli.messages import option_words
from keras_semisis.data import ADE20K, CamVid, Cityscapes, COCOStuff, DataError, LabelSpace
from keras_semisis.data.argument_error import ArgumentError
from keras_semisis.data.labels.distinct_colors import distinct_colors
from keras_semisis.data.labels.label_space import unnamed_classes


def space(number, ignore_class=None):
    return LabelSpace([f"c{i}" for i in range(number)], distinct_colors(number), ignore_class)


def test_stray_ids_are_named_with_their_counts_and_a_remedy():
    label_map = np.array([[0, 1, 255], [2, 255, 0]])
    with pytest.raises(DataError) as error:
        space(3, ignore_class=2).check(label_map, "street.png")
    assert str(error.value) == (
        "street.png: label id 255 (2 pixels) found, but the 3 classes are 0..2; 255 usually marks "
        "unlabeled pixels. Give id_map={255: 2}, the don't-care class."
    )


def test_ids_that_only_the_user_knows_are_mapped_to_no_class_of_ours():
    words = r"99 \(1 pixel\), 255 \(2 pixels\).*Say by id_map= which class each of them is"
    with pytest.raises(DataError, match=words) as error:
        space(3, ignore_class=2).check(np.array([[0, 1, 255], [2, 255, 99]]), "street.png")
    assert [remedy.settings for remedy in error.value.remedies] == [{"id_map": ...}]


def test_a_don_t_care_class_is_added_after_the_others():
    void = space(3).with_void()
    assert (void.class_names, void.ignore_class, len(set(void.palette))) == (("c0", "c1", "c2", "void"), 3, 4)
    assert void.palette[:3] == space(3).palette and void.with_void() is void


def test_a_mask_of_0_and_255_gets_its_own_hint():
    with pytest.raises(DataError, match=r"mask of 0 and 255.*id_map=\{255: 1\}"):
        space(2).check(np.array([[0, 255]]), "mask.png")


def test_negative_ids_are_stray():
    with pytest.raises(DataError, match=r"-1 \(2 pixels\)"):
        space(3).check(np.array([[-1, -1, 0]]), "street.png")


def test_label_maps_within_the_space_pass_unchanged():
    label_map = np.arange(6, dtype=np.uint8).reshape(2, 3)
    assert space(6).check(label_map, "street.png") is label_map


def test_colors_are_distinct():
    assert len(set(distinct_colors(256))) == 256
    assert distinct_colors(16)[15] == (192, 128, 128)  # PASCAL VOC's "person"


@pytest.mark.parametrize("ignore_class", [3, -1])
def test_ignore_class_must_be_a_class(ignore_class):
    with pytest.raises(ValueError, match="not one of the class ids"):
        space(3, ignore_class)


@pytest.mark.parametrize("color", [(0, 0, 256), (-1, 0, 0), (0, 0), (0, 0, 0, 255)])
def test_colors_are_three_bytes(color):
    with pytest.raises(ValueError, match=r"color of class 1 is .* red, green and blue, each in 0\.\.255"):
        LabelSpace(["a", "b"], [(0, 0, 0), color])


def test_names_and_colors_must_agree_in_number():
    with pytest.raises(ValueError, match="2 class names, but 1 palette"):
        LabelSpace(["a", "b"], [(0, 0, 0)])


# The rule of stored ids


def write(path, array):
    Image.fromarray(np.asarray(array)).save(path)
    return path


STORED = [[0, 181], [255, 7]]


@pytest.mark.parametrize(
    ("label_space", "classes"),
    [
        (COCOStuff.label_space, [[1, 182], [0, 8]]),
        (COCOStuff.label_space.with_ids({7: 0}), [[1, 182], [0, 0]]),
        (LabelSpace([f"c{i}" for i in range(300)], distinct_colors(300), id_map={0: 299}), [[299, 181], [255, 7]]),
    ],
)
def test_a_file_is_read_by_the_rule_of_the_label_space(tmp_path, label_space, classes):
    for dtype in (np.uint8, np.uint16):
        path = write(tmp_path / f"{np.dtype(dtype)}.png", np.array(STORED, dtype))
        assert label_space.read(path).tolist() == label_space.read(str(path)).tolist() == classes
        assert label_space.of_stored_ids(np.array(STORED, dtype), "array").tolist() == classes


def test_benchmarks_have_their_rule_without_any_data(tmp_path):
    path = write(tmp_path / "a.png", np.array([[0, 33, 255]], np.uint8))
    assert Cityscapes.label_space.read(path).tolist() == [[0, 33, 34]]
    with pytest.raises(DataError, match=r"a\.png: label id 255 \(1 pixel\) found, which this data set has not: .* 0\.\.150"):
        ADE20K.label_space.read(path)
    with pytest.raises(DataError, match=r"a\.png: label id 33 .*, 255"):
        CamVid.label_space.read(path)


def test_colors_and_missing_files_are_read_by_the_label_space_too(tmp_path):
    path = write(tmp_path / "a.png", space(4).colorize(np.array([[3, 1]])))
    assert space(4).with_ids({3: 0}).read(path).tolist() == [[3, 1]]  # the rule is of stored ids; a color is that of a class
    with pytest.raises(DataError, match=r"none\.png: the file has gone"):
        space(4).read(tmp_path / "none.png")


def test_a_rule_to_a_class_that_there_is_not_is_refused(tmp_path):
    for label_space, last in ((COCOStuff.label_space, 182), (space(3), 2), (space(3).with_void(), 3)):
        for stray in (last + 1, -1):
            with pytest.raises(
                ArgumentError, match=rf"^id_map=\{{255: {stray}\}}: the classes are 0\.\.{last}\. Name"
            ) as error:
                label_space.with_ids({255: stray, 254: last})
            assert error.value.worded(option_words(["id_map"])).startswith(f"--id-map 255={stray}: the classes")
        assert label_space.with_ids({255: last}).of_stored_ids(np.array([255], "uint8"), "a").tolist() == [last]
    path = write(tmp_path / "a.png", np.array([[255]], np.uint8))
    with pytest.raises(DataError, match=r"a\.png: label id 999"):
        replace(space(3), id_map={255: 999}).read(path)
    with pytest.raises(ValueError, match=r"id_map=\{'255': 1\}"):
        space(3).with_ids({"255": 1})


@pytest.mark.parametrize(
    "label_space", [COCOStuff.label_space, Cityscapes.label_space, space(3), space(3, 2).with_ids({255: 2})]
)
def test_a_label_space_comes_back_from_json_and_from_keras(label_space):
    again = LabelSpace.from_config(json.loads(json.dumps(label_space.get_config())))
    by_keras = keras.saving.deserialize_keras_object(json.loads(json.dumps(keras.saving.serialize_keras_object(label_space))))
    for loaded in (again, by_keras):
        assert loaded == label_space and hash(loaded) == hash(label_space)
        assert (loaded.id_map, loaded.all_ids) == (label_space.id_map, label_space.all_ids)


def test_rules_make_label_spaces_different_and_leave_the_texts_of_fingerprints():
    assert space(3).with_ids({255: 2}) != space(3)
    assert repr(space(2, 1).with_ids({5: 1})) == "LabelSpace(class_names=('c0', 'c1'), ignore_class=1)"
    assert space(2).with_ids({np.uint8(5): 1}).id_rule == "StoredIds(id_map={5: 1}, all_ids=False)"
    assert space(2).with_ids({}).id_rule == "StoredIds(id_map={}, all_ids=False)"


def test_other_names_or_another_order_are_refused_with_both_lists():
    named = [
        LabelSpace(names, distinct_colors(3))
        for names in (("sky", "road", "car"), ("Sky ", "ROAD", "car"), ("road", "sky", "car"), ("sky", "road", "bus"))
    ]
    named[0].require_same_classes(named[1], "a", "b")
    named[0].require_same_classes(LabelSpace(unnamed_classes(3), distinct_colors(3)), "a", "b")
    LabelSpace(unnamed_classes(3), distinct_colors(3)).require_same_classes(named[0], "a", "b")
    for other, listed in ((named[2], "0 road, 1 sky, 2 car"), (named[3], "0 sky, 1 road, 2 bus"), (space(2), "0 c0, 1 c1")):
        with pytest.raises(DataError, match="classes of the data are not those of the model") as error:
            named[0].require_same_classes(other, "the model", "the data")
        assert f"The model: 0 sky, 1 road, 2 car. The data: {listed}." in str(error.value)
    with pytest.raises(DataError, match="are not those of"):
        LabelSpace(unnamed_classes(3), distinct_colors(3)).require_same_classes(space(2), "a", "b")


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_stored_ids_are_mapped_at_once_and_others_refused_where_all_are_named(dtype):
    swapped = LabelSpace("abc", [(0, 0, 0)] * 3, id_map={1: 2, 2: 1})
    assert swapped.of_stored_ids(np.array([[0, 1, 2]], dtype), "a.png").tolist() == [[0, 2, 1]]
    named = LabelSpace("ab", [(0, 0, 0)] * 2, id_map={7: 0, 9: 1}, all_ids=True)
    assert named.of_stored_ids(np.array([[7, 9]], dtype), "a.png").tolist() == [[0, 1]]
    with pytest.raises(DataError, match=r"label id 1 \(1 pixel\)"):
        named.of_stored_ids(np.array([[7, 1]], dtype), "a.png")
