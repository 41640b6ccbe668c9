"""Files that are not read say what they are, and what to do."""

import struct
import warnings

import numpy as np
import pytest
from PIL import Image

from keras_semisis.data import DataError, Folder, LabelSpace
from keras_semisis.data.data_warning import DataWarning
from keras_semisis.data.labels.label_files import decode_label_map
from keras_semisis.data.pictures.decoding import decode_image
from keras_semisis.data.pictures.file_kind import kind_of
from tests.data.pictures.written import bmp, png_of_16_bits, tiff

RNG = np.random.default_rng(0)
SPACE = LabelSpace(["a", "b"], [(0, 0, 0), (255, 0, 0)])


def bands(number, dtype=np.uint8):
    return RNG.integers(0, 200, (4, 5, number)).astype(dtype)


@pytest.mark.parametrize(
    ("content", "what", "remedy"),
    [
        (b"", r"empty \(0 bytes\)", "Copy or download it again"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(50), "a HEIC", "Convert it to PNG or JPEG"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic" + bytes(50), "a HEIC", "Convert it to PNG or JPEG"),
        (b"\0\0\0\x1cftypavif\0\0\0\0mif1avifmiaf" + bytes(50), "an AVIF", "Convert it to PNG or JPEG"),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf" + bytes(50), "an AVIF", "Convert it to PNG or JPEG"),
        (b"\0\0\0\x18ftypisom\0\0\0\0" + bytes(50), "a video", "single pictures"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n", "a Git LFS pointer", "git lfs pull"),
        (b"../../.git/annex/objects/xx/yy/SHA256E-s3--00.png", "a git-annex pointer", "git annex get"),
        (b"\n <!DOCTYPE html>\n<html><body>Sign in</body></html>", "an HTML page", "Download it again, logged in"),
        (b"\xef\xbb\xbf<html>", "an HTML page", "Download it again, logged in"),
        (b"<?xml version='1.0'?><Error>AccessDenied</Error>", "an XML document", "Download it again"),
        (b"<?xml version='1.0'?>\n<svg xmlns=''/>", "an SVG drawing", "Convert it to PNG"),
        (b'{"shapes": []}', "a JSON document", "Draw the outlines"),
        ("Straße\n".encode() * 400, "text", "Download it again"),
        (b"GIF89a" + bytes(20), "a GIF", "Convert it to PNG"),
        (b"\x93NUMPY\1\0", "a NumPy array", "as PNG"),
        (bytes(128) + b"DICM", "a DICOM file", "as PNG"),
        (b"PK\x03\x04" + bytes(20), "a ZIP archive", "Unpack it"),
        (bytes(500), "of an unknown format", "Copy or download it again"),
    ],
)
def test_what_is_no_picture_or_of_another_format(content, what, remedy):
    for decode in (decode_image, lambda content, where: decode_label_map(content, SPACE, where)):
        with pytest.raises(DataError, match=rf"^odd\.png: cannot be read: it is {what}.* no PNG, JPEG.*{remedy}"):
            decode(content, "odd.png")


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (tiff(bands(4), 1, (0, 0, 0)), "a TIFF of 4 bands of 8 bits"),
        (tiff(bands(8), 1, (0,) * 7), "a TIFF of 8 bands of 8 bits"),
        (tiff(bands(8, np.uint16), 2, (0,) * 5), "a TIFF of 8 bands of 16 bits"),
        (tiff(bands(2), 1, (0,)), "a TIFF of 2 bands of 8 bits"),
        (tiff(bands(3, np.float32), 2), "a TIFF of 3 bands of 32-bit floating-point numbers"),
        (tiff(bands(1, np.float64)[..., 0], 1), "a TIFF of 64-bit floating-point numbers"),
    ],
)
def test_tiffs_of_bands_and_numbers_that_are_no_colors(content, what):
    for decode in (decode_image, lambda content, where: decode_label_map(content, SPACE, where)):
        with pytest.raises(DataError, match=rf"^odd\.tif: cannot be read: it is {what}\. Export it") as caught:
            decode(content, "odd.tif")
        assert "damaged" not in str(caught.value)


