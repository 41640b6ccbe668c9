"""Classes that a part of the data does not show."""

import numpy as np

from keras_semisis.ahead import in_order
from keras_semisis.data.sources.source import Source
from keras_semisis.data.statistics.pixel_counts import counts_of

_CHUNK = 16


def missing_classes(paired: Source, whole: Source) -> list[str]:
    """Names of the classes that ``whole`` has and ``paired`` has not, the don't-care class left out.

    Reads every label map of ``paired``, and of ``whole`` as many as it takes to find the missing classes, but for those whose
    counts a source knows.

    Args:
        paired: A source with label maps.
        whole: The source that it was taken from, or another.

    Returns:
        Class names, in the order of their ids.
    """
    space = paired.label_space
    absent = np.ones(space.num_classes, bool)
    if space.ignore_class is not None:
        absent[space.ignore_class] = False
    for counts in in_order(lambda i: counts_of(paired, i), 0, len(paired), _CHUNK):
        absent &= counts == 0
        if not absent.any():
            return []
    found = np.zeros(space.num_classes, bool)
    for counts in in_order(lambda i: counts_of(whole, i), 0, len(whole), _CHUNK):
        found |= absent & (counts > 0)
        if (found == absent).all():
            break
    return [space.class_names[c] for c in np.flatnonzero(found).tolist()]
