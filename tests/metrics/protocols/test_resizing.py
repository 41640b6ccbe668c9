"""Resizes against Pillow's and PyTorch's."""

import numpy as np
import pytest
from PIL import Image

from keras_semisis.metrics.protocols.resizing import (
    bilinear,
    pillow_bicubic_299,
    pillow_bilinear,
    softmax,
)
from tests.models.test_inception_v3_fid import bilinear as bilinear_by_hand

PHOTOS = np.random.default_rng(0).integers(0, 256, (2, 20, 34, 3), dtype=np.uint8)


@pytest.mark.parametrize("size", [(64, 96), (7, 9)])
def test_pillow_on_eight_bits(size):
    expected = [np.asarray(Image.fromarray(photo).resize(size[::-1], Image.Resampling.BILINEAR)) for photo in PHOTOS]
    np.testing.assert_array_equal(pillow_bilinear(PHOTOS, size), expected)
    # floats: the same filter, unrounded
    floats = pillow_bilinear(PHOTOS.astype("float32"), size)
    assert np.abs(floats - expected).max() <= 1.01 and floats.dtype == np.float32


def test_the_clean_resize_is_antialiased_unrounded_and_clipped():
    photos = np.random.default_rng(1).choice([90, 160], (1, 600, 900, 3)).astype(np.uint8)
    resized = pillow_bicubic_299(photos)
    eight_bit = np.asarray(Image.fromarray(photos[0]).resize((299, 299), Image.Resampling.BICUBIC))
    # Pillow rounds twice, and its weights to 22 bits
    assert np.abs(resized[0] - eight_bit).max() <= 1.1 and (resized % 1 != 0).any()
    # noise at the finest scale is averaged away; picking pixels would leave all of it
    assert resized.std() < 0.6 * photos.std()
    enlarged = pillow_bicubic_299(np.random.default_rng(2).choice([0, 255], (1, 10, 10, 3)).astype(np.uint8))
    assert enlarged.min() == 0 and enlarged.max() == 255


@pytest.mark.parametrize("size", [(299, 299), (9, 50)])
def test_bilinear_has_half_pixel_centres_and_no_antialiasing(size):
    maps = np.random.default_rng(2).normal(size=(2, 20, 34, 5)).astype("float32")
    found = bilinear(maps, size)
    np.testing.assert_allclose(found, [bilinear_by_hand(m.astype("float64"), size) for m in maps], atol=1e-4)
    torch = pytest.importorskip("torch")
    theirs = torch.nn.functional.interpolate(
        torch.from_numpy(maps.transpose(0, 3, 1, 2)), size, mode="bilinear", align_corners=False
    )
    np.testing.assert_allclose(found, theirs.numpy().transpose(0, 2, 3, 1), atol=1e-5)
    np.testing.assert_array_equal(bilinear(maps, (20, 34)), maps)


def test_softmax():
    logits = np.random.default_rng(3).normal(size=(2, 3, 4, 5)).astype("float32")
    expected = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    np.testing.assert_allclose(softmax(logits), expected, rtol=1e-5)
