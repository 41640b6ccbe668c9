"""From the bytes of an image file to a photo or a label map, or to one error that names the file.

Nothing that a file holds may end in another exception, or pass as labels that nobody drew. Pillow leaves two things to us: it
does not check the checksums of a PNG's pixels, nor that the file ends where it should.
"""

import errno
import os
import stat
import struct
import warnings
import zlib
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageFile, UnidentifiedImageError

from keras_semisis.data.data_error import DataError

if TYPE_CHECKING:
    from keras_semisis.data.label_space import LabelSpace

# Others would be opened too, whatever the suffix says, and by programs of their own: an EPS is run by Ghostscript
_FORMATS = ("PNG", "JPEG", "BMP", "TIFF", "WEBP")
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_ORIENTATION, _BITS_PER_SAMPLE = 0x0112, 258
_UPRIGHT = {2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
            5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE,
            8: Image.Transpose.ROTATE_90}


def read_image(path: Path) -> np.ndarray:
    """A photo as uint8 RGB ``(H, W, 3)``; see `decode_image`.

    Raises:
        DataError: If the file is missing, truncated or damaged, or no image.
    """
    return decode_image(read_bytes(path), str(path))


def read_label_map(path: Path, label_space: "LabelSpace | None") -> np.ndarray:
    """A label map as integers ``(H, W)``, as stored: neither remapped nor checked; see `decode_label_map`.

    Raises:
        DataError: If the file is missing, truncated or damaged, or its pixels are not clearly ids.
    """
    return decode_label_map(read_bytes(path), label_space, str(path))


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


def unreadable(path: Path, error: OSError) -> DataError:
    """What to tell about a file that the system does not open."""
    if error.errno == errno.ELOOP:
        return DataError(f"{path}: this symbolic link leads back to itself. Correct or remove it.")
    if isinstance(error, FileNotFoundError) and path.is_symlink():
        return DataError(f"{path}: this symbolic link leads to {os.readlink(path)}, where there is no file. Correct it, mount "
                         "what it leads to, or remove it together with its partner.")
    if isinstance(error, FileNotFoundError):
        return DataError(f"{path}: the file has gone since the folder was listed. Put it back, or build the source again.")
    return DataError(f"{path}: cannot be read ({error.strerror or error}). Check the disk and who may read the file.")


def decode_image(content: bytes, where: str) -> np.ndarray:
    """A photo as uint8 RGB ``(H, W, 3)``.

    Grey becomes RGB, CMYK is converted, of 16 bits the upper 8 are taken, transparency is dropped, EXIF rotation applied.

    Args:
        content: The bytes of a PNG, JPEG, BMP, TIFF or WebP file.
        where: The file, for messages.

    Raises:
        DataError: If they are truncated or damaged, or no such image.
    """
    return _decoded(content, where, _rgb)


def _rgb(image):
    image = _upright(image)
    if image.mode == "F":
        raise ValueError("floating-point pixels: export it with 8 bits")
    if image.mode.startswith("I"):  # 16-bit grey, which Pillow would clip at 255
        image = Image.fromarray((np.asarray(image).astype(np.int64) >> 8).clip(0, 255).astype(np.uint8))
    if "transparency" in image.info:  # of a palette: Pillow warns of a direct conversion
        image = image.convert("RGBA")
    return np.asarray(image if image.mode == "RGB" else image.convert("RGB"))


def decode_label_map(content: bytes, label_space: "LabelSpace | None", where: str) -> np.ndarray:
    """A label map as integers ``(H, W)``, as stored: neither remapped nor checked.

    Grey (8 or 16 bit), 1-bit and palette-mode files hold ids (palette mode: the indices, whatever their colours); RGB files
    are decoded with the colours of ``label_space``. An EXIF rotation is applied as to photos. What programs read differently
    is refused: grey of 2 or 4 bits (scaled or not), colours of 16 bits, several pictures in a file; and so are JPEG and lossy
    WebP, which alter ids.

    Args:
        content: The bytes of the file. Of its formats only PNG has checksums by which damage is sure to be found.
        label_space: Where RGB colours are looked up; None if there is no palette.
        where: The file, for messages.

    Raises:
        DataError: If the bytes are truncated or damaged, their pixels not clearly ids, or there are colours that no palette
            explains.
    """
    image = _decoded(content, where, lambda image: _with_ids(image, content, where))
    if image.mode in ("L", "P", "1"):
        return np.asarray(image).astype(np.uint8, copy=False)
    if image.mode.startswith("I"):
        return np.asarray(image).astype(np.int32)
    if image.mode in ("LA", "PA"):
        return np.asarray(image)[..., 0]
    if label_space is None:
        raise DataError(f"{where}: this label map has colours (mode {image.mode}), and no palette says what they mean. Give "
                        "palette= (one RGB colour per class id), a label_space= or a classes.csv, or store ids in a grey PNG.")
    return decode_colours(np.asarray(image.convert("RGB")), label_space, where)


