"""From the bytes of an image file to a photo or a label map, or to one error that names the file.

Nothing that a file holds may end in another exception, or pass as labels that nobody drew. Pillow leaves two things to us: it
does not check the checksums of a PNG's pixels, nor that the file ends where it should.
"""

import errno
import os
import re
import stat
import struct
import warnings
import zlib
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageFile, UnidentifiedImageError
from PIL.TiffImagePlugin import TiffImageFile

from keras_semisis.data.data_error import DataError
from keras_semisis.data.pictures.file_kind import kind_of, not_read
from keras_semisis.data.pictures.image_range import DARK, FULL_RANGE, in_eight_bits, usual_bits
from keras_semisis.data.pictures.label_picture import CLASS_IDS, LabelPicture
from keras_semisis.data.pictures.sixteen_bits import colors_of_16_bits
from keras_semisis.data.remedy import Remedy

# Others would be opened too, whatever the suffix says, and by programs of their own: an EPS is run by Ghostscript
_FORMATS = ("PNG", "JPEG", "BMP", "TIFF", "WEBP")
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_BMP_BITS = {"1": 1, "L": 8}
_ORIENTATION, _WIDTH, _SUBFILE = 0x0112, 0x0100, 0x00FE
# Of one picture of a TIFF: a smaller version of another (an overview), or its mask
_BESIDE = 0b101
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def read_image(path: Path, image_range: tuple[float, float] | None = None) -> np.ndarray:
    """A photo as uint8 RGB ``(H, W, 3)``; see `decode_image`.

    Raises:
        DataError: If the file is missing, truncated or damaged, or no image.
    """
    return decode_image(read_bytes(path), str(path), image_range)


def upright_size(file: Path | BinaryIO) -> tuple[int, int] | None:
    """(height, width) of a photo as its header and EXIF data say; None of a file that cannot be read."""
    try:
        with Image.open(file, formats=_FORMATS) as image:
            # that of a TIFF newer versions of Pillow have turned already
            as_stored = not isinstance(image, TiffImageFile) or image.width == image.tag_v2[_WIDTH]
            return image.size if as_stored and image.getexif().get(_ORIENTATION, 1) > 4 else image.size[::-1]
    except Exception:  # whatever is wrong with it is told where it is decoded
        return None


def read_bytes(path: Path) -> bytes:
    """The content of a file, read at once: what is put in its place meanwhile cannot mix with it.

    Raises:
        DataError: If there is no such file, or it cannot be read.
    """
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):  # reading a named pipe would wait forever
            raise DataError(f"{path}: this is no file but a folder, a pipe or a device. Remove it, or put the image there.")
        return path.read_bytes()
    except OSError as error:
        raise unreadable(path, error) from None


def file_state(path: Path) -> str:
    """What tells one state of a file from another, unread: its size and time.

    Raises:
        DataError: If it is not there, or cannot be looked at.
    """
    try:
        status = path.stat()
    except OSError as error:
        raise unreadable(path, error) from None
    return f"{status.st_size}/{status.st_mtime_ns}"


def unreadable(path: Path, error: OSError) -> DataError:
    """What to tell about a file that the system does not open."""
    if error.errno == errno.ELOOP:
        return DataError(f"{path}: this symbolic link leads back to itself. Correct or remove it.")
    if isinstance(error, FileNotFoundError) and path.is_symlink():
        return DataError(
            f"{path}: this symbolic link leads to {os.readlink(path)}, where there is no file. Correct it, mount "
            "what it leads to, or remove it together with its partner."
        )
    if isinstance(error, FileNotFoundError):
        return DataError(f"{path}: the file has gone since the folder was listed. Put it back, or build the source again.")
    return DataError(f"{path}: cannot be read ({error.strerror or error}). Check the disk and who may read the file.")


def decode_image(content: bytes, where: str, image_range: tuple[float, float] | None = None) -> np.ndarray:
    """A photo as uint8 RGB ``(H, W, 3)``.

    Gray becomes RGB, CMYK is converted, transparency is dropped, EXIF rotation applied. Of 16 bits the upper 8 are taken; a
    photo that has nothing there, as those of 10 to 14 bits, is refused, and so are floating-point numbers, unless
    ``image_range`` says what they mean. Stacks of pictures and animations are refused; overviews and masks of a TIFF are left
    out, and so are the further pictures that a camera puts into a JPEG.

    Args:
        content: The bytes of a PNG, JPEG, BMP, TIFF or WebP file.
        where: The file, for messages.
        image_range: Values that become 0 and 255, of photos of 16 bits, gray or colors, and of gray of 32 bits or of
            floating-point numbers; those outside become 0 and 255 as well.

    Raises:
        DataError: If they are truncated or damaged, or no such image, or several, or its values are in another range than its
            format says.
    """
    kind = kind_of(content)
    return _decoded(content, kind, where, lambda image: _rgb(image, kind, content, where, image_range))


