"""The photos and label maps of a folder: which files they are, and which belong together."""

import warnings
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from keras_semisis.data.data_error import DataError
from keras_semisis.data.data_warning import DataWarning
from keras_semisis.data.remedy import Remedy
from keras_semisis.data.sources.file_source import PHOTO_FORMATS, by_name, find_files, image_files, named_as_photos
from keras_semisis.data.sources.pairing import (
    NameRule,
    bare_suffix,
    by_shared_name,
    find_rule,
    find_rule_in_one,
    label_map_rule,
    label_maps_among,
    lies_beside,
    matched,
)


class FolderFiles(NamedTuple):
    """Files by their names: pairs under equal names, then photos and label maps that have no partner."""

    images: dict[str, Path] | None
    labels: dict[str, Path] | None
    unpaired_images: dict[str, Path]
    unpaired_labels: dict[str, Path]


class Affixes(NamedTuple):
    """What names have around the part that photos and label maps share, as far as it is given; None to find it.

    Args:
        image_suffix, label_suffix: After it, with or without the format of the file.
        image_prefix, label_prefix: Before it, within the folders.
    """

    image_suffix: str | None = None
    label_suffix: str | None = None
    image_prefix: str | None = None
    label_prefix: str | None = None

    @property
    def bare(self) -> "Affixes":
        """The same without formats."""
        return self._replace(image_suffix=bare_suffix(self.image_suffix), label_suffix=bare_suffix(self.label_suffix))

    @property
    def rule(self) -> dict[str, str | None]:
        """The arguments of `find_rule`."""
        return {
            "image": self.image_suffix,
            "label": self.label_suffix,
            "image_prefix": self.image_prefix,
            "label_prefix": self.label_prefix,
        }


_NOTHING_GIVEN = Affixes()


def find_pairs(images: Path, labels: Path, affixes: Affixes = _NOTHING_GIVEN) -> FolderFiles:
    """The photos in one folder, the label maps in another or in the same, and which of them belong together.

    Names count without the format of the file. They may differ in letter case, and in a suffix that most label maps have, such
    as ``_mask``, or that all photos have; or in a prefix, such as ``mask_``.

    Args:
        images, labels: The folders.
        affixes: What the names of photos and of label maps have around the common part.

    Raises:
        DataError: If a folder is missing or empty, nothing belongs together, or several suffixes or prefixes are possible.

    Warns:
        UserWarning: If both photos and label maps are left without a partner, or files are passed over.
    """
    affixes = affixes.bare
    in_one = images.resolve() == labels.resolve()
    if in_one:
        photos, maps, rule = _told_apart(images, affixes)
    else:
        photos, maps = find_files(images), find_files(labels)
        _check_given(images, photos, affixes, "image")
        _check_given(labels, maps, affixes, "label")
        rule = find_rule(photos, maps, where=str(labels), **affixes.rule)
    first = next(iter(photos.values())), next(iter(maps.values()))
    photos, maps, neither = matched(photos, maps, rule)
    found = paired_by_name(photos, maps)
    if in_one:
        _pass_over_beside(found.unpaired_images, found.images or {})
    alone = found.unpaired_images, found.unpaired_labels
    if not found.images:
        raise DataError(
            f"{first[0]} and {first[1]}: no photo and no label map have the same name (of {len(photos)} in {images} and "
            f"{len(maps)} in {labels}).",
            Remedy(
                "Give them equal names, or the suffixes in which they differ by {};", {"image_suffix": ..., "label_suffix": ...}
            ),
            Remedy("or the prefixes by {};", {"image_prefix": ..., "label_prefix": ...}),
            Remedy(
                "or name them as unpaired data by {}.",
                {"unpaired_images": ..., "unpaired_labels": ...},
                "Folder(PATH, labels=None) and Folder(PATH, images=None)",
            ),
        )
    if neither:
        kind, form = "suffix", f"end in {rule.label!r}"
        if rule.label_prefix:
            kind, form = "prefix", f"begin with {rule.label_prefix!r}"
        warnings.warn(
            DataWarning(
                f"{neither[0]}: no label map by its name, and passed over ({len(neither)} such files; the names of label maps "
                f"{form}).",
                Remedy("Give {} if this is wrong.", {f"label_{kind}": ...}),
            ),
            stacklevel=4,
        )
    if all(alone):
        example = [next(iter(files.values())) for files in alone]
        warnings.warn(
            DataWarning(
                f"{images}: {len(alone[0])} photos have no label map, and {len(alone[1])} label maps no photo. They are used "
                f"as unpaired ones. If they belong together, such as {example[0].name} and {example[1].name}, give "
                "them equal names."
            ),
            stacklevel=4,
        )
    return found


