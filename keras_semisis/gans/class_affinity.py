"""Which former classes a new class resembles: by names, by pairs, or as the user says."""

import re
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

import numpy as np

from keras_semisis.data import LabelSpace

# Of the words of two names, the share that they have in common from which on they are taken for similar
_SIMILAR = 0.5
# As text: the classes of the model that are not named, its don't-care class left out; and the mixture of all of them
OTHERS, ALL = "all others", "the mean of all"
# Of a mixture as text, the share from which on a class is named, and how many are
_NAMED, _LISTED = 0.1, 3


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
        affinity: The matrix; or, for some classes, the name of the former class, or the weight of each by name; or these as
            text, as `affinity_of_text` reads it, by which weights are divided by their sum in both.
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
    if isinstance(affinity, str):
        affinity = affinity_of_text(affinity, label_space, former)
    if isinstance(affinity, Mapping):
        given = np.zeros(label_space.num_classes, bool)
        for name, mixture in affinity.items():
            row = _index(name, label_space, "the new classes")
            given[row] = True
            weights = mixture if isinstance(mixture, Mapping) else {mixture: 1.0}
            for other in weights:
                if other not in (OTHERS, ALL):
                    _index(other, former, "the model's classes")
            for other, weight in _mixture(weights, former, f"affinity: {name}").items():
                matrix[row, former.class_names.index(other)] = weight
        return matrix, given
    found = np.asarray(affinity, "float64")
    if found.shape != matrix.shape or not np.isfinite(found).all():
        raise ValueError(
            f"affinity: a matrix of {found.shape}; finite numbers {matrix.shape} are expected: a row for each of the "
            f"{label_space.num_classes} new classes, a column for each of the {former.num_classes} that the model has learned."
        )
    return found, np.ones(label_space.num_classes, bool)


def affinity_of_text(
    text: str, label_space: LabelSpace, former: LabelSpace, where: str = "affinity"
) -> dict[str, dict[str, float]]:
    """What a user says of the matrix, as text: ``"road: street; hedge: fence 0.5, plant 0.5"``.

    A line break is as good as a semicolon. Weights are divided by their sum, and equal where none is given. ``all others``
    is what the mixture does not name, in equal parts, and ``the mean of all`` is that alone. A class may have a comma, a colon
    or a number in its name: the longest name that fits is taken.

    Args:
        text: The text.
        label_space, former: The classes, and those that the model has learned.
        where: The argument or the file, for messages.

    Returns:
        For classes that are named the weight of each former class by name, as `given_affinity` takes it.

    Raises:
        ValueError: If it is written otherwise, there is no such class, or a class is named twice.

    Example:

    >>> space, former = (LabelSpace(names, ((0, 0, 0),) * 2) for names in (("path", "hedge"), ("road", "plant")))
    >>> affinity_of_text("path: road; hedge: road 1, plant 3", space, former)
    {'path': {'road': 1.0}, 'hedge': {'road': 0.25, 'plant': 0.75}}
    """
    entry = _one_of(label_space.class_names, r"\s*:")
    part = _one_of((OTHERS, ALL, *former.class_names), r"(?:[ \t]+([0-9.]+))?[ \t\r]*([,;\n]|\Z)")
    found: dict[str, dict[str, float]] = {}
    at = _SEPARATORS.match(text).end()  # type: ignore[union-attr]  # which always matches
    while at < len(text):
        named = entry.match(text, at)
        if named is None:
            _refuse(text[at:], r"[:;\n]", where, "the new classes", label_space.class_names)
        name, at, ends = named[1], named.end(), ","
        if name in found:
            raise ValueError(f"{where}: {name!r} is there twice. Leave one out.")
        weights: dict[str, float] = {}
        while ends == ",":
            mixed = part.match(text, at)
            if mixed is None:
                _refuse(text[at:], r"[,;\n]", f"{where}: {name}", "the model's classes", former.class_names)
            other, number, ends = mixed.groups()
            if other in weights:
                raise ValueError(f"{where}: {name}: {other!r} is there twice. Leave one out.")
            weights[other], at = _weight(number, f"{where}: {name}: {other}"), mixed.end()
        found[name] = _mixture(weights, former, f"{where}: {name}")
        at = _SEPARATORS.match(text, at).end()  # type: ignore[union-attr]
    if not found:
        raise ValueError(f"{where}: it names no class. {_FORM}")
    return found


_FORM = 'Expected CLASS: CLASS OF THE MODEL, such as "path: road; hedge: fence 0.5, plant 0.5".'
_SEPARATORS = re.compile(r"[;\s]*")


def _one_of(names, behind):
    """A pattern of the longest of some names behind which a pattern fits."""
    return re.compile(rf"\s*({'|'.join(map(re.escape, sorted(names, key=len, reverse=True)))}){behind}")


def _refuse(text, end, where, whose, names) -> NoReturn:
    given = re.split(end, text.strip())[0].strip()
    raise ValueError(f"{where}: {given!r} is none of {whose}: {', '.join(names)}. {_FORM}")


def _weight(number, where):
    if number is None:
        return 1.0
    try:
        return float(number)
    except ValueError:
        raise ValueError(f"{where}: {number} is no number.") from None


def _mixture(weights, former, where):
    """Of all others and the mean of all their classes, of a sum of 1."""
    counted = [name for i, name in enumerate(former.class_names) if i != former.ignore_class]
    mixture = {name: weight for name, weight in weights.items() if name in former.class_names}
    for word in {OTHERS, ALL} & (weights.keys() - {*former.class_names}):
        others = [name for name in counted if word == ALL or name not in weights]
        for name in others:
            mixture[name] = mixture.get(name, 0.0) + weights[word] / len(others)
    total = sum(mixture.values())
    if total <= 0:
        raise ValueError(f"{where}: the weights sum to {total:g}. Give one that is more than 0.")
    return {name: weight / total for name, weight in mixture.items()}


def affinity_text(affinity: np.ndarray, label_space: LabelSpace, former: LabelSpace) -> str:
    """The matrix as `affinity_of_text` reads it: of each class the three that it resembles most, in hundredths, and the rest.

    Args:
        affinity: ``(num_classes, former classes)``, rows whose sum is 1.
        label_space, former: The classes, and those that the model has learned.

    Example:

    >>> space, former = (LabelSpace(names, ((0, 0, 0),) * len(names)) for names in (("path", "cat"), ("road", "plant", "sky")))
    >>> affinity_text(np.array([[0.72, 0.25, 0.03], [1 / 3, 1 / 3, 1 / 3]]), space, former)
    'path: road 0.72, plant 0.25, all others 0.03; cat: the mean of all'
    """
    rows = zip(label_space.class_names, affinity, strict=True)
    return "; ".join(f"{name}: {_mixture_text(row, former)}" for name, row in rows)


def _mixture_text(row, former):
    counted = np.arange(former.num_classes) != former.ignore_class
    if np.allclose(row, counted / counted.sum(), atol=1e-3):
        return ALL
    largest = [i for i in np.argsort(-row, kind="stable")[:_LISTED].tolist() if row[i] >= _NAMED]
    if len(largest) == 1 and row[largest[0]] > 0.995:
        return former.class_names[largest[0]]
    parts = [f"{former.class_names[i]} {row[i]:.2f}" for i in largest]
    if 1 - row[largest].sum() > 0.005:
        parts.append(f"{OTHERS} {1 - row[largest].round(2).sum():.2f}")
    return ", ".join(parts)


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
