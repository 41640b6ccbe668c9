"""How a folder of the user's own is laid out: where its photos and label maps lie, and which splits it has."""

import functools
import os
import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from keras_semisis.data.data_error import DataError
from keras_semisis.data.pictures.decoding import read_bytes, unreadable
from keras_semisis.data.remedy import Remedy
from keras_semisis.data.sources.file_source import SUFFIXES, images_and_others, leads_to_folder, named_as_photos
from keras_semisis.data.sources.pairing import label_map_rule

# What the folders of photos and of label maps are usually called, those of the documentation first
_USUAL = {
    "images": ("images", "image", "imgs", "img", "photos", "JPEGImages"),
    "labels": ("labels", "label", "masks", "mask", "annotations", "annotation", "SegmentationClass"),
}
# that of instance maps, which lies beside
INSTANCES = ("instances", "instance", "SegmentationObject")
# and what splits are called
_ROLES = {"train": ("train", "training"), "val": ("val", "valid", "validation"), "test": ("test", "testing")}
# Lists of names, as Pascal VOC has its splits
_LISTS = "ImageSets/Segmentation"
_FORMS = ("{split}/{kind}", "{kind}/{split}", "{split}_{kind}", "{kind}_{split}")


def usual_split(names: Sequence[str], split: str) -> str | None:
    """The name itself, if it is one of these, or the first that is usual for the same split.

    Example:

    >>> usual_split(["train", "validation", "test"], "val"), usual_split(["train"], "val")
    ('validation', None)
    """
    if split in names:
        return split
    usual = next((usual for usual in _ROLES.values() if split in usual), ())
    return next((name for name in names if name.casefold() in usual), None)


def is_split(name: str) -> bool:
    """Whether a folder is called as the splits for training, validation or test are.

    Example:

    >>> is_split("Validation"), is_split("labels")
    (True, False)
    """
    return any(name.casefold() in names for names in _ROLES.values())


class PairFolders(NamedTuple):
    """Where photos and label maps lie, the same folder if they lie together; None where there are none."""

    images: Path | None
    labels: Path | None