def _pass_over_beside(photos, labeled):
    """Takes out of unpaired photos what lies beside a photo and is none: colors, instances, overlays, second masks."""
    beside = [name for name in photos if lies_beside(name, labeled) or lies_beside(name, photos, known=True)]
    if not beside:
        return
    warnings.warn(
        DataWarning(
            f"{photos[beside[0]]}: its name is that of another photo and a suffix, so it is taken for no photo, and passed "
            f"over ({len(beside)} such files). Photos of their own belong into another folder, or have other names."
        ),
        stacklevel=5,
    )
    for name in beside:
        del photos[name]


def of_list(files: FolderFiles, names: Sequence[str], where: Path, elsewhere: Collection[str] | None = None) -> FolderFiles:
    """The pairs of a list of names.

    Args:
        files: All that there are.
        names: The names.
        where: The list, for messages.
        elsewhere: Names in the lists of other splits, which are not unpaired photos of this one; None leaves all out.

    Raises:
        DataError: If a name is of no pair.
    """
    wanted = {*names}
    images, labels = (
        {name: path for name, path in (part or {}).items() if name in wanted} for part in (files.images, files.labels)
    )
    for part, of_part, what in ((files.images, images, "photo"), (files.labels, labels, "label map")):
        missing = [name for name in names if part is not None and name not in of_part]
        if missing:
            raise DataError(
                f"{where}: it names {missing[0]}, of which there is no pair with a {what} ({len(missing)} of "
                f"{len(names)} such names). Add the files, or take the names out of the list."
            )
    photos = (
        {}
        if elsewhere is None
        else {name: path for name, path in files.unpaired_images.items() if name not in wanted and name not in elsewhere}
    )
    return FolderFiles(None if files.images is None else images, None if files.labels is None else labels, photos, {})


def paired_by_name(images: dict[str, Path], labels: dict[str, Path]) -> FolderFiles:
    """Files of equal names as pairs, and the others."""
    both = [name for name in images if name in labels]
    return FolderFiles(
        {name: images[name] for name in both},
        {name: labels[name] for name in both},
        {name: path for name, path in images.items() if name not in labels},
        {name: path for name, path in labels.items() if name not in images},
    )


def find_photos(folder: Path, affixes: Affixes = _NOTHING_GIVEN) -> dict[str, Path]:
    """The photos in a folder that may hold their label maps as well, which are left out.

    Args:
        folder: The folder.
        affixes: What the names of photos begin with and end in; if neither is given photos are of any names but those of
            label maps.

    Raises:
        DataError: If there are none.

    Warns:
        DataWarning: If label maps are left out.
    """
    if affixes.image_suffix or affixes.image_prefix:
        return _of_form(folder, "image", affixes)
    paths = image_files(folder) if folder.is_dir() else []
    if not paths:
        find_files(folder)  # raises, and says what there is instead
    masks = named_as_photos(paths)
    files = by_name(folder, [path for path in paths if path not in {*masks}])
    rule = label_map_rule(files)
    if rule is not None:
        masks += [path for name, path in files.items() if rule.of_label(name) is not None]
        files = {name: path for name, path in files.items() if rule.of_label(name) is None}
    masks += [path for name, path in files.items() if lies_beside(name, files, known=True)]
    files = {name: path for name, path in files.items() if path not in {*masks}}
    if masks:
        warnings.warn(
            DataWarning(f"{masks[0]}: no photo by its name, and left out of the photos ({len(masks)} such files)."),
            stacklevel=4,
        )
    return files


