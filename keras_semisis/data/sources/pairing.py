"""Which label map belongs to which photo, by the names of their files."""

import re
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from keras_semisis.data.data_error import DataError
from keras_semisis.data.remedy import Remedy
from keras_semisis.data.sources.file_source import SUFFIXES

# Where the suffix of a name may begin: at a separator, at a capital letter, or where letters follow a digit
_BEGINS = re.compile(r"[_\-. ]|(?<=[a-z])[A-Z]|(?<=[A-Z])[A-Z](?=[a-z])|(?<=[0-9])[A-Za-z]")
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
# Suffixes that are looked at, those of most names first
_MOST_CANDIDATES = 30
# Words in the suffixes of label maps, and of files that lie beside them but are none
_LABEL_WORDS = frozenset("mask masks label labels seg segs segmentation segmentations gt annotation annotations annot class "
                         "classes semantic ids lbl matte truth groundtruth".split())
_PREVIEW_WORDS = frozenset("overlay overlays vis viz visualization preview blend".split())
_OTHER_WORDS = _PREVIEW_WORDS | frozenset("color colors colour colours instance instances depth disparity edge edges boundary "
                                          "boundaries panoptic".split())


@dataclass(frozen=True)
class NameRule:
    """What the names of photos and label maps have after the part that both share.

    Args:
        image: Suffix of the photos' names.
        label: Suffix of the label maps' names.
    """

    image: str = ""
    label: str = ""


def bare_suffix(suffix: str | None) -> str | None:
    """A suffix as users write it, without the file's format.

    Example:

    >>> bare_suffix("_mask.png"), bare_suffix(".jpg")
    ('_mask', '.jpg')
    """
    stem, point, file_format = (suffix or "").rpartition(".")
    return stem if stem and point + file_format.lower() in SUFFIXES else suffix


def find_rule(images: Collection[str], labels: Collection[str], image: str | None = None, label: str | None = None,
              where: str = "") -> NameRule:
    """The suffixes by which most label maps find a photo; none where equal names find as many.

    Args:
        images, labels: Names, without the format of the file.
        image, label: Suffixes that are given; None to find them.
        where: The label maps' folder, for messages.

    Raises:
        DataError: If label maps of several suffixes belong to the same photos.

    Example:

    >>> find_rule(["1_sat", "2_sat", "3_sat"], ["1_mask", "2_mask"])
    NameRule(image='_sat', label='_mask')
    """
    plain = NameRule(image or "", label or "")
    if _number_of_pairs(images, labels, plain) == len(labels):
        return plain
    return _best(_pairs_by_rule(images, labels, _common_suffixes(images) if image is None else [image],
                                _frequent_suffixes(labels) if label is None else [label]), plain, where)


def find_rule_in_one(names: Collection[str], image: str | None = None, label: str | None = None, where: str = "") -> NameRule:
    """As `find_rule`, where photos and label maps lie in one folder and only their suffixes tell which is which.

    Example:

    >>> find_rule_in_one(["a", "a_mask", "b", "b_mask", "c"])
    NameRule(image='', label='_mask')
    """
    ends = _frequent_suffixes(names)
    found = _pairs_by_rule(names, names, ends if image is None else [image], ends[1:] if label is None else [label])
    found = {rule: number for rule, number in found.items()
             if not _is_end(rule.label, rule.image) and not (rule.image and _is_end(rule.image, rule.label))}
    found = {rule: n for rule, n in found.items() if _words(rule.label) & _LABEL_WORDS} or found
    return _best(found, NameRule(image or "", label or ""), where)


def label_map_suffix(names: Collection[str]) -> str | None:
    """The suffix of label maps among photos of the same names, or None if no name is that of a label map.

    Example:

    >>> label_map_suffix(["a", "a_mask", "b", "b_mask"]), label_map_suffix(["a_left", "a_right"])
    ('_mask', None)
    """
    try:
        rule = find_rule_in_one(names)
    except DataError:
        return None
    return rule.label if _words(rule.label) & _LABEL_WORDS else None


