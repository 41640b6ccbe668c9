"""The photos and label maps of a folder: which files they are, and which belong together."""

import warnings
from pathlib import Path
from typing import NamedTuple

from keras_semisis.data.data_error import DataError
from keras_semisis.data.data_warning import DataWarning
from keras_semisis.data.remedy import Remedy
from keras_semisis.data.sources.file_source import by_name, find_files, image_files
from keras_semisis.data.sources.pairing import (
    bare_suffix,
    find_rule,
    find_rule_in_one,
    label_map_suffix,
    label_maps_among,
    matched,
)

# Formats that a label map cannot have, since they alter ids
_PHOTO_FORMATS = (".jpg", ".jpeg")


class FolderFiles(NamedTuple):
    """Files by their names: pairs under equal names, then photos and label maps that have no partner."""

    images: dict[str, Path]
    labels: dict[str, Path]
    unpaired_images: dict[str, Path]
    unpaired_labels: dict[str, Path]


def find_pairs(images: Path, labels: Path, image_suffix: str | None = None, label_suffix: str | None = None) -> FolderFiles:
    """The photos in one folder, the label maps in another or in the same, and which of them belong together.

    Names count without the format of the file. They may differ in letter case, and in a suffix that most label maps have, such
    as ``_mask``, or that all photos have.

    Args:
        images, labels: The folders.
        image_suffix, label_suffix: What the names of photos and of label maps have after the common part; None to find it.

    Raises:
        DataError: If a folder is missing or empty, nothing belongs together, or several suffixes are possible.

    Warns:
        UserWarning: If both photos and label maps are left without a partner, or files are passed over.
    """
    image_suffix, label_suffix = bare_suffix(image_suffix), bare_suffix(label_suffix)
    if images.resolve() == labels.resolve():
        photos, maps, rule = _told_apart(images, image_suffix, label_suffix)
    else:
        photos, maps = find_files(images), find_files(labels)
        rule = find_rule(photos, maps, image_suffix, label_suffix, str(labels))
    _check_given(images, photos, image_suffix, "image")
    _check_given(labels, maps, label_suffix, "label")
    first = next(iter(photos.values())), next(iter(maps.values()))
    photos, maps, neither = matched(photos, maps, rule)
    found = paired_by_name(photos, maps)
    alone = found.unpaired_images, found.unpaired_labels
    if not found.images:
        raise DataError(
            f"{first[0]} and {first[1]}: no photo and no label map have the same name (of {len(photos)} in {images} and "
            f"{len(maps)} in {labels}).",
            Remedy("Give them equal names, or the suffixes in which they differ by {};",
                   {"image_suffix": ..., "label_suffix": ...}),
            Remedy("or name them as unpaired data: --unpaired-images and --unpaired-labels on the command line, "
                   "Folder(labels=None) and Folder(images=None) in Python."))
    if neither:
        warnings.warn(DataWarning(
            f"{neither[0]}: no label map by its name, and passed over ({len(neither)} such files; the names of label maps end "
            f"in {rule.label!r}).", Remedy("Give {} if this is wrong.", {"label_suffix": ...})), stacklevel=4)
    if all(alone):
        example = [next(iter(files.values())) for files in alone]
        warnings.warn(DataWarning(
            f"{images}: {len(alone[0])} photos have no label map, and {len(alone[1])} label maps no photo. They are used as "
            f"unpaired ones. If they belong together, such as {example[0].name} and {example[1].name}, give them equal names."),
            stacklevel=4)
    return found


def paired_by_name(images: dict[str, Path], labels: dict[str, Path]) -> FolderFiles:
    """Files of equal names as pairs, and the others."""
    both = [name for name in images if name in labels]
    return FolderFiles({name: images[name] for name in both}, {name: labels[name] for name in both},
                       {name: path for name, path in images.items() if name not in labels},
                       {name: path for name, path in labels.items() if name not in images})


