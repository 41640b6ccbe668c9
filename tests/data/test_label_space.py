import numpy as np
import pytest

from keras_semisis.data import DataError, LabelSpace
from keras_semisis.data.label_space import distinct_colours


def space(number, ignore_class=None):
    return LabelSpace([f"c{i}" for i in range(number)], distinct_colours(number), ignore_class)


def test_stray_ids_are_named_with_their_counts_and_a_remedy():
    label_map = np.array([[0, 1, 255], [2, 255, 99]])
    with pytest.raises(DataError) as error:
        space(3, ignore_class=2).check(label_map, "street.png")
    message = str(error.value)
    assert message.startswith("street.png: label id 99 (1 pixels), 255 (2 pixels)")
    assert "0..2" in message and "id_map={99: 2}" in message and "unlabelled" in message


def test_a_mask_of_0_and_255_gets_its_own_hint():
    with pytest.raises(DataError, match=r"mask of 0 and 255.*id_map=\{255: 1\}"):
        space(2).check(np.array([[0, 255]]), "mask.png")


def test_negative_ids_are_stray():
    with pytest.raises(DataError, match=r"-1 \(2 pixels\)"):
        space(3).check(np.array([[-1, -1, 0]]), "street.png")


def test_label_maps_within_the_space_pass_unchanged():
    label_map = np.arange(6, dtype=np.uint8).reshape(2, 3)
    assert space(6).check(label_map, "street.png") is label_map


def test_colours_are_distinct():
    assert len(set(distinct_colours(256))) == 256
    assert distinct_colours(16)[15] == (192, 128, 128)  # PASCAL VOC's "person"


@pytest.mark.parametrize("ignore_class", [3, -1])
def test_ignore_class_must_be_a_class(ignore_class):
    with pytest.raises(ValueError, match="not one of the class ids"):
        space(3, ignore_class)


@pytest.mark.parametrize("colour", [(0, 0, 256), (-1, 0, 0), (0, 0), (0, 0, 0, 255)])
def test_colours_are_three_bytes(colour):
    with pytest.raises(ValueError, match=r"colour of class 1 is .* red, green and blue, each in 0\.\.255"):
        LabelSpace(["a", "b"], [(0, 0, 0), colour])


def test_names_and_colours_must_agree_in_number():
    with pytest.raises(ValueError, match="2 class names, but 1 palette"):
        LabelSpace(["a", "b"], [(0, 0, 0)])
