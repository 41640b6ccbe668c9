"""The padding of a layer, which is a number here, not a word."""

from typing import Any

import numpy as np


def checked_padding(layer: str, padding: Any, kernel_size: int, strides: int) -> int:
    """The number of zero rows and columns on each side.

    Args:
        layer: Name of the layer, for messages.
        padding: What was given.
        kernel_size: Side of the square kernel.
        strides: Stride in both directions.

    Raises:
        ValueError: If it is no whole number, or negative; the message has the number that is Keras's "same", where the stride
            divides height and width.

    Example:

    >>> checked_padding("SpectralConv2D", 1, kernel_size=4, strides=2)
    1
    """
    if isinstance(padding, int | np.integer) and not isinstance(padding, bool) and padding >= 0:
        return int(padding)
    same = (kernel_size - 1) // 2
    if kernel_size % 2 == 0 and strides == 1:
        words = f'; none is "same": padding={same} leaves out a row and a column, padding={same + 1} adds one'
    else:
        words = f', padding={same} is "same"'
    raise ValueError(
        f"{layer}: padding={padding!r}: a whole number is expected, 0 or more: that of zero rows and columns on each side. "
        f'Of Keras\'s words, padding=0 is "valid"{words}.'
    )
