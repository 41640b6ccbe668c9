"""Photos of several bands of 16 bits: Pillow has no mode for them, and gives the upper byte of each value alone."""

import sys
from io import BytesIO

import numpy as np
from PIL import Image
from PIL.TiffImagePlugin import PLANAR_CONFIGURATION

_PLANES = 2  # bands that lie one behind the other
# How Pillow names the order of the two bytes; N is that of this machine
_OTHER_ORDER = {"B": "L", "L": "B", "N": "B" if sys.byteorder == "little" else "L"}


def colors_of_16_bits(content: bytes) -> np.ndarray | None:
    """The colors of a PNG or TIFF of 16 bits, whole.

    The file is decoded twice, the second time as if the two bytes of a value were in the other order, so that the lower byte
    comes where Pillow takes the upper one.

    Args:
        content: The bytes of the file, which Pillow reads as RGB or RGBA.

    Returns:
        uint16 ``(H, W, 3)``; None of what has other forms than bands of values side by side: inks, colors that alpha has been
        multiplied with, bands one behind the other.
    """
    upper, lower = (_bytes_of_values(content, order) for order in ("as it is", "other"))
    return None if upper is None or lower is None else upper.astype(np.uint16) << 8 | lower


def _bytes_of_values(content, order):
    image = Image.open(BytesIO(content))
    forms = {tile[3] if isinstance(tile[3], str) else (tile[3] or ("",))[0] for tile in image.tile}
    if forms == {"LA;16B"}:  # four bytes a pixel, which are read as four bands
        image.tile = [_with_arguments(tile, "RGBA") for tile in image.tile]
        return np.repeat(np.asarray(image)[..., [0 if order == "as it is" else 1]], 3, axis=2)
    planes = getattr(image, "tag_v2", {}).get(PLANAR_CONFIGURATION) == _PLANES
    if planes or not forms or not all(form[:-1] in ("RGB;16", "RGBA;16", "RGBX;16") for form in forms):
        return None
    if order == "other":
        image.tile = [_with_arguments(tile, _in_other_order(tile[3])) for tile in image.tile]
    image.load()
    return np.asarray(image)[..., :3]


def _with_arguments(tile, arguments):
    return tile._replace(args=arguments) if hasattr(tile, "_replace") else (*tile[:3], arguments)


def _in_other_order(arguments):
    """Arguments of Pillow's decoders, of which the first or the only one says how values are stored."""
    if isinstance(arguments, str):
        return arguments[:-1] + _OTHER_ORDER[arguments[-1]]
    return (_in_other_order(arguments[0]), *arguments[1:])
