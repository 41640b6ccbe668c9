"""How the ids in label files become class ids."""

from collections.abc import Mapping
from operator import index

import numpy as np

from keras_semisis.data.data_error import DataError
from keras_semisis.data.remedy import Remedy


def integer_ids(id_map: Mapping[int, int] | None) -> dict[int, int]:
    """``id_map`` as a dictionary; empty where there is none.

    Raises:
        ValueError: If one of its ids is no integer: as text, such as a JSON file has, it would never be found in a label map.

    Example:

    >>> integer_ids({np.uint8(255): 1})
    {255: 1}
    """
    try:
        return {index(stored): index(to) for stored, to in (id_map or {}).items()}
    except TypeError:
        raise ValueError(
            f"id_map={id_map!r:.100}, but stored ids and class ids are integers, such as {{255: 1}}. Convert them by int()."
        ) from None


def remap(label_map: np.ndarray, id_map: Mapping[int, int]) -> np.ndarray:
    """The label map with the ids that are keys of ``id_map`` replaced, or itself if there are none.

    uint8 where it was and still fits, else int32.
    """
    if not id_map:
        return label_map
    if label_map.dtype == np.uint8:
        table = np.array([id_map.get(i, i) for i in range(256)], np.int32)
        return table.astype(np.uint8 if 0 <= table.min() and table.max() < 256 else np.int32).take(label_map)
    remapped = label_map.astype(np.int32)
    for old, new in id_map.items():
        remapped[label_map == old] = new
    return remapped


def class_ids(label_map: np.ndarray, id_map: Mapping[int, int], where: str) -> np.ndarray:
    """The label map with each stored id replaced by what ``id_map`` says.

    Args:
        label_map: Ids as stored.
        id_map: Stored id → class id, all that there are.
        where: The file, for messages.

    Raises:
        DataError: If an id is no key of ``id_map``.
    """
    if label_map.dtype == np.uint8:
        classes = remap(label_map, dict.fromkeys(range(256), -1) | dict(id_map))
    else:
        classes = np.full(label_map.shape, -1, np.int32)
        for stored, to in id_map.items():
            classes[label_map == stored] = to
    if classes.min(initial=0) < 0:
        stray = label_map[classes < 0]
        # of classes that have no ids of their own
        unlabeled = (stray == 255).all() and all(stored == to for stored, to in id_map.items())
        raise DataError(
            f"{where}: label id {named_ids(stray)} found, which this data set has not: its ids are "
            f"{_ranges(id_map)}. The file may belong to another data set, or its ids have been changed.",
            *([Remedy("If it marks unlabeled pixels, give {}.", {"ignore_class": 255})] if unlabeled else []),
        )
    return classes


def _ranges(ids):
    """``"-1..33, 255"``."""
    parts: list[list[int]] = []
    for i in sorted(ids):
        if parts and parts[-1][1] == i - 1:
            parts[-1][1] = i
        else:
            parts.append([i, i])
    return ", ".join(f"{first}" if first == last else f"{first}..{last}" for first, last in parts)


def named_ids(stray: np.ndarray) -> str:
    """The ids of stray pixels, and how many there are of each, for messages.

    Example:

    >>> named_ids(np.array([77, 255, 77]))
    '77 (2 pixels), 255 (1 pixel)'
    """
    ids, counts = np.unique(stray, return_counts=True)
    listed = [f"{i} ({n} pixel{'' if n == 1 else 's'})" for i, n in zip(ids.tolist(), counts.tolist(), strict=True)]
    return ", ".join(listed[:5]) + (", ..." if len(listed) > 5 else "")
