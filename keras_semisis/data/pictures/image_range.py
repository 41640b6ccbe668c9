"""Photos of more than 8 bits, in 8: what their values mean."""

import numpy as np

from keras_semisis.data.data_error import DataError
from keras_semisis.data.remedy import Remedy

# What 16 bits hold of photos of 14 bits and less ends below
DARK = 2**14
_USUAL_BITS = (8, 10, 12, 14, 16)
FULL_RANGE = (0, 65535)


def in_eight_bits(values: np.ndarray, where: str, image_range: tuple[float, float] | None) -> np.ndarray:
    """Gray or colors of 16 bits, gray of 32 or of floating-point numbers, as uint8.

    Args:
        values: ``(H, W)`` or ``(H, W, 3)``.
        where: The file, for messages.
        image_range: The values that become 0 and 255; what lies outside becomes so too. None takes the whole range of 16 bits.

    Raises:
        DataError: If there is no range, and the values are not those of 16 bits; if a range that is one of whole bits is
            exceeded; or a value is not finite.

    Example:

    >>> in_eight_bits(np.array([[0, 2048, 4095]]), "xray.png", (0, 4095)).tolist()
    [[0, 128, 255]]
    """
    floating = np.issubdtype(values.dtype, np.floating)
    if floating and not np.isfinite(values).all():
        raise DataError(
            f"{where}: {np.count_nonzero(~np.isfinite(values))} of its floating-point pixels are not finite. Give "
            "them a value, or remove the file together with its partner."
        )
    low, high = float(values.min(initial=0)), float(values.max(initial=0))
    if image_range is None:
        _check_without_range(low, high, floating, where)
        image_range = FULL_RANGE
    first, last = image_range
    if not floating and first == 0 and _is_of_bits(last) and high > last:
        raise DataError(
            f"{where}: its values reach {high:.0f}, but those of image_range end at {last}.",
            Remedy("Give {}.", {"image_range": (0, 2 ** usual_bits(int(high)) - 1)}),
        )
    scaled = (values.astype(np.float64) - first) / (last - first)
    eight = np.rint(scaled * 255) if floating else np.floor(scaled * (last - first) * 256 / (last - first + 1))
    return eight.clip(0, 255).astype(np.uint8)


def checked_range(image_range: tuple[float, float]) -> tuple[float, float]:
    """The range, if it is one.

    Raises:
        ValueError: If it is not.
    """
    if len(image_range) != 2 or not all(np.isfinite(image_range)) or not image_range[0] < image_range[1]:
        raise ValueError(
            f"image_range={image_range} is no range of values: give the two that become black and white, such as (0, 4095)."
        )
    return image_range[0], image_range[1]


def _check_without_range(low, high, floating, where):
    found = f"{where}: its values are {'floating-point, ' if floating else ''}{low:.5g} to {high:.5g}, and"
    if floating:
        likely = next(((0, end) for end in (1, 255) if 0 <= low and high <= end), ...)
        sentence = "Say so by {}, or export it with 8 bits." if likely is ... else "Give {}, or export it with 8 bits."
        raise DataError(f"{found} no range says what is black and what white.", Remedy(sentence, {"image_range": likely}))
    if low < 0 or high > FULL_RANGE[1]:
        raise DataError(
            f"{found} those of 16 bits are 0 to {FULL_RANGE[1]}.",
            Remedy("Say by {} what is black and what white, or export it with 8 bits.", {"image_range": ...}),
        )
    if 0 < high < DARK:
        bits = usual_bits(int(high))
        raise DataError(
            f"{found} those of 16 bits are 0 to {FULL_RANGE[1]}: it would be nearly black. It has {bits} bits.",
            Remedy("Give {},", {"image_range": (0, 2**bits - 1)}),
            Remedy("or {} if it is as dark as that.", {"image_range": FULL_RANGE}),
        )


def usual_bits(value: int) -> int:
    """The depth, of those that cameras and scanners have, that holds a value."""
    return next((bits for bits in _USUAL_BITS if value < 2**bits), 32)


def _is_of_bits(last):
    return last in [2**bits - 1 for bits in _USUAL_BITS]
