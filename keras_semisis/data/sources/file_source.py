"""Photos and label maps in image files: finding, pairing, reading and checking them."""

import hashlib
import os
import unicodedata
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

import numpy as np

from keras_semisis.data.data_error import DataError
from keras_semisis.data.data_warning import DataWarning
from keras_semisis.data.labels.file_palettes import FilePalettes
from keras_semisis.data.labels.label_files import read_instance_map, read_label_map
from keras_semisis.data.labels.label_space import LabelSpace
from keras_semisis.data.pictures.decoding import file_state, read_bytes, read_image, unreadable, upright_size
from keras_semisis.data.pictures.image_range import checked_range
from keras_semisis.data.remedy import Remedy
from keras_semisis.data.sources.source import Source

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")
# Formats that a label map cannot have, since they alter ids
PHOTO_FORMATS = (".jpg", ".jpeg")
# Label maps that are read for a remedy that suits all of them
_LOOKED_AT = 64
# Of files that are passed over
_NAMED = 5
_LITTER = ("thumbs.db", "desktop.ini")


def require_folder(folder: Path) -> None:
    """Raises a `DataError` if there is no such folder."""
    if folder.is_file():
        raise DataError(f"{folder}: this is a file. Name a folder.")
    if not folder.is_dir():
        parent = next(above for above in folder.parents if above.is_dir())
        listed = ", ".join(sorted(entry.name for entry in parent.iterdir())[:10]) or "nothing"
        raise DataError(
            f"{folder}: there is no such folder; {parent} holds {listed}. Correct the path, the split or the folder's name."
        )


def find_files(folder: Path, ending: str = "") -> dict[str, Path]:
    """Image files below a folder, by their path in it without the suffix, sorted.

    Links to folders are followed, except back to a folder that they are in; names that begin with a point are left out. The
    paths are normalized (Unicode NFC), since systems write one name in different ways.

    Args:
        folder: The folder.
        ending: Only files whose names end so before the suffix, which is left out of the path.

    Raises:
        DataError: If the folder is missing or holds no such file, or two files differ in their suffix alone.
    """
    require_folder(folder)
    paths, others = images_and_others(folder)
    files = by_name(folder, (path for path in paths if path.stem.endswith(ending)), ending)
    if not files:
        named = f" named *{ending}" if ending else ""
        passed_over = f" It holds {_counted(folder, others)}." if others else ""
        raise DataError(
            f"{folder}: no image files{named} found (looked for {' '.join(SUFFIXES)}, subfolders "
            f"included).{passed_over} Put the files there or name another folder."
        )
    if not ending:  # which leaves out others of a benchmark
        _warn_of(others, folder)
    return files


def image_files(folder: Path) -> list[Path]:
    """Paths of the image files below a folder, sorted; see `find_files`.

    Warns:
        UserWarning: If there are others.
    """
    paths, others = images_and_others(folder)
    if paths:
        _warn_of(others, folder)
    return paths


def images_and_others(folder: Path) -> tuple[list[Path], list[Path]]:
    """Paths of the image files below a folder, and of other files that may have been meant; sorted."""
    paths, others = [], []
    for path in sorted(_files_below(folder)):
        if path.suffix.lower() in SUFFIXES:
            paths.append(path)
        elif path.name.lower() not in _LITTER and not path.name.lower().endswith(("classes.csv", "class_dict.csv")):
            others.append(path)
    return paths, others


def named_as_photos(paths: Sequence[Path]) -> list[Path]:
    """Those that have the name of a photo beside them, and a format that a label map can have.

    Example:

    >>> [path.name for path in named_as_photos([Path("a.jpg"), Path("a.png"), Path("b.png")])]
    ['a.png']
    """
    photos = {path.with_suffix("") for path in paths if path.suffix.lower() in PHOTO_FORMATS}
    return [path for path in paths if path.suffix.lower() not in PHOTO_FORMATS and path.with_suffix("") in photos]


