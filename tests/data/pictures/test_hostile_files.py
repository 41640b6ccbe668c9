"""Files as they are found in the wild, and as nobody should make them: a correct read or one error that names the file."""

import errno
import os
import struct
import unicodedata
import warnings
import zlib
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageFile, ImageOps

from keras_semisis.data import DataError, Folder, LabelSpace, class_statistics
from keras_semisis.data.labels.label_files import decode_label_map
from keras_semisis.data.pictures.decoding import decode_image, upright_size
from keras_semisis.data.sources.file_source import find_files
from keras_semisis.data.statistics import counts_file

SPACE = LabelSpace(["sky", "road", "car"], [(0, 128, 255), (90, 90, 90), (200, 0, 0)])
RNG = np.random.default_rng(0)
IDS = RNG.integers(0, 3, (20, 30)).astype(np.uint8)
PHOTO = RNG.integers(0, 256, (20, 30, 3)).astype(np.uint8)
TURNED = Image.Exif()
TURNED[0x0112] = 6


def encoded(array, suffix="PNG", mode=None, **options):
    image = Image.fromarray(np.asarray(array))
    stream = BytesIO()
    (image.convert(mode) if mode else image).save(stream, suffix, **options)
    return stream.getvalue()


def write_pair(root, name="a", label=None, image=None):
    for folder, content in (("images", image or encoded(PHOTO)), ("labels", label or encoded(IDS))):
        (root / folder).mkdir(exist_ok=True, parents=True)
        (root / folder / f"{name}.png").write_bytes(content)


def chunks(content):
    """The chunks of a PNG as [kind, data] pairs."""
    position, found = 8, []
    while position < len(content):
        length, kind = struct.unpack_from(">I4s", content, position)
        found.append([kind, content[position + 8 : position + 8 + length]])
        position += 12 + length
    return found


def png(parts):
    """A PNG of chunks, with checksums that are right."""
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )


def gray_of(bits):
    """The ids as a gray PNG of fewer bits, which not every version of Pillow writes."""
    packed = [np.packbits((row[:, None] >> np.arange(bits)[::-1]) & 1).tobytes() for row in IDS]
    header = struct.pack(">IIBBBBB", IDS.shape[1], IDS.shape[0], bits, 0, 0, 0, 0)
    return png([[b"IHDR", header], [b"IDAT", zlib.compress(b"".join(b"\0" + row for row in packed))], [b"IEND", b""]])


# Forms of label maps


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (encoded(IDS, "JPEG"), "is a JPEG, which alters ids"),
        (encoded(IDS, "TIFF", compression="jpeg"), "is a JPEG, which alters ids"),
        (encoded(SPACE.colorize(IDS), "WEBP"), "is a WebP that is not lossless, which alters ids"),
        (encoded(SPACE.colorize(IDS), "WEBP", exif=TURNED), "is a WebP that is not lossless"),  # in an extended file, VP8X
        (gray_of(4), "is gray of 4 bits"),
        (gray_of(2), "is gray of 2 bits"),
        (encoded(PHOTO, "TIFF", "CMYK"), "is of mode CMYK"),
        (encoded(IDS.astype(np.float32), "TIFF"), "is of mode F"),
        (encoded(IDS, "PNG", save_all=True, append_images=[Image.fromarray(IDS[::-1])]), "holds 2 pictures"),
        (
            png(
                [[b"IHDR", struct.pack(">IIBBBBB", 2, 1, 16, 2, 0, 0, 0)], [b"IDAT", zlib.compress(bytes(13))], [b"IEND", b""]]
            ),
            "has colors or transparency of 16 bits",
        ),
        (
            png([[b"IHDR", struct.pack(">IIBBBBB", 2, 1, 16, 4, 0, 0, 0)], [b"IDAT", zlib.compress(bytes(9))], [b"IEND", b""]]),
            "has colors or transparency of 16 bits",
        ),
    ],
)
def test_label_maps_that_programs_read_differently_are_refused(content, words):
    with pytest.raises(DataError, match=f"odd: this label map {words}.*Store ids in an 8- or 16-bit gray PNG"):
        decode_label_map(content, SPACE, "odd")


