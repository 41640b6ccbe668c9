"""Which label map belongs to which photo, by the names of their files."""

import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from keras_semisis.data.data_error import DataError
from keras_semisis.data.remedy import Remedy
from keras_semisis.data.sources.file_source import SUFFIXES

_SEPARATORS = "_-. "
# Where the suffix of a name may begin: at a separator, at a capital letter, or where letters follow a digit
_BEGINS = re.compile(r"[_\-. ]|(?<=[a-z])[A-Z]|(?<=[A-Z])[A-Z](?=[a-z])|(?<=[0-9])[A-Za-z]")
# Where the prefix of a name may end: after a separator, before a capital letter, or where a digit follows letters
_ENDS = re.compile(r"(?<=[_\-. ])|(?<=[a-z])(?=[A-Z])|(?<=[A-Za-z])(?=[0-9])")
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
# Suffixes that are looked at, those of most names first
_MOST_CANDIDATES = 30
# Words in the suffixes of label maps, and of files that lie beside them but are none
_LABEL_WORDS = frozenset(
    "mask masks label labels seg segs segmentation segmentations gt annotation annotations annot class "
    "classes semantic ids lbl matte truth groundtruth".split()
)
_PREVIEW_WORDS = frozenset("overlay overlays vis viz visualization preview blend".split())
_OTHER_WORDS = _PREVIEW_WORDS | frozenset(
    "colour colours color colors instance instances depth disparity edge edges boundary boundaries panoptic".split()
)


@dataclass(frozen=True)
class NameRule:
    """What the names of photos and label maps have around the part that both share.

    Args:
        image: Suffix of the photos' names.
        label: Suffix of the label maps' names.
        image_prefix: Prefix of the photos' names, within their folders.
        label_prefix: Prefix of the label maps' names.
    """

    image: str = ""
    label: str = ""
    image_prefix: str = ""
    label_prefix: str = ""

    def of_image(self, name: str) -> str | None:
        """The part of a photo's name that its label map shares; None of a name that is not of this form, or no more than it.

        Example:

        >>> NameRule("", "_mask", "img_").of_image("town/img_7"), NameRule(image_prefix="img_").of_image("town/7")
        ('town/7', None)
        """
        return _between(name, self.image_prefix, self.image)

    def of_label(self, name: str) -> str | None:
        """The same of a label map's name."""
        return _between(name, self.label_prefix, self.label)

    @property
    def tells_labels(self) -> bool:
        """Whether label maps have a prefix or a suffix."""
        return bool(self.label or self.label_prefix)


def _between(name, prefix, suffix):
    folder, slash, last = name.rpartition("/")
    if len(last) <= len(prefix) + len(suffix) or not _is_begin(prefix, last) or not _is_end(suffix, last):
        return None
    return folder + slash + last[len(prefix) : len(last) - len(suffix)]


def bare_suffix(suffix: str | None) -> str | None:
    """A suffix as users write it, without the file's format.

    Example:

    >>> bare_suffix("_mask.png"), bare_suffix(".jpg")
    ('_mask', '.jpg')
    """
    stem, point, file_format = (suffix or "").rpartition(".")
    return stem if stem and point + file_format.lower() in SUFFIXES else suffix