def _warn_of(others, folder):
    if others:
        warnings.warn(
            DataWarning(
                f"{folder}: {_counted(folder, others)} {'is' if len(others) == 1 else 'are'} passed over: no name of an image "
                f"file ({' '.join(SUFFIXES)}).",
                Remedy("Convert what is a photo or a label map to PNG."),
            ),
            stacklevel=4,
        )


def _counted(folder, others):
    names = ", ".join(_normalized(path.relative_to(folder).as_posix()) for path in others[:_NAMED])
    more = ", ..." if len(others) > _NAMED else ""
    return f"{len(others)} other {'file' if len(others) == 1 else 'files'} ({names}{more})"


def by_name(folder: Path, paths: Iterable[Path], ending: str = "") -> dict[str, Path]:
    """Image files by their path in a folder, without the ending and the suffix.

    Raises:
        DataError: If two files differ in their suffix alone.
    """
    files: dict[str, Path] = {}
    for path in paths:
        key = _normalized(path.relative_to(folder).with_suffix("").as_posix().removesuffix(ending))
        if key in files:
            raise DataError(
                f"{path}: {files[key].name} has the same name but for the suffix, so it is not "
                "clear which of them belongs to its partner. Rename or remove one."
            )
        files[key] = path
    return files


def _files_below(folder: Path, above: tuple[tuple[int, int], ...] = ()) -> Iterator[Path]:
    try:
        status = folder.stat()
        if (status.st_dev, status.st_ino) in above:  # a link to a folder that it is in
            return
        with os.scandir(folder) as listing:
            entries = [(Path(entry.path), leads_to_folder(entry)) for entry in listing if not entry.name.startswith(".")]
    except OSError as error:
        raise unreadable(folder, error) from None
    for path, is_folder in entries:
        if is_folder:
            yield from _files_below(path, (*above, (status.st_dev, status.st_ino)))
        else:
            yield path


def leads_to_folder(entry: os.DirEntry) -> bool:
    """Whether an entry of a folder is a folder, or a link to one."""
    try:
        return entry.is_dir()
    except OSError:  # a link that leads nowhere: it is an error where it has an image's name and is read
        return False


def _normalized(name: str) -> str:
    """A name as text that any program can print: bytes that are no UTF-8 as escapes."""
    return unicodedata.normalize("NFC", os.fsencode(name).decode("utf-8", "backslashreplace"))


def pair_files(images: Mapping[str, Path], labels: Mapping[str, Path]) -> None:
    """Checks that every image has a label map and the reverse.

    Raises:
        DataError: Naming the first file without a partner, and how many there are.
    """
    for has, lacks, have, partner in ((images, labels, "image", "label map"), (labels, images, "label map", "image")):
        alone = [has[key] for key in has if key not in lacks]
        if alone:
            folder = next(iter(lacks.values())).parent
            raise DataError(
                f"{alone[0]}: this {have} has no {partner} of the same name in {folder} ({len(alone)} of "
                f"{len(has)} {have}s have none). Add the missing files, remove these, or read them as a "
                f"source of {have}s alone."
            )


