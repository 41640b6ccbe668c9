import numpy as np
import pytest
from PIL import Image

from keras_semisis.data.pictures.resizing import resize_image, resize_label_map

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("size", [(5, 7), (13, 40), (20, 31), (41, 64), (1, 1)])
def test_label_maps_are_resized_as_pillow_does(size):
    label_map = RNG.integers(0, 256, (20, 31)).astype(np.uint8)
    expected = np.asarray(Image.fromarray(label_map).resize(size[::-1], Image.Resampling.NEAREST))
    np.testing.assert_array_equal(resize_label_map(label_map, size), expected)
    wide = label_map.astype(np.int32) * 1000
    np.testing.assert_array_equal(resize_label_map(wide, size), expected.astype(np.int32) * 1000)


def test_images_keep_a_gradient_and_their_mean_when_they_shrink():
    ramp = np.broadcast_to(np.arange(0, 240, 4, dtype=np.uint8)[None, :, None], (30, 60, 3))
    small = resize_image(np.ascontiguousarray(ramp), (10, 20))
    np.testing.assert_allclose(small[5, 2:-2, 0], 4 + 12 * np.arange(2, 18) + 0, atol=2)
    checkers = np.ascontiguousarray(
        np.broadcast_to((np.indices((32, 32)).sum(axis=0) % 2 * 255).astype(np.uint8)[..., None], (32, 32, 3))
    )
    assert abs(resize_image(checkers, (8, 8)).mean() - 127.5) < 3  # antialiased: no moiré