def find_rule(
    images: Collection[str],
    labels: Collection[str],
    image: str | None = None,
    label: str | None = None,
    where: str = "",
    image_prefix: str | None = None,
    label_prefix: str | None = None,
) -> NameRule:
    """The suffixes, or else the prefixes, by which most label maps find a photo; none where equal names find as many.

    Prefixes are looked for where that of the label maps says so, as "mask_" does: others may be names of what is shown.

    Args:
        images, labels: Names, without the format of the file.
        image, label: Suffixes that are given; None to find them.
        where: The label maps' folder, for messages.
        image_prefix, label_prefix: Prefixes, likewise.

    Raises:
        DataError: If label maps of several suffixes or prefixes belong to the same photos.

    Example:

    >>> find_rule(["1_sat", "2_sat", "3_sat"], ["1_mask", "2_mask"])
    NameRule(image='_sat', label='_mask', image_prefix='', label_prefix='')
    >>> find_rule(["img_1", "img_2"], ["mask_1", "mask_2"])
    NameRule(image='', label='', image_prefix='img_', label_prefix='mask_')
    """
    plain = NameRule(image or "", label or "", image_prefix or "", label_prefix or "")
    if _number_of_pairs(images, labels, plain) == len(labels):
        return plain
    by_suffix = _best(
        _pairs_by_rule(
            images,
            labels,
            _with_suffixes(
                plain,
                _common(images, _suffixes, _is_end) if image is None else [image],
                _frequent(labels, _suffixes) if label is None else [label],
            ),
        ),
        plain,
        where,
    )
    prefixes = [""] + [begin for begin in _frequent(labels, _prefixes) if _words(begin) & _LABEL_WORDS]
    by_prefix = _best(
        _pairs_by_rule(
            images,
            labels,
            _with_prefixes(
                plain,
                _common(images, _prefixes, _is_begin) if image_prefix is None else [image_prefix],
                prefixes if label_prefix is None else [label_prefix],
            ),
        ),
        plain,
        where,
    )
    return max(by_suffix, by_prefix, key=lambda rule: _number_of_pairs(images, labels, rule))


def find_rule_in_one(
    names: Collection[str],
    image: str | None = None,
    label: str | None = None,
    where: str = "",
    image_prefix: str | None = None,
    label_prefix: str | None = None,
) -> NameRule:
    """As `find_rule`, where photos and label maps lie in one folder and only their names tell which is which.

    Example:

    >>> find_rule_in_one(["a", "a_mask", "b", "b_mask", "c"]).label
    '_mask'
    """
    plain = NameRule(image or "", label or "", image_prefix or "", label_prefix or "")
    ends, begins = _frequent(names, _suffixes), _frequent(names, _prefixes)
    found = _pairs_by_rule(
        names, names, _with_suffixes(plain, ends if image is None else [image], ends[1:] if label is None else [label])
    )
    found = {rule: number for rule, number in found.items() if plain.label_prefix or _differ(rule.image, rule.label, _is_end)}
    prefixed = _pairs_by_rule(
        names,
        names,
        _with_prefixes(
            plain,
            begins if image_prefix is None else [image_prefix],
            [begin for begin in begins[1:] if _words(begin) & _LABEL_WORDS] if label_prefix is None else [label_prefix],
        ),
    )
    found |= {
        rule: number
        for rule, number in prefixed.items()
        if plain.label or _differ(rule.image_prefix, rule.label_prefix, _is_begin)
    }
    found = {rule: number for rule, number in found.items() if rule.tells_labels}
    found = {rule: number for rule, number in found.items() if _label_words(rule) & _LABEL_WORDS} or found
    return _best(found, plain, where)


def label_map_rule(names: Collection[str]) -> NameRule | None:
    """The suffix or prefix of label maps among photos of the same names, or None if no name is that of a label map.

    Example:

    >>> label_map_rule(["a", "a_mask", "b", "b_mask"]).label, label_map_rule(["a_left", "a_right"])
    ('_mask', None)
    """
    try:
        rule = find_rule_in_one(names)
    except DataError:
        return None
    return rule if _label_words(rule) & _LABEL_WORDS else None