class FolderLayout:
    """What a folder holds, by the usual names in any letter case.

    Args:
        root: The folder.
        images, labels: What the folders of photos and of label maps are called, in ``root`` or elsewhere; of "images" and
            "labels" other usual names as well. None where there are none.

    Attributes:
        splits: Folders of each split, by its name there.
        lists: Of splits that lie together and are told by lists of names, as those of Pascal VOC: the file of each.
    """

    def __init__(self, root: Path, images: str | Path | None = "images", labels: str | Path | None = "labels"):
        self.root = root
        self._listed: dict[Path, dict[str, str]] = {}
        self._pairs_below = functools.cache(_pairs_below)  # which takes seconds for ten thousands of names
        self._kinds = [None if name is None else _USUAL.get(str(name), (name,)) for name in (images, labels)]
        self._usual_names = (images, labels) == ("images", "labels")
        self.splits = self._find_splits()
        self.lists = {} if self.usual_splits else self._find_lists()
        if self.lists:
            self.splits = dict.fromkeys(self.lists, self.whole())

    @property
    def usual_splits(self) -> list[str]:
        """The splits that are for training, validation or test by their names."""
        return [name for names in _ROLES.values() for name in self.splits if name.casefold() in names]

    def named(self, split: str) -> str | None:
        """The split of a name, or else of the usual names for the same, such as "valid" for "val"; None if there is none.

        Raises:
            DataError: As `of_role` raises it.
        """
        if split in self.splits:
            return split
        return self.of_role(next((role for role, names in _ROLES.items() if split in names), split))

    def of_role(self, role: str) -> str | None:
        """The split that is "train", "val" or "test" by its name, whichever the usual name is; None if there is none.

        Raises:
            DataError: If there are several, such as "valid" and "validation" for "val".
        """
        present = [name for name in self.splits if name.casefold() in _ROLES.get(role, ())]
        if len(present) > 1:
            raise DataError(
                f"{self.root}: both {present[0]} and {present[1]} may be the split {role!r}. Rename one.",
                Remedy(
                    "Or name the one by {}.",
                    {f"{'train' if role == 'train' else 'validation'}_split": present[0]},
                    f"split={present[0]!r}",
                ),
            )
        return present[0] if present else None

    @property
    def likely_splits(self) -> dict[str, str]:
        """Splits whose names only contain a usual one, such as "train2017", by the usual one; none where usual ones are."""
        if self.usual_splits:
            return {}
        words = {name: {*re.findall(r"[a-z]+", name.casefold())} for name in self.splits}
        return {role: name for role, usual in _ROLES.items() for name in self.splits if words[name] & {*usual}}

    @property
    def is_divided(self) -> bool:
        """Whether the folder cannot be read as one, since its photos lie in splits."""
        images = self.whole().images or self.whole().labels
        if self.lists:
            return self._usual_names and bool(self.usual_splits)
        return bool(self.usual_splits) and (
            images is None
            or not images.is_dir()
            or any(images in path.parents for name in self.usual_splits for path in self.splits[name] if path is not None)
        )

    def listed(self, split: str) -> list[str] | None:
        """The names in the list of a split; None where there is no such list.

        Raises:
            DataError: If the list cannot be read, or is empty.
        """
        if split not in self.lists:
            return None
        path = self.lists[split]
        text = read_bytes(path).decode("utf-8-sig", "backslashreplace")
        names = [_listed_name(line.split()[0]) for line in text.splitlines() if line.strip()]
        if not names:
            raise DataError(f"{path}: this list of names is empty. Copy it again, or remove it together with the other lists.")
        return names

    def _find_lists(self):
        """Files with the names of each split."""
        folder = self._first([_LISTS])
        found = [] if folder is None else sorted(folder.glob("*.txt"))
        return {path.stem: path for path in found if not path.name.startswith(".")}

    def _find_splits(self):
        names, used = self._possible_splits(), set()
        splits = {name: found for name in names if (found := self._of_split(name)) is not None}
        for together in (False, True):
            used |= {path for folders in splits.values() for path in folders}
            for name in names if self._usual_names else ():
                found = self._together(name, together)
                if found is not None and name not in splits and not used & {*found}:
                    splits[name] = found
        return dict(sorted(splits.items()))

    def _of_split(self, split):
        """The folders of a split, or None if it has no photos (or, where these are not asked for, no label maps)."""
        for form in _FORMS:
            folders = [
                self._first(form.format(split=split, kind=name) for name in names) if names else None for names in self._kinds
            ]
            if folders[0] or (self._kinds[0] is None and folders[1]):
                # what is missing will be named by the error
                return PairFolders(
                    *(
                        (found or self.root / form.format(split=split, kind=names[0])) if names else None
                        for names, found in zip(self._kinds, folders, strict=True)
                    )
                )
        return None

    def _together(self, split, together):
        """A folder with the photos of a split in it, and their label maps too, or in a folder beside it."""
        beside = [f"{split}annot", *(f"{split}_{kind}" for kind in _USUAL["labels"])]
        folders = [self._first([split]), self._first([split] if together else beside)]
        if not all(folders):
            return None
        images = folders[0]
        there = _image_files_in(images) or (self._pairs_below(images) if together else _image_files_in(images, below=True))
        return PairFolders(*folders) if there else None

    def whole(self) -> PairFolders:
        """The folders where there are no splits. They need not exist."""
        folders = [self._first(names) if names else None for names in self._kinds]
        if self._usual_names and not any(folders) and (_image_files_in(self.root) or self._pairs_below(self.root)):
            return PairFolders(self.root, self.root)
        return PairFolders(
            *((found or self.root / names[0]) if names else None for names, found in zip(self._kinds, folders, strict=True))
        )

    def instances(self, split: str | None, name: str | Path = "instances") -> Path | None:
        """The folder of instance maps, of a split or of all; None where there is none.

        Args:
            split: A key of ``splits``, or None.
            name: What it is called, in ``root`` or elsewhere; of "instances" other usual names as well.
        """
        names = INSTANCES if name == "instances" else (name,)
        forms = ("{kind}",) if split is None or split in self.lists else _FORMS
        return self._first(form.format(split=split, kind=name) for form in forms for name in names)

    def others(self, used: list[PairFolders]) -> list[Path]:
        """Subfolders with image files that are none of those used: splits, and whatever lies beside."""
        used_folders = {path for folders in used for path in folders if path is not None}
        # those of instances are read by what asks for them
        used_folders |= {path for split in (None, *self.splits) if (path := self.instances(split)) is not None}
        above = {parent for path in used_folders for parent in path.parents if self.root in (parent, *parent.parents)}
        if self.root in used_folders:  # with all that is in it
            return []
        found = [folder / name for folder in sorted({self.root, *above}) for name in self._folders(folder).values()]
        return [path for path in found if path not in used_folders | above and _image_files_in(path, below=True)]

    def _possible_splits(self):
        names = set()
        for folder in [self.root, *(self.root / kind for kinds in self._kinds for kind in kinds or ())]:
            names |= set(self._folders(folder).values())
        kinds = [str(kind) for kinds in self._kinds for kind in kinds or ()] + [*INSTANCES]
        for name in list(names):
            names |= {name.removesuffix(f"_{kind}") for kind in kinds} | {name.removeprefix(f"{kind}_") for kind in kinds}
        return sorted(name for name in names if name.casefold() not in {kind.casefold() for kind in kinds})

    def _first(self, relative):
        """The first of these folders that exists, in whatever letter case; of several the first with images."""
        found = []
        for path in relative:
            folder = self.root / path
            if not folder.is_dir() and not Path(path).is_absolute():
                folder = self.root
                for part in Path(path).parts:
                    folder = folder / self._folders(folder).get(part.casefold(), part)
            if folder.is_dir():
                found.append(folder)
        # "labels" of another task may have text files, and "masks" the label maps
        with_images = (folder for folder in found if len(found) == 1 or _image_files_in(folder, below=True))
        return next(with_images, found[0] if found else None)

    def _folders(self, folder):
        """Subfolders by their names in lower case."""
        if folder not in self._listed:
            try:
                entries = sorted(os.scandir(folder), key=lambda e: e.name) if folder.is_dir() else []
            except OSError as error:
                raise unreadable(folder, error) from None
            self._listed[folder] = {
                entry.name.casefold(): entry.name
                for entry in entries
                if not entry.name.startswith(".") and leads_to_folder(entry)
            }
        return self._listed[folder]


def _listed_name(text):
    """``2007_000032``, of this or of a path of a photo."""
    path = PurePosixPath(text)
    return path.stem if path.suffix.lower() in SUFFIXES else path.name


def _pairs_below(folder):
    """Whether subfolders hold photos and label maps together, which their names tell apart."""
    paths, _ = images_and_others(folder) if folder.is_dir() else ([], [])
    names = {path.relative_to(folder).with_suffix("").as_posix() for path in paths}
    return bool(named_as_photos(paths)) or label_map_rule(names) is not None


def _image_files_in(folder, below=False):
    for _, folders, files in os.walk(folder):
        if any(Path(name).suffix.lower() in SUFFIXES and not name.startswith(".") for name in files):
            return True
        if not below:
            folders.clear()
    return False
