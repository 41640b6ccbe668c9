"""Picture files that Pillow does not write."""

import struct
import zlib

import numpy as np


def png_of_16_bits(array: np.ndarray) -> bytes:
    """A PNG of 16-bit gray with alpha, RGB or RGBA: uint16 ``(H, W, 2)``, ``(H, W, 3)`` or ``(H, W, 4)``."""
    height, width, bands = array.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in array)
    header = struct.pack(">IIBBBBB", width, height, 16, {2: 4, 3: 2, 4: 6}[bands], 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        chunk(kind, data) for kind, data in ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    )


def chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def tiff(array: np.ndarray, photometric: int, extra: tuple[int, ...] = (), compressed: bool = False, order: str = "<") -> bytes:
    """A TIFF of any number of bands.

    Args:
        array: ``(H, W)`` or ``(H, W, bands)`` of any numbers.
        photometric: 1 is gray (or anything), 2 RGB.
        extra: What each band after the first ones is: 0 unknown, 1 alpha that the others are multiplied with, 2 alpha.
        compressed: Whether it is deflated.
        order: Of bytes: "<" or ">".
    """
    height, width = array.shape[:2]
    bands = 1 if array.ndim == 2 else array.shape[2]
    data = array.astype(array.dtype.newbyteorder(order)).tobytes()
    data = zlib.compress(data) if compressed else data
    tags = {
        256: ("I", [width]),
        257: ("I", [height]),
        258: ("H", [array.dtype.itemsize * 8] * bands),
        259: ("H", [8 if compressed else 1]),
        262: ("H", [photometric]),
        273: ("I", [0]),
        277: ("H", [bands]),
        278: ("I", [height]),
        279: ("I", [len(data)]),
        338: ("H", list(extra)),
        339: ("H", [{"u": 1, "i": 2, "f": 3}[array.dtype.kind]] * bands),
    }
    tags = {tag: value for tag, value in tags.items() if value[1]}
    end = 8 + 2 + 12 * len(tags) + 4
    long = {tag: struct.pack(f"{order}{len(values)}{form}", *values) for tag, (form, values) in tags.items()}
    long = {tag: packed for tag, packed in long.items() if len(packed) > 4}
    tags[273] = ("I", [end + sum(map(len, long.values()))])
    entries, behind = b"", b""
    for tag, (form, values) in tags.items():
        packed = struct.pack(f"{order}{len(values)}{form}", *values)
        entries += struct.pack(f"{order}HHI", tag, 3 if form == "H" else 4, len(values))
        entries += struct.pack(f"{order}I", end + len(behind)) if tag in long else packed.ljust(4, b"\0")
        behind += long.get(tag, b"")
    return {"<": b"II*\0", ">": b"MM\0*"}[order] + struct.pack(f"{order}IH", 8, len(tags)) + entries + bytes(4) + behind + data


def tiff_in_planes(array: np.ndarray, compressed: bool = False) -> bytes:
    """A TIFF of RGB whose bands lie one behind the other: ``(H, W, 3)``.

    The strips of the bands have one length, and the offsets lie where those of one strip's would.
    """
    height, width = array.shape[:2]
    strips = [array[..., band].astype(array.dtype.newbyteorder("<")).tobytes() for band in range(3)]
    strips = [zlib.compress(strip) for strip in strips] if compressed else strips
    bits = array.dtype.itemsize * 8
    long = [(258, "H", [bits] * 3), (273, "I", [0] * 3), (279, "I", [len(strip) for strip in strips])]
    short = [(256, width), (257, height), (259, 8 if compressed else 1), (262, 2), (277, 3), (278, height), (284, 2)]
    behind = 8 + 2 + 12 * (len(long) + len(short)) + 4
    first = behind + sum(struct.calcsize(f"3{form}") for _, form, _ in long)
    long[1] = (273, "I", [first + sum(map(len, strips[:band])) for band in range(3)])
    entries, values = {}, b""
    for tag, form, three in long:
        entries[tag] = struct.pack("<HHII", tag, 3 if form == "H" else 4, 3, behind + len(values))
        values += struct.pack(f"<3{form}", *three)
    entries |= {tag: struct.pack("<HHII", tag, 4, 1, value) for tag, value in short}
    directory = b"".join(entry for _, entry in sorted(entries.items()))
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + directory + bytes(4) + values + b"".join(strips)


def bmp(indices: np.ndarray, palette: list[tuple[int, int, int]], bits: int, old: bool = False) -> bytes:
    """A BMP of indices ``(H, W)`` with a palette, of 1, 4 or 8 bits; ``old`` has the header of the first version."""
    height, width = indices.shape
    colors = b"".join(bytes(color[::-1]) + (b"" if old else b"\0") for color in palette)
    if old:
        header = struct.pack("<IHHHH", 12, width, height, 1, bits)
        colors = colors.ljust(3 << bits, b"\0")
    else:
        header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, 0, 0, 0, 0, len(palette), 0)
    rows = b""
    for row in indices[::-1]:
        text = "".join(f"{value:0{bits}b}" for value in row)
        text = text.ljust(-(-len(text) // 32) * 32, "0")
        rows += int(text, 2).to_bytes(len(text) // 8)
    start = 14 + len(header) + len(colors)
    return b"BM" + struct.pack("<IHHI", start + len(rows), 0, 0, start) + header + colors + rows
