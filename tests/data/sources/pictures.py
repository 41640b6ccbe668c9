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
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    )


def tiff(array: np.ndarray, photometric: int, extra: tuple[int, ...] = ()) -> bytes:
    """An uncompressed TIFF of any number of bands.

    Args:
        array: ``(H, W)`` or ``(H, W, bands)`` of any numbers.
        photometric: 1 is gray (or anything), 2 RGB.
        extra: What each band after the first ones is: 0 unknown, 2 alpha.
    """
    height, width = array.shape[:2]
    bands = 1 if array.ndim == 2 else array.shape[2]
    data = array.astype(array.dtype.newbyteorder("<")).tobytes()
    tags = {
        256: ("I", [width]),
        257: ("I", [height]),
        258: ("H", [array.dtype.itemsize * 8] * bands),
        259: ("H", [1]),
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
    long = {tag: struct.pack(f"<{len(values)}{form}", *values) for tag, (form, values) in tags.items()}
    long = {tag: packed for tag, packed in long.items() if len(packed) > 4}
    tags[273] = ("I", [end + sum(map(len, long.values()))])
    entries, behind = b"", b""
    for tag, (form, values) in tags.items():
        packed = struct.pack(f"<{len(values)}{form}", *values)
        entries += struct.pack("<HHI", tag, 3 if form == "H" else 4, len(values))
        entries += struct.pack("<I", end + len(behind)) if tag in long else packed.ljust(4, b"\0")
        behind += long.get(tag, b"")
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4) + behind + data
