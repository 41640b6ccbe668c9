"""Photos of several bands of 16 bits: every value is read whole, and by its range."""

import numpy as np
import pytest
from PIL import Image

from keras_semisis.data import DataError
from keras_semisis.data.pictures.decoding import decode_image
from keras_semisis.data.pictures.sixteen_bits import colors_of_16_bits
from tests.data.pictures.written import chunk, png_of_16_bits, tiff, tiff_in_planes

_RNG = np.random.default_rng(0)
VALUES = _RNG.integers(0, 2**16, (5, 7, 4)).astype(np.uint16)
COLORS = VALUES[..., :3]
FORMS = {
    "PNG": lambda values: png_of_16_bits(values[..., :3]),
    "PNG with alpha": png_of_16_bits,
    "TIFF": lambda values: tiff(values[..., :3], 2),
    "TIFF, big endian": lambda values: tiff(values[..., :3], 2, order=">"),
    "TIFF, compressed": lambda values: tiff(values[..., :3], 2, compressed=True),
    "TIFF, big endian and compressed": lambda values: tiff(values[..., :3], 2, compressed=True, order=">"),
    "TIFF with alpha": lambda values: tiff(values, 2, (2,)),
    "TIFF with a fourth band": lambda values: tiff(values, 2, (0,)),
}


@pytest.mark.parametrize("form", FORMS)
def test_values_are_read_whole(form):
    content = FORMS[form](VALUES)
    np.testing.assert_array_equal(colors_of_16_bits(content), COLORS)
    np.testing.assert_array_equal(decode_image(content, "a"), COLORS >> 8)
    np.testing.assert_array_equal(decode_image(content, "a", (0, 65535)), COLORS >> 8)


def test_gray_with_alpha_is_read_whole():
    content = png_of_16_bits(VALUES[..., :2])
    np.testing.assert_array_equal(colors_of_16_bits(content), VALUES[..., :1].repeat(3, axis=2))


def test_the_filters_of_a_png_are_undone():
    tf = pytest.importorskip("tensorflow")
    smooth = np.cumsum(COLORS // 64, axis=1, dtype=np.uint16)
    np.testing.assert_array_equal(colors_of_16_bits(tf.io.encode_png(smooth).numpy()), smooth)


@pytest.mark.parametrize("bits", [10, 12, 14])
@pytest.mark.parametrize("form", FORMS)
def test_photos_of_fewer_bits_ask_for_their_range_and_are_read_by_it(form, bits):
    values = VALUES >> (16 - bits)
    values[0, 0, :3] = 2**bits - 1
    content = FORMS[form](values)
    with pytest.raises(DataError, match=f"^a.png: its values are .* to {2**bits - 1}, .* It has {bits} bits") as caught:
        decode_image(content, "a.png")
    assert caught.value.remedies[0].settings == {"image_range": (0, 2**bits - 1)}
    photo = decode_image(content, "a.png", **caught.value.remedies[0].settings)
    np.testing.assert_array_equal(photo, values[..., :3] >> (bits - 8))
    with pytest.raises(DataError, match=f"its values reach {2**bits - 1}, but those of image_range end at 255"):
        decode_image(content, "a.png", (0, 255))


def test_black_is_black():
    assert (decode_image(png_of_16_bits(np.zeros_like(COLORS)), "a.png") == 0).all()


def test_a_rotation_is_applied():
    exif = Image.Exif()
    exif[0x0112] = 6
    png = png_of_16_bits(COLORS >> 4)
    turned = png[:33] + chunk(b"eXIf", exif.tobytes()[6:]) + png[33:]
    np.testing.assert_array_equal(decode_image(turned, "a", (0, 4095)), np.rot90(COLORS >> 8, -1))


@pytest.mark.parametrize(
    "content",
    [tiff_in_planes(COLORS >> 4, compressed=True), tiff(np.dstack([COLORS >> 4, COLORS[..., :1] | 65535]), 2, (1,))],
    ids=["bands one behind the other", "multiplied with alpha"],
)
def test_of_other_forms_the_upper_half_is_read_and_dark_ones_are_refused(content):
    with pytest.raises(
        DataError, match="in a form of which only the upper 8 can be read, and its values end below 4096"
    ) as caught:
        decode_image(content, "a.tif")
    assert decode_image(content, "a.tif", **caught.value.remedies[1].settings).shape == COLORS.shape
    with pytest.raises(DataError, match="so no range of them"):
        decode_image(content, "a.tif", (0, 4095))


def test_bands_one_behind_the_other():
    np.testing.assert_array_equal(decode_image(tiff_in_planes(COLORS, compressed=True), "a.tif"), COLORS >> 8)
    eight = (COLORS >> 8).astype(np.uint8)
    np.testing.assert_array_equal(decode_image(tiff_in_planes(eight), "a.tif"), eight)
    with pytest.raises(DataError, match="it is a TIFF of 3 bands of 16 bits, one behind the other"):
        decode_image(tiff_in_planes(COLORS), "a.tif")


@pytest.mark.parametrize("bits", [8, 16])
def test_gray_whose_white_is_zero_is_no_negative(bits):
    """As X-rays are stored (MONOCHROME1); Pillow turns 8 bits around by itself."""
    gray = np.arange(0, 1 << 16, 1 << 10, dtype=np.uint16).reshape(8, 8)
    stored = (gray >> 8).astype(np.uint8) if bits == 8 else gray
    np.testing.assert_array_equal(decode_image(tiff(stored, 0), "a.tif")[..., 0], 255 - (gray >> 8))
    if bits == 16:
        found = decode_image(tiff(stored >> 4, 0), "a.tif", (0, 4095))[..., 0]
        assert np.abs(found.astype(int) - (255 - (gray >> 8))).max() <= 1
