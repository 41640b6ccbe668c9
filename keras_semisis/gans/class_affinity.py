"""Which former classes a new class resembles: by names, by pairs, or as the user says."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from keras_semisis.data import LabelSpace

# Of the words of two names, the share that they have in common from which on they are taken for similar
_SIMILAR = 0.5


def affinity_of_names(label_space: LabelSpace, former: LabelSpace) -> np.ndarray:
    """The matrix from classes to former classes of equal, or else similar, names.

    Names are equal whatever their case, separators and plural ("Traffic_Lights", "traffic light"), and similar where they
    share half of their words ("pole" and "Column_Pole", "sky" and "sky-other"). Of several synonyms ("car, auto") each
    counts. The don't-care classes are each other's.

    Args:
        label_space, former: The classes, and those that the model has learned.

    Returns:
        float64 ``(num_classes, former classes)``: rows whose sum is 1, shared between those that are equally near; zeros where
        none is.

    Example:

    >>> space = LabelSpace(("Road", "Column_Pole", "cat"), ((0, 0, 0),) * 3)
    >>> affinity_of_names(space, LabelSpace(("pole", "roads"), ((0, 0, 0),) * 2)).tolist()
    [[0.0, 1.0], [1.0, 0.0], [0.0, 0.0]]
    """
    ours, theirs = ([_synonyms(name) for name in space.class_names] for space in (label_space, former))
    scores = np.array([[max(_similarity(a, b) for a in mine for b in other) for other in theirs] for mine in ours])
    if label_space.ignore_class is not None and former.ignore_class is not None:
        scores[label_space.ignore_class] = np.arange(former.num_classes) == former.ignore_class
    best = scores.max(1, keepdims=True)
    nearest = (scores == best) & (best >= _SIMILAR)
    return nearest / np.maximum(nearest.sum(1, keepdims=True), 1)


def affinity_of_pairs(
    batches: Any, segment: Callable[[np.ndarray], np.ndarray], num_classes: int, former_classes: int
) -> np.ndarray:
    """The matrix of what a network that segments by former classes sees in the pixels of each class.

    Args:
        batches: Iterable of batches ``(images, label_maps)``.
        segment: From photos to label maps of former classes.
        num_classes, former_classes: Numbers of classes.

    Returns:
        float64 ``(num_classes, former_classes)``: the share of each former class in the pixels of a class; zeros for a class
        that has none.
    """
    counts = np.zeros((num_classes, former_classes))
    for images, label_maps in batches:
        np.add.at(counts, (np.asarray(label_maps), segment(images)), 1)
    return counts / np.maximum(counts.sum(1, keepdims=True), 1)


def given_affinity(affinity: Any, label_space: LabelSpace, former: LabelSpace) -> tuple[np.ndarray, np.ndarray]:
    """What a user says of the matrix.

    Args:
        affinity: The matrix; or, for some classes, the name of the former class, or the weight of each by name.
        label_space, former: The classes, and those that the model has learned.

    Returns:
        The matrix, and which of its rows are given.

    Raises:
        ValueError: If there is no such class, or the matrix is of others.

    Example:

    >>> space, former = (LabelSpace(names, ((0, 0, 0),) * 2) for names in (("path", "tree"), ("road", "plant")))
    >>> matrix, given = given_affinity({"path": {"road": 0.5, "plant": 0.5}}, space, former)
    >>> matrix.tolist(), given.tolist()
    ([[0.5, 0.5], [0.0, 0.0]], [True, False])
    """
    matrix = np.zeros((label_space.num_classes, former.num_classes))
    if isinstance(affinity, Mapping):
        given = np.zeros(label_space.num_classes, bool)
        for name, mixture in affinity.items():
            row = _index(name, label_space, "the new classes")
            given[row] = True
            for other, weight in (mixture if isinstance(mixture, Mapping) else {mixture: 1.0}).items():
                matrix[row, _index(other, former, "the model's classes")] = weight
        return matrix, given
    found = np.asarray(affinity, "float64")
    if found.shape != matrix.shape or not np.isfinite(found).all():
        raise ValueError(
            f"affinity: a matrix of {found.shape}; finite numbers {matrix.shape} are expected: a row for each of the "
            f"{label_space.num_classes} new classes, a column for each of the {former.num_classes} that the model has learned."
        )
    return found, np.ones(label_space.num_classes, bool)


def _index(name, space, whose):
    if name not in space.class_names:
        raise ValueError(f"affinity: {name!r} is none of {whose}: {', '.join(space.class_names)}.")
    return space.class_names.index(name)


def _synonyms(name):
    """The words of each of a name's synonyms."""
    split = [re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", part) for part in re.split(r"[,;/()]", name)]
    return [[_singular(word.lower()) for word in words] for words in split if words] or [[name]]


def _singular(word):
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def _similarity(words, others):
    if "".join(words) == "".join(others):
        return 1.0
    shared, both = set(words) & set(others), set(words) | set(others)
    # two names of several words that differ are never equal
    return min(len(shared) / len(both), 0.99)