def test_tiffs_of_colors_are_read():
    rgb = bands(3)
    np.testing.assert_array_equal(decode_image(tiff(rgb, 2), "a.tif"), rgb)
    np.testing.assert_array_equal(decode_image(tiff(np.dstack([rgb, bands(1)]), 2, (2,)), "a.tif"), rgb)
    np.testing.assert_array_equal(decode_image(tiff(np.dstack([rgb, bands(1)]), 2, (0,)), "a.tif"), rgb)  # near infrared
    deep = bands(3).astype(np.uint16) * 257
    np.testing.assert_array_equal(decode_image(tiff(deep, 2), "a.tif"), deep >> 8)
    ids = np.array([[0, 1, -1]], np.int16)
    np.testing.assert_array_equal(decode_label_map(tiff(ids, 1), None, "a.tif"), ids)


def test_a_damaged_tiff_is_damaged():
    content = tiff(bands(3), 2)
    with pytest.raises(DataError, match="truncated or damaged"):
        decode_image(content[:20], "a.tif")


def test_the_kind_tells_bands_depth_and_size():
    kind = kind_of(png_of_16_bits(np.zeros((4, 5, 3), np.uint16)))
    assert (kind.name, kind.bands, kind.bits, kind.size) == ("PNG", 3, 16, (5, 4))
    kind = kind_of(tiff(bands(8, np.float32), 1, (0,) * 7))
    assert (kind.name, kind.bands, kind.bits, kind.is_floating, kind.size) == ("TIFF", 8, 32, True, (5, 4))
    assert kind_of(b"II*\0" + struct.pack("<I", 9999)).bands is None


# Files that are passed over


def test_files_that_are_passed_over_are_counted_and_named(tmp_path):
    for folder in ("images", "labels"):
        (tmp_path / folder).mkdir()
        Image.fromarray(np.eye(4, dtype=np.uint8)).save(tmp_path / folder / "a.png")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for litter in ("images/Thumbs.db", "images/.DS_Store", "labels/_classes.csv"):
            (tmp_path / litter).write_text("id,name\n0,sky\n1,road\n")
        Folder(tmp_path)
    for name in ("b.HEIC", "c.gif"):
        (tmp_path / "images" / name).write_bytes(b"")
    with pytest.warns(DataWarning, match=r"images: 2 other files \(b\.HEIC, c\.gif\) are passed over") as caught:
        assert len(Folder(tmp_path)) == 1
    assert len(caught) == 1
    (tmp_path / "labels" / "notes.json").write_text("{}")
    (tmp_path / "labels" / "a.png").unlink()
    with pytest.raises(DataError, match=r"labels: no image files found.* It holds 1 other file \(notes\.json\)"):
        Folder(tmp_path)


_IDS = np.array([[0, 1, 1, 0, 1, 0, 0, 1, 1], [1, 1, 0, 0, 0, 1, 0, 1, 0]], np.uint8)
_BLACK_AND_WHITE, _OTHERS = [(0, 0, 0), (255, 255, 255)], [(9, 0, 0), (0, 9, 0)]


@pytest.mark.parametrize(
    ("palette", "bits"),
    [(_BLACK_AND_WHITE, 8), (_BLACK_AND_WHITE, 4), ([(i, i, i) for i in range(16)], 4)],
)
def test_a_bmp_of_grays_that_pillow_reads_by_other_bits_is_refused(palette, bits):
    content = bmp(_IDS, palette, bits)
    for decode in (decode_image, lambda content, where: decode_label_map(content, SPACE, where)):
        with pytest.raises(DataError, match=rf"^a\.bmp: .* a BMP of {bits} bits whose palette is gray.*Save it as PNG\.$"):
            decode(content, "a.bmp")


@pytest.mark.parametrize(
    ("palette", "bits"),
    [(_BLACK_AND_WHITE, 1), ([(i, i, i) for i in range(256)], 8), *((_OTHERS, bits) for bits in (1, 4, 8))],
)
def test_other_bmp_of_indices_are_read(palette, bits):
    np.testing.assert_array_equal(decode_label_map(bmp(_IDS, palette, bits), None, "a.bmp"), _IDS)
    assert kind_of(bmp(_IDS, palette, bits, old=True)).bits == kind_of(bmp(_IDS, palette, bits)).bits == bits
    np.testing.assert_array_equal(decode_label_map(bmp(_IDS, palette, bits, old=True), None, "a.bmp"), _IDS)