def label_maps_among(names: Collection[str], where: str) -> set[str]:
    """The names of label maps, where files of colours, instances and the like lie beside them.

    Args:
        names: Names of files, without the format.
        where: Their folder, for messages.

    Raises:
        DataError: If several files of each name may be the label map.

    Example:

    >>> sorted(label_maps_among(["a_labelIds", "a_color", "b_labelIds", "b_color"], "labels"))
    ['a_labelIds', 'b_labelIds']
    """
    ends: dict[str, set[str]] = {}
    for name in names:
        for end in ("", *_suffixes(name)):
            if not end or (end[0] in "_-. " and _words(end) & (_LABEL_WORDS | _OTHER_WORDS)):
                ends.setdefault(stem(name, end), set()).add(end)
    times = Counter(end for found in ends.values() if len(found) > 1 for end in found)
    kinds = [end for end, number in times.items() if 2 * number >= max(times.values())]
    kinds = [end for end in kinds if not any(other and other != end and _is_end(other, end) for other in kinds)]
    labels = [end for end in kinds if not _words(end) & _OTHER_WORDS]
    labels = [end for end in labels if _words(end) & _LABEL_WORDS] or labels
    if len(labels) > 1:
        listed = " and in ".join(repr(end) for end in sorted(labels))
        raise DataError(f"{where}: there are several files of each name, which end in {listed}, and it is not clear which are "
                        "the label maps.", Remedy("Give {}, or another of them.", {"label_suffix": sorted(labels)[0]}))
    if not labels:
        return {*names}
    others = [end for end in kinds if end and end != labels[0]]
    return {name for name in names if _is_end(labels[0], name) and not any(_is_end(other, name) for other in others)}


def _pairs_by_rule(images, labels, of_images, of_labels):
    found = {}
    for rule in (NameRule(image, label) for image in of_images for label in of_labels):
        number = _number_of_pairs(images, labels, rule)
        # one photo and one label map that begin alike say nothing
        if number > (1 if rule.image and rule.label and len(images) > 1 else 0):
            found[rule] = number
    return found


def _number_of_pairs(images, labels, rule):
    stems = {stem(name, rule.image).casefold() for name in images if _ends(name, rule.image)}
    return len(stems & {stem(name, rule.label).casefold() for name in labels if _ends(name, rule.label)})


def _best(found, plain, where):
    useful = {rule: number for rule, number in found.items()
              if not _words(rule.label) & _OTHER_WORDS and not _words(rule.image) & _PREVIEW_WORDS} or found
    most = max(useful.values(), default=0)
    if most <= found.get(plain, 0):
        return plain
    best = sorted((rule for rule, number in useful.items() if number == most), key=lambda r: (len(r.label), len(r.image)))
    others = {rule.label for rule in best if not _is_end(best[0].label, rule.label)}
    if others:
        listed = " and in ".join(repr(suffix) for suffix in sorted({best[0].label, *others}))
        raise DataError(f"{where}: {most} photos have files whose names end in {listed}, and it is not clear which are the "
                        "label maps.", Remedy("Give {}, or the other.", {"label_suffix": best[0].label}))
    return best[0]


def matched(images: Mapping[str, Path], labels: Mapping[str, Path],
            rule: NameRule) -> tuple[dict[str, Path], dict[str, Path], list[Path]]:
    """Photos and label maps under the name that both share; equal names first, then those that differ in letter case.

    Args:
        images, labels: Files by their names.
        rule: Their suffixes.

    Returns:
        Photos and label maps, with equal names where they belong together; and the files that are neither, since their names
        end otherwise, or since they only add to the name of a photo that has a label map already.
    """
    photos = {stem(name, rule.image): path for name, path in images.items() if _ends(name, rule.image)}
    maps = {stem(name, rule.label): path for name, path in labels.items() if _ends(name, rule.label)}
    neither = [path for files, suffix in ((images, rule.image), (labels, rule.label))
               for name, path in files.items() if not _ends(name, suffix)]
    times = Counter(name.casefold() for name in photos if name not in maps)
    by_case = {name.casefold(): name for name in photos if times[name.casefold()] == 1 and name not in maps}
    maps = {name if name in photos else by_case.pop(name.casefold(), name): path for name, path in maps.items()}
    for name in [name for name in maps if name not in photos]:
        if any(stem(name, end) in photos and stem(name, end) in maps for end in _suffixes(name)):
            neither.append(maps.pop(name))
    return photos, maps, neither


def stem(name: str, suffix: str) -> str:
    """A name without its suffix."""
    return name[:len(name) - len(suffix)]


def _is_end(suffix, text):
    return text.casefold().endswith(suffix.casefold())


def _ends(name, suffix):
    """Whether a name has a suffix, and is more than that."""
    return _is_end(suffix, name) and stem(name, suffix)[-1:] not in ("", "/")


def _suffixes(name):
    """Ends of a name that may be a suffix: those with a letter in them, which the numbers of photos have not."""
    last = name.rsplit("/", 1)[-1]
    ends = [last[match.start():] for match in _BEGINS.finditer(last) if match.start() > 0]
    return [end for end in ends if any(character.isalpha() for character in end)]


def _common_suffixes(names):
    first = next(iter(names), "")
    return ["", *(end for end in _suffixes(first) if all(name.endswith(end) for name in names))]


def _frequent_suffixes(names):
    counted = Counter(end for name in names for end in _suffixes(name))
    return ["", *(end for end, _ in counted.most_common(_MOST_CANDIDATES))]


def _words(suffix):
    return {word.lower() for word in _WORDS.findall(suffix)}
