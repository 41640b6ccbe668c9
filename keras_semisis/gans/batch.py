"""A batch of several data sets, its parts by name."""

from collections import namedtuple
from functools import cache


@cache
def batch_class(data_sets: tuple[str, ...]) -> type[tuple]:
    """The named tuple of the batches of data sets of these names, which a model's phases are given.

    Args:
        data_sets: Names as `AdversarialModel.data_sets` has them; the ending ``_ds`` is left out.

    Returns:
        One and the same class for the same names, so that what is compiled for one batch fits the next.

    Example:

    >>> batch = batch_class(("paired_ds", "unpaired_ds"))(("photos", "label maps"), ("others", "more"))
    >>> batch.unpaired
    ('others', 'more')
    >>> image, label_map = batch.paired
    """
    return namedtuple("Batch", [name.removesuffix("_ds") for name in data_sets])
