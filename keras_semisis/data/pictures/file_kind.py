"""What a file is, from its first bytes: its format, and of a picture the bands, the depth and the size."""

import re
from dataclasses import dataclass
from io import BytesIO

from PIL import TiffImagePlugin

_CONVERT = "Convert it to PNG or JPEG (a label map to PNG)."
_AGAIN = "Download it again, logged in where that is needed."

# Of formats that are not read: begin, name, what to do
_SIGNATURES = (
    (b"GIF8", "a GIF", _CONVERT),
    (b"8BPS", "a Photoshop document", _CONVERT),
    (b"gimp xcf", "a GIMP document", _CONVERT),
    (b"%PDF", "a PDF", _CONVERT),
    (b"%!PS", "a PostScript document", _CONVERT),
    (b"\xc5\xd0\xd3\xc6", "an EPS", _CONVERT),
    (b"\0\0\0\x0cjP  ", "a JPEG 2000", _CONVERT),
    (b"\xff\x4f\xff\x51", "a JPEG 2000", _CONVERT),
    (b"\0\0\0\x0cJXL ", "a JPEG XL", _CONVERT),
    (b"\xff\x0a", "a JPEG XL", _CONVERT),
    (b"DDS ", "a DDS", _CONVERT),
    (b"v/1\x01", "an OpenEXR", "Convert it to an 8-bit PNG."),
    (b"#?RADIANCE", "a Radiance HDR", "Convert it to an 8-bit PNG."),
    (b"\x93NUMPY", "a NumPy array", "Write a photo or a label map as PNG."),
    (b"MATLAB 5.0", "a MATLAB file", "Write a photo or a label map as PNG."),
    (b"\x89HDF\r\n", "an HDF5 file", "Write a photo or a label map as PNG."),
    (b"PK\x03\x04", "a ZIP archive", "Unpack it."),
    (b"\x1f\x8b", "a gzip archive", "Unpack it."),
    (b"Rar!", "a RAR archive", "Unpack it."),
    (b"7z\xbc\xaf", "a 7z archive", "Unpack it."),
    (b"\x1aE\xdf\xa3", "a video", "Take single pictures out of it."),
)
# After "ftyp" in the container of video and of pictures that are coded as video
_BRANDS = {"an AVIF": (b"avif", b"avis"), "a HEIC": (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")}
_TEXTS = (
    (
        rb"version https://git-lfs",
        "a Git LFS pointer, not the file that it stands for",
        "Run `git lfs pull` in the repository.",
    ),
    (
        rb"(\.\./)*\.?git/annex/objects|/annex/objects/",
        "a git-annex pointer, not the file that it stands for",
        "Run `git annex get` in the repository.",
    ),
    (rb"<!doctype html|<html|<head|<body", "an HTML page, as a server sends it instead of a file", _AGAIN),
    (rb"<svg", "an SVG drawing", _CONVERT),
    (rb"(?s)<\?xml.{0,400}<svg", "an SVG drawing", _CONVERT),
    (rb"<\?xml|<", "an XML document, perhaps the message of a server", _AGAIN),
    (
        rb"[{\[]",
        "a JSON document",
        "Draw the outlines in it into a PNG of ids, where it holds labels, or download the file again.",
    ),
    (rb"P[1-7]\s", "a Netpbm picture", _CONVERT),
)
_NO_FORMAT = "no PNG, JPEG, BMP, TIFF or WebP"
# Values of tags of a TIFF: a sample format; RGB, inks, YCbCr, CIE L*a*b*; alpha, premultiplied or not
_FLOATS, _COLORS, _ALPHA = 3, (2, 5, 6, 8), (1, 2)
_MOST_BANDS = 4
_PLANES, _UNCOMPRESSED, _WHITE_IS_ZERO = 2, 1, 0


@dataclass(frozen=True)
class FileKind:
    """What a file is.

    Attributes:
        name: "PNG", "JPEG", "BMP", "TIFF" or "WEBP"; of others what to call them, such as "a HEIC".
        remedy: What to do where it is not read; None where it is.
        bands, bits: Bands, and bits of each; None where it has bands of 8 bits alone.
        is_floating: Whether its pixels are floating-point numbers.
        size: (width, height), where it was looked at.
        is_in_planes: Whether its bands lie one behind the other, uncompressed.
        is_color: Whether its bands are gray or an index, red, green and blue, or the four inks, and at most alpha.
        is_inverted: Whether its grays of more than 8 bits have white at 0, which Pillow leaves as it is.
    """

    name: str
    remedy: str | None = None
    bands: int | None = None
    bits: int | None = None
    is_floating: bool = False
    size: tuple[int, int] | None = None
    is_color: bool = True
    is_in_planes: bool = False
    is_inverted: bool = False


def kind_of(content: bytes) -> FileKind:
    """The kind of a file.

    Example:

    >>> kind_of(b"version https://git-lfs.github.com/spec/v1").name
    'a Git LFS pointer, not the file that it stands for'
    """
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return _png(content)
    if content.startswith(b"\xff\xd8\xff"):
        return FileKind("JPEG")
    if content.startswith(b"BM"):
        return _bmp(content)
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return FileKind("WEBP")
    if content[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return _tiff(content)
    if not content:
        return FileKind("empty (0 bytes)", "Copy or download it again, or remove it together with its partner.")
    for begin, name, remedy in _SIGNATURES:
        if content.startswith(begin):
            return FileKind(name, remedy)
    if content[4:8] == b"ftyp":
        return _container(content)
    if content[128:132] == b"DICM":
        return FileKind("a DICOM file", "Write the picture in it as PNG.")
    return _text(content)


def _png(content):
    if len(content) < 29:
        return FileKind("PNG")
    bands = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}.get(content[25])
    size = int.from_bytes(content[16:20]), int.from_bytes(content[20:24])
    return FileKind("PNG", bands=bands, bits=content[24], size=size)


def _bmp(content):
    at = 24 if content[14:18] == b"\x0c\0\0\0" else 28  # after a header of the first version, of 12 bytes
    bits = int.from_bytes(content[at : at + 2], "little")
    return FileKind("BMP", bands=1, bits=bits) if 0 < bits <= 8 else FileKind("BMP")


def _tiff(content):
    try:
        header = content[:16] if b"+" in content[:4] else content[:8]
        tags = TiffImagePlugin.ImageFileDirectory_v2(header)
        stream = BytesIO(content)
        stream.seek(tags.next)
        tags.load(stream)
        bands = int(tags.get(TiffImagePlugin.SAMPLESPERPIXEL, 1))
        bits = max(map(int, tags.get(TiffImagePlugin.BITSPERSAMPLE, (1,))))
        size = int(tags[TiffImagePlugin.IMAGEWIDTH]), int(tags[TiffImagePlugin.IMAGELENGTH])
        floating = _FLOATS in tags.get(TiffImagePlugin.SAMPLEFORMAT, (1,))
        in_planes = tags.get(TiffImagePlugin.PLANAR_CONFIGURATION, 1) == _PLANES
        uncompressed = tags.get(TiffImagePlugin.COMPRESSION, 1) == _UNCOMPRESSED
        photometric = tags.get(TiffImagePlugin.PHOTOMETRIC_INTERPRETATION)
        alpha = any(extra in _ALPHA for extra in tags.get(TiffImagePlugin.EXTRASAMPLES, ()))
    except Exception:  # of a damaged file, for which Pillow has the words
        return FileKind("TIFF")
    return FileKind(
        "TIFF",
        bands=bands,
        bits=bits,
        is_floating=floating,
        size=size,
        is_color=photometric in _COLORS if bands > 2 else bands == 1 or alpha,
        is_in_planes=in_planes and uncompressed,
        is_inverted=photometric == _WHITE_IS_ZERO and bits > 8,
    )


def _container(content):
    brands = content[8 : 16 + 4 * 16]
    for name, known in _BRANDS.items():
        if any(brand in brands for brand in known) and not (name == "a HEIC" and b"avif" in brands):
            return FileKind(name, "Convert it to PNG or JPEG.")
    if content[8:11] == b"crx":
        return FileKind("a raw photo", "Develop it to PNG or JPEG.")
    return FileKind("a video", "Take single pictures out of it.")


def _text(content):
    begin = content[:2000].removeprefix(b"\xef\xbb\xbf").lstrip()
    for pattern, name, remedy in _TEXTS:
        if re.match(pattern, begin, re.IGNORECASE):
            return FileKind(name, remedy)
    try:
        is_text = "\0" not in begin[:1000].decode("utf-8", "strict") and bool(begin)
    except UnicodeDecodeError as error:
        is_text = error.start > len(begin[:1000]) - 4 and b"\0" not in begin
    if is_text:
        return FileKind("text", _AGAIN)
    return FileKind("of an unknown format", "Copy or download it again, or convert it to PNG or JPEG.")


def not_read(kind: FileKind) -> tuple[str, str] | None:
    """What a file is that is not read, whether photo or label map, and what to do; None of others.

    Example:

    >>> not_read(FileKind("TIFF", bands=8, bits=16))[0]
    'a TIFF of 8 bands of 16 bits'
    """
    if kind.remedy is not None:
        return f"{kind.name}, {_NO_FORMAT}", kind.remedy
    if kind.name != "TIFF" or kind.bands is None or kind.bits is None:
        return None
    of_bits = f"{kind.bits}-bit floating-point numbers" if kind.is_floating else f"{kind.bits} bits"
    what = f"a TIFF of {kind.bands} bands of {of_bits}" if kind.bands > 1 else f"a TIFF of {of_bits}"
    colors = "Export its bands for red, green and blue as an 8-bit PNG or TIFF; ids as one band of 8 or 16 bits."
    if not kind.is_color or kind.bands > _MOST_BANDS or (kind.bands > 1 and (kind.is_floating or kind.bits > 16)):
        return what, colors
    if kind.is_in_planes and kind.bands > 1 and kind.bits > 8:  # of which Pillow reads half of each row
        return f"{what}, one behind the other", "Export it with its bands side by side (planar configuration 1), or as PNG."
    if kind.is_floating and kind.bits != 32:
        return what, "Export it with 8 bits, or as 32-bit floating-point numbers."
    return None
