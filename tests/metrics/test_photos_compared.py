"""What two differences of photos refuse. What they find is in their docstrings."""

import numpy as np
import pytest

from keras_semisis.metrics import flicker, region_difference

PHOTOS, MASK = np.zeros((3, 4, 5, 3), "uint8"), np.zeros((3, 4, 5), bool)


@pytest.mark.parametrize("number", [1, 2, 4])
def test_a_label_map_for_each_frame(number):
    with pytest.raises(ValueError, match=f"3 photos, but {number} label maps"):
        flicker(PHOTOS, np.zeros((number, 4, 5), int))


def test_floats_are_not_cut_to_integers():
    floats = np.full(PHOTOS.shape, -0.9, "float32")
    for pair in ((floats, PHOTOS), (PHOTOS, floats)):
        with pytest.raises(ValueError, match="photos are float32, expected uint8") as caught:
            region_difference(*pair, MASK)
    advised = str(caught.value).partition("take ")[2].rstrip(".")
    photos = eval(advised, {"np": np, "photos": floats})
    assert region_difference(photos, PHOTOS, MASK)["outside"] == 13
    with pytest.raises(ValueError, match="expected uint8"):
        flicker(floats, MASK.astype(int))


def test_one_photo_is_not_compared_with_several():
    with pytest.raises(ValueError, match=r"photos have the shape \(3, 4, 5, 3\), others \(1, 4, 5, 3\)"):
        region_difference(PHOTOS, PHOTOS[:1], MASK)