def find_photos(folder: Path, image_suffix: str | None = None) -> dict[str, Path]:
    """The photos in a folder that may hold their label maps as well, which are left out.

    Args:
        folder: The folder.
        image_suffix: What the names of photos end in; None for photos of any names but those of label maps.

    Raises:
        DataError: If there are none.

    Warns:
        DataWarning: If label maps are left out.
    """
    if image_suffix:
        return find_files(folder, bare_suffix(image_suffix))
    paths = image_files(folder) if folder.is_dir() else []
    if not paths:
        find_files(folder)  # raises, and says what there is instead
    lossy = {path.with_suffix("") for path in paths if path.suffix.lower() in _PHOTO_FORMATS}
    masks = [path for path in paths if path.suffix.lower() not in _PHOTO_FORMATS and path.with_suffix("") in lossy]
    files = by_name(folder, [path for path in paths if path not in {*masks}])
    suffix = label_map_suffix(files)
    if suffix is not None:
        masks += [path for name, path in files.items() if name.casefold().endswith(suffix.casefold())]
        files = {name: path for name, path in files.items() if not name.casefold().endswith(suffix.casefold())}
    if masks:
        warnings.warn(DataWarning(
            f"{masks[0]}: a label map by its name, and left out of the photos ({len(masks)} such files)."), stacklevel=4)
    return files


def find_label_maps(folder: Path, label_suffix: str | None = None) -> dict[str, Path]:
    """The label maps in a folder; colours, instances and photos that lie beside them are left out.

    Args:
        folder: The folder.
        label_suffix: What the names of label maps end in, "" for all files; None to find it.

    Raises:
        DataError: If there are none, or several files of each name may be the label map.

    Warns:
        DataWarning: If files are left out.
    """
    paths = image_files(folder) if folder.is_dir() else []
    if label_suffix is not None or not paths:
        return find_files(folder, bare_suffix(label_suffix) or "")
    kept = [path for path in paths if path.suffix.lower() not in _PHOTO_FORMATS] or paths
    files = by_name(folder, kept)
    chosen = label_maps_among(files, str(folder))
    maps = {name: path for name, path in files.items() if name in chosen}
    if len(maps) < len(paths):
        other = next(path for path in paths if path not in {*maps.values()})
        warnings.warn(DataWarning(f"{other}: no label map by its name, and left out ({len(paths) - len(maps)} such files).",
                                  Remedy("Give {} if this is wrong.", {"label_suffix": ...})), stacklevel=4)
    return maps


def _told_apart(folder, image_suffix, label_suffix):
    """Photos and label maps that lie in one folder."""
    paths = image_files(folder) if folder.is_dir() else []
    if not paths:
        find_files(folder)  # raises, and says what there is instead
    lossy = [path for path in paths if path.suffix.lower() in _PHOTO_FORMATS]
    others = [path for path in paths if path.suffix.lower() not in _PHOTO_FORMATS]
    if lossy and others:
        photos, maps = by_name(folder, lossy), by_name(folder, others)
        rule = find_rule(photos, maps, image_suffix, label_suffix, str(folder))
        found = matched(photos, maps, rule)
        if found[0].keys() & found[1].keys():
            return _with_photos_of_any_format(photos, maps, rule)
    names = by_name(folder, paths)
    rule = find_rule_in_one(names, image_suffix, label_suffix, str(folder))
    if not rule.label:
        raise DataError(f"{folder}: photos and label maps lie in one folder, and their names do not tell which are which.",
                        Remedy("Name what those of label maps end in by {}, or put the two into folders of their own.",
                               {"label_suffix": ...}))
    maps = {name: path for name, path in names.items() if name.casefold().endswith(rule.label.casefold())}
    return {name: path for name, path in names.items() if name not in maps}, maps, rule


def _with_photos_of_any_format(photos, maps, rule):
    if not rule.label:
        return photos, maps, rule
    labels = {name: path for name, path in maps.items() if name.casefold().endswith(rule.label.casefold())}
    more = {name: path for name, path in maps.items() if name not in labels}
    return {**more, **photos}, labels, rule


def _check_given(folder, files, suffix, what):
    if suffix and not any(name.casefold().endswith(suffix.casefold()) for name in files):
        example = next(iter(files.values())).name
        raise DataError(f"{folder}: no file has a name that ends in {suffix!r}; there is {example}, for example.",
                        Remedy("Correct {}.", {f"{what}_suffix": ...}))