def _rgb(image, kind, content, where, image_range):
    number = 1 if kind.name == "JPEG" else _pictures(image)
    if number > 1:
        raise DataError(f"{where}: holds {number} pictures, of which only one can be the photo.", Remedy("Take it out."))
    if kind.bits == 16 and kind.bands > 1:
        image = _from_16_bits(image, content, where, image_range)
    image = _upright(image)
    if image.mode == "F" or image.mode.startswith("I"):  # which Pillow would clip at 255
        gray = in_eight_bits(np.asarray(image), where, image_range)
        if kind.is_inverted:
            gray = 255 - gray
        return np.repeat(gray[..., None], 3, axis=2)
    if "transparency" in image.info:  # of a palette: Pillow warns of a direct conversion
        image = image.convert("RGBA")
    return np.asarray(image if image.mode == "RGB" else image.convert("RGB"))


def _from_16_bits(image, content, where, image_range):
    """A picture of colors of 16 bits, of which Pillow has read the upper 8, by the range of its values."""
    upper = max(high for _, high in image.convert("RGB").getextrema())
    if image_range == FULL_RANGE or (image_range is None and upper >= DARK >> 8):
        return image
    colors = colors_of_16_bits(content)
    if colors is None:
        end = (upper + 1) << 8
        raise DataError(
            f"{where}: its colors have 16 bits in a form of which only the upper 8 can be read, "
            + (
                f"and its values end below {end}, as those of {usual_bits(end - 1)} bits: it would be nearly black."
                if image_range is None
                else "so no range of them can be applied."
            ),
            Remedy("Export it as RGB of 8 bits, or as a PNG of 16 bits,"),
            Remedy("or give {} if it is as dark as that.", {"image_range": FULL_RANGE}),
        )
    in_range = Image.fromarray(in_eight_bits(colors, where, image_range))
    return _upright(in_range, image.getexif())


def decode_label_picture(content: bytes, where: str, called: str = "label map") -> LabelPicture:
    """The pixels of a label map: ids, indices with their palette, or colors.

    Gray (8 or 16 bit) and 1-bit files hold ids. An EXIF rotation is applied as to photos. What programs read differently
    is refused: gray of 2 or 4 bits (scaled or not), colors of 16 bits, several pictures in a file, transparency that varies;
    and so are JPEG and lossy WebP, which alter ids.

    Args:
        content: The bytes of the file.
        where: The file, for messages.
        called: What it is, for messages.

    Raises:
        DataError: If the bytes are truncated or damaged, or their pixels not clearly ids or colors.
    """
    kind = kind_of(content)
    return _decoded(content, kind, where, lambda image: _label_picture(_with_ids(image, kind, content, where, called)))


def _label_picture(image):
    says_classes = image.info.get(CLASS_IDS[0]) == CLASS_IDS[1]
    if image.mode == "P":
        colors = np.array(image.getpalette("RGB") or [], np.uint8).reshape(-1, 3)
        alpha = _alpha(image.info.get("transparency"), len(colors))
        return LabelPicture(np.asarray(image), (colors, alpha), says_classes)
    if image.mode in ("L", "1"):
        return LabelPicture(np.asarray(image).astype(np.uint8, copy=False), is_black_and_white=image.mode == "1")
    if image.mode.startswith("I"):
        return LabelPicture(np.asarray(image).astype(np.int32), says_classes=says_classes)
    if image.mode in ("LA", "PA"):
        return LabelPicture(np.asarray(image)[..., 0])
    return LabelPicture(np.asarray(image.convert("RGB")))


def _alpha(transparency, number):
    """Alpha of the colors of a palette, as a PNG stores it: of the first ones, or the one that is transparent."""
    alpha = np.full(number, 255, np.uint8)
    if isinstance(transparency, bytes):
        alpha[: len(transparency)] = np.frombuffer(transparency[:number], np.uint8)
    elif transparency is not None:
        alpha[transparency] = 0
    return alpha


def _with_ids(image, kind, content, where, called):
    """The picture, if its pixels can be nothing but ids or colors of a palette."""

    def refused(what):
        return DataError(
            f"{where}: this {called} {what}", Remedy("Store ids in an 8- or 16-bit gray PNG, or 8-bit palette colors.")
        )

    if image.format in ("JPEG", "MPO") or image.info.get("compression") in ("jpeg", "tiff_jpeg"):
        raise refused("is a JPEG, which alters ids and colors.")
    if image.info.get("compression") == "webp" or (image.format == "WEBP" and not _is_lossless_webp(content)):
        raise refused("is a WebP that is not lossless, which alters ids and colors.")
    number = _pictures(image)
    if number > 1:
        raise refused(f"holds {number} pictures, and it is not clear which one counts.")
    if image.mode == "L" and kind.bits in (2, 4):
        raise refused(f"is gray of {kind.bits} bits, which some programs scale to 0..255 and others do not.")
    if kind.bits == 16 and kind.bands > 1:
        raise refused("has colors or transparency of 16 bits, of which half would be lost.")
    if image.mode not in ("1", "L", "P", "LA", "PA", "RGB", "RGBA") and not image.mode.startswith("I"):
        raise refused(f"is of mode {image.mode}, which is neither ids nor RGB colors.")
    if image.mode in ("LA", "PA", "RGBA"):
        alpha = np.asarray(image.getchannel("A"))
        if alpha.min(initial=255) != alpha.max(initial=0) and alpha.size:
            clear = np.count_nonzero(alpha == 0) / alpha.size
            raise refused(
                f"has transparency that varies ({clear:.0%} of the pixels are transparent): the ids may be in its "
                "alpha channel, or transparent pixels unlabeled, which only you know."
            )
    return _upright(image)