class FileSource(Source):
    """Photos and label maps in image files.

    Args:
        images: Image file of each item's name, or None for a source of label maps alone.
        labels: Label file of each item's name, or None for a source of images alone. Same names as
            ``images``.
        label_space: What the ids in the files mean; None for a source of images alone.
        image_range: Values of photos of more than 8 bits that become 0 and 255, as in `decode_image`.
        refused: Label files that are known to be bad, and why.

    Raises:
        DataError: If an image has no label map or a label map has no image.
        ValueError: If ``image_range`` is no range.
    """

    def __init__(
        self,
        images: Mapping[str, Path] | None,
        labels: Mapping[str, Path] | None,
        label_space: LabelSpace | None,
        image_range: tuple[float, float] | None = None,
        refused: Mapping[Path, DataError] = MappingProxyType({}),
    ):
        if images is not None and labels is not None:
            pair_files(images, labels)
        self._images = images
        self._labels = labels
        self._refused = refused
        self._palettes = FilePalettes()
        self._names = list(images if images is not None else labels or ())
        self.label_space = label_space  # type: ignore[assignment]  # of photos alone, which nothing that reads label maps looks at
        self._image_range = None if image_range is None else checked_range(image_range)

    def _set_unpaired(self, images: Mapping[str, Path], labels: Mapping[str, Path]) -> None:
        """Makes sources of the files that have no partner."""
        if images:
            self.unpaired_images = FileSource(images, None, None, self._image_range)
        if labels:
            self.unpaired_labels = FileSource(None, labels, self.label_space, refused=self._refused)
            self.unpaired_labels._palettes = self._palettes

    def __len__(self):
        return len(self._names)

    def name(self, index: int) -> str:
        return self._names[index]

    def location(self, index: int) -> str:
        name = self._names[index]
        return " and ".join(str(files[name]) for files in (self._images, self._labels) if files is not None)

    def fingerprint(self, index: int) -> str | None:
        rule = hashlib.blake2b(self.label_space.id_rule.encode(), digest_size=8).hexdigest()
        return f"{self._state(self._labels, index)}/{rule}"

    def image_file(self, index):
        return None if self._images is None else self._images[self._names[index]]

    def image_fingerprint(self, index: int) -> str | None:
        if self._images is None:
            return None
        state = self._state(self._images, index)
        return state if self._image_range is None else f"{state}/{self._image_range}"

    def instance_fingerprint(self, index: int) -> str | None:
        return self._state(self._instances, index) if self.has_instances else None

    def _state(self, files, index):
        """Name, size and time of a file."""
        name = self._names[index]
        return f"{name}/{file_state(files[name])}"

    def photo_size(self, index):
        return None if self._images is None else upright_size(self._images[self._names[index]])

    def image_bytes(self, index: int) -> bytes | None:
        if self._images is None or self._image_range is not None:  # by which a photo is not as it is in the file
            return None
        return read_bytes(self._images[self._names[index]])

    def label_map_bytes(self, index: int) -> bytes | None:
        return None if self._labels is None else read_bytes(self._label_file(self._labels, index))

    def load_image(self, index: int) -> np.ndarray:
        if self._images is None:
            raise ValueError("This source has label maps alone (images=None): it has no photos to load.")
        return read_image(self._images[self._names[index]], self._image_range)

    def load_label_map(self, index: int) -> np.ndarray:
        if self._labels is None:
            raise ValueError("This source has images alone (labels=None): it has no label maps to load.")
        path = self._label_file(self._labels, index)
        return self.label_space.decode(read_bytes(path), str(path), lambda: self._ids_elsewhere, self._palettes)

    def _label_file(self, labels, index):
        path = labels[self._names[index]]
        if path in self._refused:
            raise self._refused[path].with_traceback(None)
        return path

    @property
    def has_instances(self):
        return self._labels is not None and bool(self._instances)

    def load_instance_map(self, index: int) -> np.ndarray:
        return (
            read_instance_map(self._instances[self._names[index]]) if self.has_instances else super().load_instance_map(index)
        )

    def _find_instances(self) -> dict[str, Path]:
        """The instance map of each item's name, where there are any. They are looked for when they are asked for."""
        return {}

    @cached_property
    def _instances(self):
        found = self._find_instances()
        missing = [path for name, path in (self._labels or {}).items() if name not in found]
        if found and missing:
            raise DataError(
                f"{missing[0]}: this label map has no instance map of the same name in {next(iter(found.values())).parent} "
                f"({len(missing)} of {len(self._names)} label maps have none). Add the missing files."
            )
        return found

    @cached_property
    def _ids_elsewhere(self):
        """Stored ids of some of the label maps, spread over all."""
        ids: set[int] = set()
        paths = list((self._labels or {}).values())
        for path in paths[:: -(-len(paths) // _LOOKED_AT)]:
            with suppress(DataError):
                ids.update(np.unique(read_label_map(path, self.label_space)).tolist())
        return ids