def label_maps_among(names: Collection[str], where: str) -> set[str]:
    """The names of label maps, where files of colors, instances and the like lie beside them.

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
            if not end or (end[0] in _SEPARATORS and _words(end) & (_LABEL_WORDS | _OTHER_WORDS)):
                ends.setdefault(stem(name, end), set()).add(end)
    times = Counter(end for found in ends.values() if len(found) > 1 for end in found)
    kinds = [end for end, number in times.items() if 2 * number >= max(times.values())]
    kinds = [end for end in kinds if not any(other and other != end and _is_end(other, end) for other in kinds)]
    labels = [end for end in kinds if not _words(end) & _OTHER_WORDS]
    labels = [end for end in labels if _words(end) & _LABEL_WORDS] or labels
    if len(labels) > 1:
        listed = " and in ".join(repr(end) for end in sorted(labels))
        raise DataError(
            f"{where}: there are several files of each name, which end in {listed}, and it is not clear which are "
            "the label maps.",
            Remedy("Give {}, or another of them.", {"label_suffix": sorted(labels)[0]}),
        )
    if not labels:
        rule = label_map_rule(names)
        return {*names} if rule is None else {name for name in names if rule.of_label(name) is not None}
    others = [end for end in kinds if end and end != labels[0]]
    return {name for name in names if _is_end(labels[0], name) and not any(_is_end(other, name) for other in others)}


def _with_suffixes(plain, of_images, of_labels):
    return [replace(plain, image=image, label=label) for image in of_images for label in of_labels]


def _with_prefixes(plain, of_images, of_labels):
    return [replace(plain, image_prefix=image, label_prefix=label) for image in of_images for label in of_labels]


def _pairs_by_rule(images, labels, rules):
    found, of_images, of_labels = {}, {}, {}
    for rule in rules:
        image, label = (rule.image_prefix, rule.image), (rule.label_prefix, rule.label)
        # of many names each affix is looked for once
        if image not in of_images:
            of_images[image] = _shared(images, rule.of_image)
        if label not in of_labels:
            of_labels[label] = _shared(labels, rule.of_label)
        number = len(of_images[image] & of_labels[label])
        both = (rule.image and rule.label) or (rule.image_prefix and rule.label_prefix)
        # one photo and one label map that are alike in part say nothing, unless the label map says that it is one
        if number > (1 if both and len(images) > 1 and not _words(rule.label_prefix) & _LABEL_WORDS else 0):
            found[rule] = number
    return found


def _number_of_pairs(images, labels, rule):
    return len(_shared(images, rule.of_image) & _shared(labels, rule.of_label))


def _shared(names, shared_of):
    return {shared.casefold() for name in names if (shared := shared_of(name)) is not None}


def _label_words(rule):
    return _words(rule.label) | _words(rule.label_prefix)


def _differ(image, label, contains):
    """Whether no name has the suffix (or prefix) of a photo and that of a label map."""
    return not contains(label, image) and not (image and contains(image, label))


def _best(found, plain, where):
    useful = {
        rule: number
        for rule, number in found.items()
        if not _label_words(rule) & _OTHER_WORDS and not (_words(rule.image) | _words(rule.image_prefix)) & _PREVIEW_WORDS
    } or found
    most = max(useful.values(), default=0)
    if most <= found.get(plain, 0):
        return plain
    best = sorted(
        (rule for rule, number in useful.items() if number == most),
        key=lambda r: (len(r.label_prefix), len(r.label), len(r.image_prefix), len(r.image)),
    )
    best = [rule for rule in best if _label_words(rule) & _LABEL_WORDS] or best
    first = best[0]
    others = [
        rule for rule in best if not _is_end(first.label, rule.label) or not _is_begin(first.label_prefix, rule.label_prefix)
    ]
    if others:
        kind, parts = (
            ("suffix", [rule.label for rule in (first, *others)])
            if first.label
            else ("prefix", [rule.label_prefix for rule in (first, *others)])
        )
        verb = "end in" if kind == "suffix" else "begin with"
        listed = f" and {verb.split()[1]} ".join(repr(part) for part in sorted({*parts}))
        raise DataError(
            f"{where}: {most} photos have files whose names {verb} {listed}, and it is not clear which are the label maps.",
            Remedy("Give {}, or the other.", {f"label_{kind}": parts[0]}),
        )
    return first


def matched(
    images: Mapping[str, Path], labels: Mapping[str, Path], rule: NameRule
) -> tuple[dict[str, Path], dict[str, Path], list[Path]]:
    """Photos and label maps under the name that both share; equal names first, then those that differ in letter case.

    Args:
        images, labels: Files by their names.
        rule: Their suffixes and prefixes.

    Returns:
        Photos and label maps, with equal names where they belong together; and the files that are neither, since their names
        end otherwise, or since they only add to the name of a photo that has a label map already.

    Raises:
        DataError: If two names differ in the letter case of their suffix or prefix alone.
    """
    photos, maps = by_shared_name(images, rule.of_image), by_shared_name(labels, rule.of_label)
    neither = [
        path
        for files, stem_of in ((images, rule.of_image), (labels, rule.of_label))
        for name, path in files.items()
        if stem_of(name) is None
    ]
    times, of_maps = (
        Counter(name.casefold() for name in files if name not in partners)
        for files, partners in ((photos, maps), (maps, photos))
    )
    by_case = {name.casefold(): name for name in photos if name not in maps}
    by_case = {name: of_photo for name, of_photo in by_case.items() if times[name] == of_maps[name] == 1}
    maps = {name if name in photos else by_case.pop(name.casefold(), name): path for name, path in maps.items()}
    for name in [name for name in maps if name not in photos]:
        if any(stem(name, end) in photos and stem(name, end) in maps for end in _suffixes(name)):
            neither.append(maps.pop(name))  # noqa: PERF401  # what is taken out changes what is asked next
    return photos, maps, neither


def by_shared_name(files: Mapping[str, Path], shared_of: Callable[[str], str | None]) -> dict[str, Path]:
    """Files by the part of their names that photo and label map share; those left out that have no such.

    Args:
        files: Files by their names.
        shared_of: The part, as `NameRule.of_image` tells it.

    Raises:
        DataError: If two names differ in the letter case of their suffix or prefix alone.
    """
    found: dict[str, Path] = {}
    for name, path in files.items():
        shared = shared_of(name)
        if shared in found:
            raise DataError(
                f"{path}: {found[shared].name} has the same name but for the letter case of its suffix or prefix, so it is not "
                "clear which of them belongs to its partner. Rename or remove one."
            )
        if shared is not None:
            found[shared] = path
    return found


def lies_beside(name: str, names: Collection[str], known: bool = False) -> bool:
    """Whether a name is one of others and a suffix, as colors, instances, overlays and second masks of a photo have it.

    Args:
        name: The name.
        names: Names of photos.
        known: Whether only suffixes that say what they are count, such as ``_color``.

    Example:

    >>> lies_beside("a_overlay", ["a"]), lies_beside("a_2", ["a"]), lies_beside("a_night", ["a"], known=True)
    (True, False, False)
    """
    return any(
        stem(name, end) in names
        for end in _suffixes(name)
        if _words(end) & (_LABEL_WORDS | _OTHER_WORDS) or (end[0] in _SEPARATORS and not known)
    )


def stem(name: str, suffix: str) -> str:
    """A name without its suffix."""
    return name[: len(name) - len(suffix)]


def _is_end(suffix, text):
    return text.casefold().endswith(suffix.casefold())


def _is_begin(prefix, text):
    return text.casefold().startswith(prefix.casefold())


def _suffixes(name):
    """Ends of a name that may be a suffix: those with a letter in them, which the numbers of photos have not."""
    last = name.rsplit("/", 1)[-1]
    ends = [last[match.start() :] for match in _BEGINS.finditer(last) if match.start() > 0]
    return [end for end in ends if any(character.isalpha() for character in end)]


def _prefixes(name):
    """Begins of a name that may be a prefix, likewise."""
    last = name.rsplit("/", 1)[-1]
    begins = [last[: match.start()] for match in _ENDS.finditer(last) if 0 < match.start() < len(last)]
    return [begin for begin in begins if any(character.isalpha() for character in begin)]


def _common(names, parts, contains):
    """Suffixes or prefixes of all names, and none."""
    lasts = [name.rsplit("/", 1)[-1] for name in names]
    return ["", *(part for part in parts(lasts[0] if lasts else "") if all(contains(part, last) for last in lasts))]


def _frequent(names, parts):
    counted = Counter(part for name in names for part in parts(name))
    return ["", *(part for part, _ in counted.most_common(_MOST_CANDIDATES))]


def _words(suffix):
    return {word.lower() for word in _WORDS.findall(suffix)}