def _with_ids(image, content, where):
    """The picture, if its pixels can be nothing but ids or colours of a palette."""
    def refused(what):
        return DataError(f"{where}: this label map {what} Store ids in an 8- or 16-bit grey PNG, or 8-bit palette colours.")

    bits, colour_type = _png_header(content)
    if image.format == "TIFF":
        bits = image.tag_v2.get(_BITS_PER_SAMPLE, (8,))[0]
    if image.format in ("JPEG", "MPO") or image.info.get("compression") in ("jpeg", "tiff_jpeg"):
        raise refused("is a JPEG, which alters ids and colours.")
    if image.info.get("compression") == "webp" or (image.format == "WEBP" and not _is_lossless_webp(content)):
        raise refused("is a WebP that is not lossless, which alters ids and colours.")
    if getattr(image, "n_frames", 1) > 1:
        raise refused(f"holds {image.n_frames} pictures, and it is not clear which one counts.")
    if image.mode == "L" and bits in (2, 4):
        raise refused(f"is grey of {bits} bits, which some programs scale to 0..255 and others do not.")
    if bits == 16 and colour_type in (2, 4, 6):
        raise refused("has colours or transparency of 16 bits, of which half would be lost.")
    if image.mode not in ("1", "L", "P", "LA", "PA", "RGB", "RGBA") and not image.mode.startswith("I"):
        raise refused(f"is of mode {image.mode}, which is neither ids nor RGB colours.")
    return _upright(image)


def _upright(image):
    orientation = image.getexif().get(_ORIENTATION)
    return image.transpose(_UPRIGHT[orientation]) if orientation in _UPRIGHT else image


def decode_colours(rgb: np.ndarray, label_space: "LabelSpace", where: str) -> np.ndarray:
    """Class ids (int32 ``(H, W)``) of the colours of uint8 ``(H, W, 3)``.

    Raises:
        DataError: If a colour is not in the palette, or two classes share one.
    """
    packed = _packed(rgb)
    colours = _packed(np.asarray(label_space.palette))
    order = np.argsort(colours, kind="stable")
    twice = np.flatnonzero(np.diff(colours[order]) == 0)
    if len(twice):
        first, second = order[twice[0]], order[twice[0] + 1]
        raise DataError(f"{where}: classes {first} and {second} share the colour {label_space.palette[first]}, so this RGB "
                        "label map is ambiguous. Store ids in a grey PNG, or give each class its own colour.")
    found = order[np.searchsorted(colours[order], packed).clip(max=len(order) - 1)]
    unknown = colours[found] != packed
    if unknown.any():
        values, counts = np.unique(packed[unknown], return_counts=True)
        most = int(values[counts.argmax()])
        hint = (" Label maps must be resized with nearest neighbour, and without smoothing." if len(values) > 5 else "")
        if np.isin(_packed(rgb[..., ::-1]), colours).all():
            hint = " Its channels are in the order blue, green, red, as OpenCV has them: write them as RGB."
        raise DataError(
            f"{where}: colour ({most >> 16}, {most >> 8 & 255}, {most & 255}) covers {counts.max()} pixels and is not in the "
            f"palette of {label_space.num_classes} colours ({len(values)} unknown colours in all). Add it to the palette if it "
            f"is a class.{hint}")
    return found.astype(np.int32)


def _packed(rgb):
    return rgb.astype(np.int32) @ np.array([65536, 256, 1], np.int32)


def _decoded(content, where, convert):
    """``convert`` of the picture; whatever goes wrong is an error of the file."""
    try:
        if content.startswith(_PNG_SIGNATURE):
            _check_png(content)
        _refuse_truncated()
        image = Image.open(BytesIO(content), formats=_FORMATS)
        image.load()
        return convert(image)
    except DataError:
        raise
    except UnidentifiedImageError:
        reason = "no PNG, JPEG, BMP, TIFF or WebP"
    except Exception as error:  # Pillow's readers raise about anything for bytes that they did not expect
        reason = str(error) or type(error).__name__
    raise DataError(f"{where}: cannot be read, it is truncated or damaged ({reason}). Copy or download it again, or remove it "
                    "together with its partner.")


def _refuse_truncated():
    if ImageFile.LOAD_TRUNCATED_IMAGES:
        ImageFile.LOAD_TRUNCATED_IMAGES = False
        warnings.warn("PIL.ImageFile.LOAD_TRUNCATED_IMAGES was on, by which the missing part of a truncated file would pass as "
                      "black pixels. It is off now.", stacklevel=2)


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
        if zlib.crc32(view[position + 4:end - 4]) != int.from_bytes(view[end - 4:end]):
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


def _png_header(content):
    """Bits a sample and colour type of a PNG; None, None of another format."""
    return (content[24], content[25]) if content.startswith(_PNG_SIGNATURE) else (None, None)