def find_label_maps(folder: Path, affixes: Affixes = _NOTHING_GIVEN) -> dict[str, Path]:
    """The label maps in a folder; colors, instances and photos that lie beside them are left out.

    Args:
        folder: The folder.
        affixes: What the names of label maps begin with and end in, "" for all files; if neither is given it is found.

    Raises:
        DataError: If there are none, or several files of each name may be the label map.

    Warns:
        DataWarning: If files are left out.
    """
    paths = image_files(folder) if folder.is_dir() else []
    if affixes.label_suffix is not None or affixes.label_prefix is not None or not paths:
        return _of_form(folder, "label", affixes)
    kept = [path for path in paths if path.suffix.lower() not in PHOTO_FORMATS] or paths
    files = by_name(folder, kept)
    chosen = label_maps_among(files, str(folder))
    maps = {name: path for name, path in files.items() if name in chosen}
    if len(maps) < len(paths):
        other = next(path for path in paths if path not in {*maps.values()})
        warnings.warn(
            DataWarning(
                f"{other}: no label map by its name, and left out ({len(paths) - len(maps)} such files).",
                Remedy("Give {} if this is wrong.", {"label_suffix": ...}),
            ),
            stacklevel=4,
        )
    return maps


def find_instance_maps(folder: Path, labels: Mapping[str, Path]) -> dict[str, Path]:
    """The instance maps in a folder, by the names of the items that label maps have, which they find as label maps find photos.

    Args:
        folder: The folder.
        labels: The label map of each item's name.

    Raises:
        DataError: If there are none, or several suffixes or prefixes are possible.
    """
    files = find_files(folder)
    rule = find_rule(labels, files, where=str(folder))
    _, found, _ = matched(labels, files, rule)
    return {name: found[shared] for name in labels if (shared := rule.of_image(name)) in found}


def _of_form(folder, what, affixes):
    """The files of a folder whose names have the prefix and the suffix that are given, which are left out of the names."""
    suffix, prefix = (getattr(affixes.bare, f"{what}_{kind}") or "" for kind in ("suffix", "prefix"))
    paths = image_files(folder) if folder.is_dir() else []
    kept = [path for path in paths if path.stem.casefold().endswith(suffix.casefold())]
    files = by_name(folder, kept) if kept else find_files(folder, suffix)  # which raises, and says what there is instead
    _check_given(folder, files, Affixes(**{f"{what}_prefix": prefix}), what)
    return by_shared_name(files, NameRule(suffix, image_prefix=prefix).of_image)


def _told_apart(folder, affixes):
    """Photos and label maps that lie in one folder."""
    paths = image_files(folder) if folder.is_dir() else []
    if not paths:
        find_files(folder)  # raises, and says what there is instead
    for what in ("image", "label"):
        _check_given(folder, {path.with_suffix("").as_posix(): path for path in paths}, affixes, what)
    lossy = [path for path in paths if path.suffix.lower() in PHOTO_FORMATS]
    others = [path for path in paths if path.suffix.lower() not in PHOTO_FORMATS]
    if lossy and others:
        photos, maps = by_name(folder, lossy), by_name(folder, others)
        rule = find_rule(photos, maps, where=str(folder), **affixes.rule)
        found = matched(photos, maps, rule)
        if found[0].keys() & found[1].keys():
            return _with_photos_of_any_format(photos, maps, rule)
    names = by_name(folder, paths)
    rule = find_rule_in_one(names, where=str(folder), **affixes.rule)
    if not rule.tells_labels:
        raise DataError(
            f"{folder}: photos and label maps lie in one folder, and their names do not tell which are which.",
            Remedy("Name what those of label maps end in by {},", {"label_suffix": ...}),
            Remedy("or begin with by {},", {"label_prefix": ...}),
            Remedy("or put the two into folders of their own."),
        )
    maps = {name: path for name, path in names.items() if rule.of_label(name) is not None}
    return {name: path for name, path in names.items() if name not in maps}, maps, rule


def _with_photos_of_any_format(photos, maps, rule):
    if not rule.tells_labels:
        return photos, maps, rule
    labels = {name: path for name, path in maps.items() if rule.of_label(name) is not None}
    more = {name: path for name, path in maps.items() if name not in labels}
    return {**more, **photos}, labels, rule


def _check_given(folder, files, affixes, what):
    """Raises if no file of a folder has the suffix or the prefix that is given for photos or label maps."""
    names = [name.rsplit("/", 1)[-1].casefold() for name in files]
    for kind, form, has in (("suffix", "ends in", str.endswith), ("prefix", "begins with", str.startswith)):
        part = getattr(affixes, f"{what}_{kind}")
        if part and not any(has(name, part.casefold()) for name in names):
            example = next(iter(files.values())).name
            raise DataError(
                f"{folder}: no file has a name that {form} {part!r}; there is {example}, for example.",
                Remedy("Correct {}.", {f"{what}_{kind}": ...}),
            )