def _pictures(image):
    """How many pictures a file holds, without overviews and masks of a TIFF; the first is current after it."""
    number = getattr(image, "n_frames", 1)
    if number == 1 or not isinstance(image, TiffImageFile):
        return number
    kinds = []
    for frame in range(number):
        image.seek(frame)
        kinds.append(image.tag_v2.get(_SUBFILE, 0))
    image.seek(0)
    return 1 + sum(not kind & _BESIDE for kind in kinds[1:])


def _upright(image, exif=None):
    orientation = (image.getexif() if exif is None else exif).get(_ORIENTATION)
    return image.transpose(_UPRIGHT[orientation]) if orientation in _UPRIGHT else image


def _decoded(content, kind, where, convert):
    """``convert`` of the picture; whatever goes wrong is an error of the file."""
    refused = not_read(kind)
    if refused is not None:
        raise DataError(f"{where}: cannot be read: it is {refused[0]}.", Remedy(refused[1]))
    try:
        if kind.name == "PNG":
            _check_png(content)
        _refuse_truncated()
        image = Image.open(BytesIO(content), formats=_FORMATS)
        # whose palette is gray: Pillow takes its bits for those of the mode
        if kind.name == "BMP" and image.mode in _BMP_BITS and kind.bits != _BMP_BITS[image.mode]:
            raise DataError(
                f"{where}: cannot be read: it is a BMP of {kind.bits} bits whose palette is gray, of which Pillow reads wrong "
                "pixels.",
                Remedy("Save it as PNG."),
            )
        image.load()
        return convert(image)
    except DataError:
        raise
    except Image.DecompressionBombError as error:
        raise _too_large(where, str(error)) from None
    except UnidentifiedImageError:
        raise DataError(
            f"{where}: cannot be read, it is truncated or damaged, or a {kind.name} of a form that Pillow does not know. "
            "Copy or download it again, convert it to PNG, or remove it together with its partner."
        ) from None
    except Exception as error:  # Pillow's readers raise about anything for bytes that they did not expect
        reason = str(error) or type(error).__name__
    raise DataError(
        f"{where}: cannot be read, it is truncated or damaged ({reason}). Copy or download it again, or remove it "
        "together with its partner."
    )


def _too_large(where, text):
    number = re.search(r"\((\d+) pixels\)", text)
    return DataError(
        f"{where}: cannot be read: {text.partition(',')[0]}.",
        Remedy("Make it smaller, or cut it into several"),
        Remedy(
            "(if it comes from where you trust, set {}, half of its pixels).",
            {"PIL.Image.MAX_IMAGE_PIXELS": ... if number is None else int(number[1]) // 2 + 1},
        ),
    )


def _refuse_truncated():
    if ImageFile.LOAD_TRUNCATED_IMAGES:
        ImageFile.LOAD_TRUNCATED_IMAGES = False
        warnings.warn(
            "PIL.ImageFile.LOAD_TRUNCATED_IMAGES was on, by which the missing part of a truncated file would pass as "
            "black pixels. It is off now.",
            stacklevel=2,
        )


def _check_png(content):
    """Checks the checksum of each chunk, and that there is an end."""
    position, kind = len(_PNG_SIGNATURE), b""
    view = memoryview(content)
    while kind != b"IEND":
        if position + 12 > len(content):
            raise ValueError("its end is missing")
        length, kind = struct.unpack_from(">I4s", content, position)
        end = position + 12 + length
        if end > len(content):
            raise ValueError("its end is missing")
        if zlib.crc32(view[position + 4 : end - 4]) != int.from_bytes(view[end - 4 : end]):
            raise ValueError(f"the checksum of its chunk {kind.decode('latin-1')!r} is wrong")
        position = end


def _is_lossless_webp(content):
    """Whether the picture of a WebP is a chunk VP8L, and none is VP8, the lossy form."""
    position, kinds = 12, []
    while position + 8 <= len(content):
        kind, length = struct.unpack_from("<4sI", content, position)
        kinds.append(kind)
        position += 8 + length + length % 2
    return b"VP8L" in kinds and b"VP8 " not in kinds
