"""Colors for classes of which nobody has said one."""


def distinct_colors(number: int) -> list[tuple[int, int, int]]:
    """RGB colors that differ from each other: those of PASCAL VOC, whose id bits lie in all channels.

    Example:

    >>> distinct_colors(3)
    [(0, 0, 0), (128, 0, 0), (0, 128, 0)]
    """

    def channel(i, first):
        return sum(((i >> (3 * bit + first)) & 1) << (7 - bit) for bit in range(8))

    return [tuple(channel(i, first) for first in range(3)) for i in range(number)]