@pytest.mark.parametrize(
    "content",
    [
        encoded(IDS),
        encoded(IDS, "PNG", "P"),
        encoded(IDS.astype(np.uint16)),
        encoded(IDS, "TIFF"),
        encoded(IDS, "BMP"),
        encoded(IDS.astype(np.int32), "TIFF"),
        encoded(SPACE.colorize(IDS)),
        encoded(SPACE.colorize(IDS), "PNG", "RGBA"),
        encoded(SPACE.colorize(IDS), "WEBP", lossless=True),
        encoded(SPACE.colorize(IDS), "WEBP", lossless=True, icc_profile=b"?"),
        encoded(SPACE.colorize(IDS), "TIFF"),
        encoded(SPACE.colorize(IDS), "BMP"),
    ],
)
def test_label_maps_of_every_format_that_keeps_ids(content):
    np.testing.assert_array_equal(decode_label_map(content, SPACE, "odd"), IDS)


def tiff_of(pictures, subfiles):
    """A TIFF of several pictures, each with what its tag NewSubfileType says."""
    images = [Image.fromarray(picture) for picture in pictures]
    for image, subfile in zip(images, subfiles, strict=True):
        image.encoderinfo = {"tiffinfo": {254: subfile}}
    stream = BytesIO()
    images[0].save(stream, "TIFF", save_all=True, append_images=images[1:])
    return stream.getvalue()


def test_overviews_and_masks_of_a_tiff_are_left_out():
    beside = [1, 4, 5]  # an overview, a mask, the mask of an overview
    ids = tiff_of([IDS] + [IDS[::2, ::2]] * 3, [0, *beside])
    np.testing.assert_array_equal(decode_label_map(ids, SPACE, "odd"), IDS)
    photo = tiff_of([PHOTO] + [PHOTO[::2, ::2]] * 3, [0, *beside])
    np.testing.assert_array_equal(decode_image(photo, "odd"), PHOTO)


@pytest.mark.parametrize(
    "content",
    [
        tiff_of([PHOTO, PHOTO[::-1]], [0, 0]),
        tiff_of([PHOTO, PHOTO[::-1], PHOTO[::2]], [2, 2, 1]),  # pages, and an overview
        encoded(PHOTO, "PNG", save_all=True, append_images=[Image.fromarray(PHOTO[::-1])]),
        encoded(PHOTO, "WEBP", save_all=True, append_images=[Image.fromarray(PHOTO[::-1])]),
    ],
)
def test_stacks_and_animations_are_no_photo(content):
    with pytest.raises(DataError, match="odd: holds 2 pictures, of which only one can be the photo"):
        decode_image(content, "odd")


def test_of_a_jpeg_with_further_pictures_the_first_is_the_photo():
    content = encoded(PHOTO, "MPO", save_all=True, append_images=[Image.fromarray(PHOTO[::-1])])
    assert Image.open(BytesIO(content)).n_frames == 2
    np.testing.assert_array_equal(decode_image(content, "odd"), decode_image(encoded(PHOTO, "JPEG"), "odd"))


def test_a_palette_of_few_colors_keeps_its_indices():
    image = Image.fromarray(IDS, "L").convert("P")
    image.putpalette([9, 9, 9, 200, 1, 1, 5, 5, 5])
    stream = BytesIO()
    image.save(stream, "PNG", bits=2)
    assert stream.getvalue()[24] == 2  # bits a pixel
    np.testing.assert_array_equal(decode_label_map(stream.getvalue(), None, "odd"), IDS)


def test_channels_in_another_order_are_recognized():
    with pytest.raises(DataError, match=r"odd: color .*is not in the palette.*order blue, green, red, as OpenCV"):
        decode_label_map(encoded(SPACE.colorize(IDS)[..., ::-1]), SPACE, "odd")


def test_masks_of_0_and_255(tmp_path):
    write_pair(tmp_path, label=encoded((IDS > 0) * np.uint8(255)))
    two = LabelSpace(["off", "on"], [(0, 0, 0), (255, 255, 255)])
    with pytest.raises(DataError, match=r"a\.png: label id 255.*mask of 0 and 255.*id_map=\{255: 1\}"):
        Folder(tmp_path, label_space=two).load(0)


def test_16_bit_ids_that_were_scaled(tmp_path):
    write_pair(tmp_path, label=encoded(IDS.astype(np.uint16) * 257))
    with pytest.raises(DataError, match=r"a\.png: label id 257 .*514 .*ids may be scaled"):
        Folder(tmp_path, label_space=SPACE).load(0)


