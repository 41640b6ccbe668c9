import numpy as np
import pytest
from keras import ops

from keras_semisis.gans.engines import engine
from keras_semisis.layers import DiffAugment

RNG = np.random.default_rng(0)
IMAGE = RNG.uniform(-1, 1, (6, 16, 24, 3)).astype("float32")
LABELS = RNG.integers(0, 5, (6, 16, 24)).astype("int32")
IGNORE = 9


def applied(layer, x, random):
    return ops.convert_to_numpy(layer([x, random.astype("float32")]))


def test_color_equals_its_formula_and_leaves_label_maps():
    random = RNG.uniform(size=(6, 3)).astype("float32")
    layer = DiffAugment(("color",))
    for x, (brightness, saturation, contrast), y in zip(IMAGE, random, applied(layer, IMAGE, random), strict=True):
        x = x + brightness - 0.5
        gray = x.mean(-1, keepdims=True)
        x = gray + 2 * saturation * (x - gray)
        x = x.mean() + (contrast + 0.5) * (x - x.mean())
        np.testing.assert_allclose(y, x, atol=1e-5)
    np.testing.assert_array_equal(applied(layer, LABELS, random), LABELS)


def shifted(x, down, right, fill):
    y = np.full_like(x, fill)
    height, width = x.shape[:2]
    for i, j in np.ndindex(height, width):
        if 0 <= i - down < height and 0 <= j - right < width:
            y[i, j] = x[i - down, j - right]
    return y


def test_translation_equals_a_loop_and_reaches_an_eighth():
    # at both ends, and between
    random = np.array([[0, 0], [0.9999, 0.9999], [0.5, 0.5], [0.3, 0.8], [0, 0.9999], [0.7, 0.2]], "float32")
    shifts = np.floor(random * [2 * 2 + 1, 2 * 3 + 1]).astype(int) - [2, 3]
    assert shifts.min(0).tolist() == [-2, -3] and shifts.max(0).tolist() == [2, 3]
    layer = DiffAugment(("translation",), fill_class=IGNORE)
    images, labels = applied(layer, IMAGE, random), applied(layer, LABELS, random)
    for i, (down, right) in enumerate(shifts):
        np.testing.assert_array_equal(images[i], shifted(IMAGE[i], down, right, 0))
        np.testing.assert_array_equal(labels[i], shifted(LABELS[i], down, right, IGNORE))
    assert labels.dtype == LABELS.dtype


def test_cutout_blanks_one_rectangle_of_half_of_each_side():
    random = np.array([[0, 0], [0.9999, 0.9999], [0.5, 0.5], [0.3, 0.8], [0.1, 0.6], [0.7, 0.2]], "float32")
    layer = DiffAugment(("cutout",), fill_class=IGNORE)
    images, labels = applied(layer, IMAGE, random), applied(layer, LABELS, random)
    for i, (vertical, horizontal) in enumerate(random):
        blank = np.zeros((16, 24), bool)
        top, left = int(vertical * 17) - 4, int(horizontal * 25) - 6
        blank[max(top, 0) : top + 8, max(left, 0) : left + 12] = True
        np.testing.assert_array_equal(images[i] == 0, np.repeat(blank[..., None], 3, -1))
        np.testing.assert_array_equal(labels[i], np.where(blank, IGNORE, LABELS[i]))
        np.testing.assert_array_equal(images[i][~blank], IMAGE[i][~blank])


def test_gradient_reaches_exactly_the_pixels_that_are_left():
    random = ops.convert_to_tensor(RNG.uniform(size=(6, 4)).astype("float32"))
    layer = DiffAugment(("translation", "cutout"))
    ones = ops.convert_to_tensor(np.ones_like(IMAGE))
    gradient = ops.convert_to_numpy(engine.input_gradient(lambda x: ops.sum(layer([x, random])), ones, ()))
    left = ops.convert_to_numpy(layer([ones, random]))
    assert set(np.unique(gradient)) == {0.0, 1.0}
    assert gradient.sum() == left.sum() > 0


def test_the_three_are_applied_in_the_order_given():
    random = RNG.uniform(size=(6, 7)).astype("float32")
    layer = DiffAugment()
    assert layer.num_random == 7
    x = applied(DiffAugment(("color",)), IMAGE, random[:, :3])
    x = applied(DiffAugment(("translation",)), x, random[:, 3:5])
    x = applied(DiffAugment(("cutout",)), x, random[:, 5:])
    np.testing.assert_allclose(applied(layer, IMAGE, random), x, atol=1e-6)


@pytest.mark.parametrize("policy", [("hue",), (), "color"])
def test_unknown_policies_are_refused(policy):
    with pytest.raises(ValueError, match="expected a tuple of 'color', 'translation', 'cutout'"):
        DiffAugment(policy)


def test_label_maps_need_a_class_to_be_filled_with():
    with pytest.raises(ValueError, match="label maps need fill_class"):
        DiffAugment(("cutout",))([LABELS, np.zeros((6, 2), "float32")])