# Forms of photos


def test_cmyk_jpeg():
    gray = np.full((16, 16, 3), 120, np.uint8)
    assert abs(decode_image(encoded(gray, "JPEG", "CMYK"), "odd").astype(int) - 120).max() <= 3


def test_transparency_is_dropped_without_a_warning():
    image = Image.fromarray(PHOTO).quantize(16)
    stream = BytesIO()
    image.save(stream, "PNG", transparency=bytes([0, 128] + [255] * 14))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(decode_image(stream.getvalue(), "odd"), np.asarray(image.convert("RGB")))
        clear = np.dstack([PHOTO, np.zeros((20, 30), np.uint8)])
        np.testing.assert_array_equal(decode_image(encoded(clear), "odd"), PHOTO)
        gray = np.dstack([PHOTO[..., 0], np.zeros((20, 30), np.uint8)])
        np.testing.assert_array_equal(decode_image(encoded(gray), "odd"), PHOTO[..., :1].repeat(3, axis=2))


def test_16_bit_photos_keep_their_upper_half():
    deep = PHOTO[..., 0].astype(np.uint16) * 256 + 77
    np.testing.assert_array_equal(decode_image(encoded(deep), "odd"), PHOTO[..., :1].repeat(3, axis=2))


def test_floating_point_photos_are_refused():
    with pytest.raises(DataError, match=r"odd: its values are floating-point, 0 to 0, .*Give image_range=\(0, 1\)"):
        decode_image(encoded(np.zeros((4, 4), np.float32), "TIFF"), "odd")


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_rotation_of_photo_and_label_map(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    for array, decode in ((PHOTO, decode_image), (IDS, lambda content, where: decode_label_map(content, SPACE, where))):
        content = encoded(array, "PNG", exif=exif)
        upright = np.asarray(ImageOps.exif_transpose(Image.open(BytesIO(content))))
        np.testing.assert_array_equal(decode(content, "odd"), upright)
        if orientation == 6:
            np.testing.assert_array_equal(upright, np.rot90(array, -1))


def test_a_photo_that_exif_turns_and_a_label_map_that_it_does_not(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 8
    write_pair(tmp_path, image=encoded(PHOTO, "JPEG", exif=exif))
    with pytest.raises(DataError, match=r"images/a\.png and .*labels/a\.png: the image is 30×20.*map 20×30.*EXIF"):
        Folder(tmp_path, label_space=SPACE).load(0)
    write_pair(tmp_path, image=encoded(PHOTO, "JPEG", exif=exif), label=encoded(np.rot90(IDS)))
    assert Folder(tmp_path, label_space=SPACE).load(0)[1].shape == (30, 20)


# What only looks like an image


@pytest.mark.parametrize(
    "content",
    [b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 4 4\nshowpage\n", b"P5 2 2 255 abcd", b"GIF89a", b"<svg/>", b"\0" * 500],
)
def test_other_formats_are_not_opened(content):
    for decode in (decode_image, lambda content, where: decode_label_map(content, SPACE, where)):
        with pytest.raises(DataError, match=r"odd: cannot be read.*no PNG, JPEG, BMP, TIFF or WebP"):
            decode(content, "odd")


def test_a_bomb_is_not_unpacked():
    header = struct.pack(">IIBBBBB", 60000, 60000, 8, 0, 0, 0, 0)
    with pytest.raises(DataError, match=r"odd: cannot be read.*exceeds limit"):
        decode_label_map(png([[b"IHDR", header], [b"IDAT", zlib.compress(bytes(10))], [b"IEND", b""]]), SPACE, "odd")


@pytest.mark.parametrize("kind", ["folder", "pipe"])
def test_what_is_no_file(tmp_path, kind):
    write_pair(tmp_path)
    source = Folder(tmp_path, label_space=SPACE)
    path = tmp_path / "images" / "a.png"
    path.unlink()
    path.mkdir() if kind == "folder" else os.mkfifo(path)
    with pytest.raises(DataError, match=r"a\.png: this is no file but a folder, a pipe or a device"):
        source.load(0)


def test_a_file_that_may_not_be_read(tmp_path, monkeypatch):
    write_pair(tmp_path)
    source = Folder(tmp_path, label_space=SPACE)

    def refuse(path):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr("pathlib.Path.read_bytes", refuse)
    with pytest.raises(DataError, match=r"a\.png: cannot be read \(Permission denied\)\. Check the disk and who"):
        source.load(0)


# Links


def test_links_to_files_and_folders_are_followed(tmp_path):
    write_pair(tmp_path / "there", "a")
    for folder in ("images", "labels"):
        (tmp_path / "here" / folder).mkdir(parents=True)
        (tmp_path / "here" / folder / "city").symlink_to(tmp_path / "there" / folder)
        (tmp_path / "here" / folder / "b.png").symlink_to(f"../../there/{folder}/a.png")
    source = Folder(tmp_path / "here", label_space=SPACE)
    assert [source.name(i) for i in range(2)] == ["b", "city/a"]
    np.testing.assert_array_equal(source.load(0)[1], source.load(1)[1])


def test_links_to_a_folder_above_end(tmp_path):
    write_pair(tmp_path)
    (tmp_path / "images" / "again").symlink_to(tmp_path / "images")
    (tmp_path / "labels" / "again").symlink_to(tmp_path)
    assert list(find_files(tmp_path / "images")) == ["a"]
    assert list(find_files(tmp_path / "labels")) == ["a", "again/images/a"]


def test_links_that_lead_nowhere(tmp_path):
    write_pair(tmp_path)
    for path in (tmp_path / "images" / "a.png", tmp_path / "labels" / "a.png"):
        path.unlink()
    (tmp_path / "images" / "a.png").symlink_to("elsewhere/a.png")
    (tmp_path / "labels" / "a.png").symlink_to("a.png")
    source = Folder(tmp_path, label_space=SPACE)
    with pytest.raises(DataError, match=r"images/a\.png: this symbolic link leads to elsewhere/a\.png, where there is no file"):
        source.load_image(0)
    for read in (source.load_label_map, source.fingerprint):
        with pytest.raises(DataError, match=r"labels/a\.png: this symbolic link leads back to itself"):
            read(0)


# Names


def test_names_with_spaces_and_other_scripts(tmp_path):
    names = ["a b  c", "straße", "街", "émile", "100%", "[x]*?", "q'\"", "-rf"]
    for name in names:
        write_pair(tmp_path, name)
    source = Folder(tmp_path, label_space=SPACE)
    assert {source.name(i) for i in range(len(source))} == set(names)
    assert np.sum(class_statistics(source, cache=tmp_path / "cache.npz")) == len(names) * IDS.size


def test_one_name_in_two_normal_forms(tmp_path):
    composed, decomposed = (unicodedata.normalize(form, "Köln") for form in ("NFC", "NFD"))
    write_pair(tmp_path, composed)
    (tmp_path / "labels" / f"{composed}.png").rename(tmp_path / "labels" / f"{decomposed}.png")
    source = Folder(tmp_path, label_space=SPACE)
    assert source.name(0) == composed and source.load(0)[1].shape == (20, 30)
    (tmp_path / "labels" / f"{composed}.png").write_bytes(encoded(IDS))
    with pytest.raises(DataError, match="has the same name"):
        Folder(tmp_path, label_space=SPACE)


def test_a_name_that_is_no_text(tmp_path):
    raw = b"caf\xe9.png"
    write_pair(tmp_path)
    for folder in ("images", "labels"):
        os.rename(tmp_path / folder / "a.png", os.fsencode(tmp_path / folder) + b"/" + raw)
    source = Folder(tmp_path, label_space=SPACE)
    assert source.name(0) == r"caf\xe9" and source.load(0)[1].shape == (20, 30)
    class_statistics(source, cache=tmp_path / "cache.npz")
    os.unlink(os.fsencode(tmp_path / "images") + b"/" + raw)
    with pytest.raises(DataError, match="has gone") as caught:
        source.load(0)
    str(caught.value).encode()


def test_hidden_files_and_folders_are_left_out(tmp_path):
    write_pair(tmp_path)
    write_pair(tmp_path, ".a")
    (tmp_path / "images" / ".ipynb_checkpoints").mkdir()
    (tmp_path / "images" / ".ipynb_checkpoints" / "a-checkpoint.png").write_bytes(encoded(PHOTO))
    assert len(Folder(tmp_path, label_space=SPACE)) == 1


# Files that change while they are used


def test_a_file_that_vanishes_and_one_that_is_replaced(tmp_path):
    write_pair(tmp_path)
    source = Folder(tmp_path, label_space=SPACE)
    before = source.load(0)[1]
    (tmp_path / "labels" / "a.png").write_bytes(encoded(IDS[::-1]))  # what is there now is read
    np.testing.assert_array_equal(source.load(0)[1], before[::-1])
    (tmp_path / "labels" / "a.png").write_bytes(encoded(IDS[:10]))
    with pytest.raises(DataError, match=r"the image is 20×30.*its label map 10×30"):
        source.load(0)
    (tmp_path / "labels" / "a.png").write_bytes(encoded(IDS)[:200])  # half written
    with pytest.raises(DataError, match=r"labels/a\.png: cannot be read.*its end is missing"):
        source.load(0)
    (tmp_path / "labels" / "a.png").write_bytes(encoded(IDS + 7))
    with pytest.raises(DataError, match=r"labels/a\.png: label id 7"):
        source.load(0)
    (tmp_path / "labels" / "a.png").unlink()
    for read in (source.load, source.fingerprint):
        with pytest.raises(DataError, match=r"labels/a\.png: the file has gone since the folder was listed"):
            read(0)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_statistics_that_cannot_be_kept_are_still_used(tmp_path, monkeypatch, number):
    write_pair(tmp_path)
    source = Folder(tmp_path, label_space=SPACE)
    cache = tmp_path / "cache" / "counts.npz"

    def refuse(file, **arrays):
        file.write(b"the first bytes")
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(counts_file.np, "savez", refuse)
    with pytest.warns(UserWarning, match=rf"counts\.npz: the class statistics cannot be kept \({os.strerror(number)}\)"):
        counts = class_statistics(source, cache=cache)
    assert np.sum(counts) == IDS.size and list(cache.parent.iterdir()) == []
    monkeypatch.undo()
    np.testing.assert_array_equal(class_statistics(source, cache=cache), counts)
    assert cache.exists()


def test_a_cache_below_what_is_no_folder(tmp_path):
    write_pair(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.warns(UserWarning, match="the class statistics cannot be kept"):
        class_statistics(Folder(tmp_path, label_space=SPACE), cache=tmp_path / "file" / "counts.npz")


# Damage

LABEL_FORMS = {
    "gray": encoded(IDS),
    "palette": encoded(IDS, "PNG", "P"),
    "16 bit": encoded(IDS.astype(np.uint16)),
    "1 bit": encoded(IDS % 2 * 255, "PNG", "1"),
    "colors": encoded(SPACE.colorize(IDS)),
    "alpha": encoded(np.dstack([IDS, IDS])),
    "uncompressed": encoded(IDS, compress_level=0),
}
EXPECTED = {form: IDS % 2 if form == "1 bit" else IDS for form in LABEL_FORMS}


def mutated(content, rng):
    """A copy with one to three small changes: bits, bytes, and stretches cut out, put in, doubled, zeroed or cut off."""
    content = bytearray(content)
    for _ in range(rng.integers(1, 4) if content else 0):
        where, length = int(rng.integers(len(content))), int(rng.integers(1, 9))
        match rng.integers(7):
            case 0:
                content[where] ^= 1 << int(rng.integers(8))
            case 1:
                content[where] = int(rng.integers(256))
            case 2:
                del content[max(1, where) : where + length]
            case 3:
                content[where:where] = rng.bytes(length)
            case 4:
                content[where:where] = content[where : where + length]
            case 5:
                content[where : where + length] = bytes(length)
            case 6:
                del content[max(1, where) :]
    return bytes(content)


@pytest.mark.parametrize("form", LABEL_FORMS)
def test_a_mutated_label_map_is_refused_or_as_it_was(form):
    rng = np.random.default_rng(1)
    refused = 0
    for _ in range(400):
        content = mutated(LABEL_FORMS[form], rng)
        try:
            label_map = SPACE.check(decode_label_map(content, SPACE, "odd"), "odd")
        except DataError as error:
            refused += content != LABEL_FORMS[form]
            assert str(error).startswith("odd: ")
        else:
            np.testing.assert_array_equal(label_map, EXPECTED[form])
    assert refused > 350


@pytest.mark.parametrize("form", LABEL_FORMS)
def test_every_cut_and_every_flipped_bit_of_the_pixels_is_found(form):
    content = LABEL_FORMS[form]
    for end in range(0, len(content), 7):
        with pytest.raises(DataError, match="odd: cannot be read"):
            decode_label_map(content[:end], SPACE, "odd")
    for position in range(content.index(b"IDAT") + 4, len(content) - 12, 5):
        broken = bytearray(content)
        broken[position] ^= 1 << position % 8
        with pytest.raises(DataError, match=r"odd: cannot be read.*checksum"):
            decode_label_map(bytes(broken), SPACE, "odd")


def test_pillow_alone_would_not_find_it():
    """What our own look at the checksums is for: it may go on the day this fails."""
    content, silently_wrong = LABEL_FORMS["gray"], 0
    for position in range(content.index(b"IDAT") + 4, len(content) - 16):
        broken = bytearray(content)
        broken[position] ^= 1
        try:
            image = Image.open(BytesIO(bytes(broken)))
            image.load()
        except (OSError, SyntaxError):
            continue
        silently_wrong += (np.asarray(image) != IDS).any()
    assert silently_wrong > 0


@pytest.mark.parametrize("form", LABEL_FORMS)
def test_hostile_chunks_with_right_checksums_end_in_an_error_or_in_valid_ids(form):
    rng = np.random.default_rng(2)
    original = chunks(LABEL_FORMS[form])
    for _ in range(300):
        parts = [list(part) for part in original]
        chosen = parts[rng.integers(len(parts))]
        match rng.integers(4):
            case 0:
                parts.remove(chosen)
            case 1:
                parts.insert(rng.integers(len(parts) + 1), chosen)
            case 2:
                chosen[0] = bytes(rng.choice([b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"acTL", b"fcTL", b"eXIf", b"iTXt"]))
            case 3:
                chosen[1] = mutated(chosen[1], rng) if chosen[1] else rng.bytes(3)
        if parts and parts[-1][0] != b"IEND":
            parts.append([b"IEND", b""])
        try:
            label_map = SPACE.check(decode_label_map(png(parts), SPACE, "odd"), "odd")
        except DataError as error:
            assert str(error).startswith("odd: ")
        else:
            assert label_map.ndim == 2 and label_map.min(initial=0) >= 0 and label_map.max(initial=0) < 3


@pytest.mark.parametrize("options", [dict(), dict(progressive=True), dict(mode="CMYK"), dict(mode="L"), dict(exif=6)])
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_mutated_photo_is_refused_or_a_photo(options):
    if "exif" in options:
        exif = Image.Exif()
        exif[0x0112] = 6
        options = {"exif": exif}
    content = encoded(PHOTO, "JPEG", **options)
    rng = np.random.default_rng(3)
    for _ in range(400):
        try:
            image = decode_image(mutated(content, rng), "odd")
        except DataError as error:
            assert str(error).startswith("odd: cannot be read")
        else:
            assert image.dtype == np.uint8 and image.ndim == 3 and image.shape[2] == 3


def test_a_truncated_file_is_refused_even_where_pillow_was_told_to_read_it(monkeypatch):
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    content = encoded(PHOTO, "JPEG")
    with pytest.warns(UserWarning, match="LOAD_TRUNCATED_IMAGES was on"), pytest.raises(DataError, match="truncated"):
        decode_image(content[: len(content) // 2], "odd")
    short = zlib.compress(zlib.decompress(next(data for kind, data in chunks(LABEL_FORMS["gray"]) if kind == b"IDAT"))[:200])
    parts = [[kind, short if kind == b"IDAT" else data] for kind, data in chunks(LABEL_FORMS["gray"])]
    with pytest.raises(DataError, match="odd: cannot be read"):
        decode_label_map(png(parts), SPACE, "odd")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_the_size_of_a_photo_is_that_of_what_is_decoded(tmp_path, kind, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.new("RGB", (8, 4)).save(tmp_path / "photo", kind, exif=exif)
    assert upright_size(tmp_path / "photo") == decode_image((tmp_path / "photo").read_bytes(), "photo").shape[:2]
