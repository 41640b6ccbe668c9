"""Photos and label maps in image files: finding, pairing, reading and checking them."""

import struct
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from keras_semisis.data.label_space import DataError, LabelSpace
from keras_semisis.data.sources.source import Source

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")
_DAMAGED = (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error,
            Image.DecompressionBombError)


def find_files(folder: Path) -> dict[str, Path]:
    """Image files below a folder, by their path in it without the suffix, sorted.

    Raises:
        DataError: If the folder is missing or holds no image file, or two files differ in their suffix alone.
    """
    if not folder.is_dir():
        parent = next(above for above in folder.parents if above.is_dir())
        listed = ", ".join(sorted(entry.name for entry in parent.iterdir())[:10]) or "nothing"
        raise DataError(f"{folder}: there is no such folder; {parent} holds {listed}. Correct the path, the "
                        "split or the folder's name.")
    files = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in SUFFIXES or path.name.startswith("."):
            continue
        key = path.relative_to(folder).with_suffix("").as_posix()
        if key in files:
            raise DataError(f"{path}: {files[key].name} has the same name but for the suffix, so it is not "
                            "clear which of them belongs to its partner. Rename or remove one.")
        files[key] = path
    if not files:
        raise DataError(f"{folder}: no image files found (looked for {' '.join(SUFFIXES)}, subfolders "
                        "included). Put the files there or name another folder.")
    return files


def pair_files(images: Mapping[str, Path], labels: Mapping[str, Path]) -> None:
    """Checks that every image has a label map and the reverse.

    Raises:
        DataError: Naming the first file without a partner, and how many there are.
    """
    for has, lacks, have, partner in ((images, labels, "image", "label map"),
                                      (labels, images, "label map", "image")):
        alone = [has[key] for key in has if key not in lacks]
        if alone:
            folder = next(iter(lacks.values())).parent
            raise DataError(
                f"{alone[0]}: this {have} has no {partner} of the same name in {folder} ({len(alone)} of "
                f"{len(has)} {have}s have none). Add the missing files, remove these, or read them as a "
                f"source of {have}s alone.")


def _open(path: Path) -> Image.Image:
    try:
        image = Image.open(path)
        image.load()
    except FileNotFoundError:
        raise DataError(f"{path}: the file has gone since the folder was listed. Put it back, or build the "
                        "source again.") from None
    except _DAMAGED as error:
        raise DataError(f"{path}: cannot be read, it is truncated or damaged ({error}). Copy or download it "
                        "again, or remove it together with its partner.") from error
    return image


def read_image(path: Path) -> np.ndarray:
    """A photo as uint8 RGB ``(H, W, 3)``; grey becomes RGB, EXIF rotation is applied, transparency dropped.

    Raises:
        DataError: If the file is missing, truncated or damaged.
    """
    image = _open(path)
    ImageOps.exif_transpose(image, in_place=True)
    if image.mode.startswith("I;16") or image.mode == "I":  # 16-bit grey, which Pillow would clip at 255
        image = Image.fromarray((np.asarray(image).astype(np.int64) >> 8).clip(0, 255).astype(np.uint8))
    return np.asarray(image if image.mode == "RGB" else image.convert("RGB"))  # convert copies even then


def read_label_map(path: Path, label_space: LabelSpace | None) -> np.ndarray:
    """A label map as integers ``(H, W)``, as stored: neither remapped nor checked.

    Grey (8 or 16 bit), 1-bit and palette-mode files hold ids (palette mode: the indices, whatever their
    colours); RGB files are decoded with the colours of ``label_space``.

    Args:
        path: The file.
        label_space: Where RGB colours are looked up; None if there is no palette.

    Raises:
        DataError: If the file is missing, truncated or damaged, or has colours and there is no palette, or
            one that the palette does not hold.
    """
    image = _open(path)
    if image.mode in ("L", "P", "I", "1") or image.mode.startswith("I;16"):
        return np.asarray(image).astype(np.uint8 if image.mode in ("L", "P", "1") else np.int32)
    if image.mode in ("LA", "PA"):
        return np.asarray(image)[..., 0]
    if label_space is None:
        raise DataError(f"{path}: this label map has colours (mode {image.mode}), and no palette says what "
                        "they mean. Give palette= (one RGB colour per class id), a label_space= or a "
                        "classes.csv, or store ids in a grey PNG.")
    return _decode_colours(np.asarray(image.convert("RGB")), label_space, path)


def _decode_colours(rgb: np.ndarray, label_space: LabelSpace, path: Path) -> np.ndarray:
    packed = rgb.astype(np.int32) @ np.array([65536, 256, 1], np.int32)
    colours = np.asarray(label_space.palette, np.int32) @ np.array([65536, 256, 1], np.int32)
    order = np.argsort(colours, kind="stable")
    twice = np.flatnonzero(np.diff(colours[order]) == 0)
    if len(twice):
        first, second = order[twice[0]], order[twice[0] + 1]
        raise DataError(f"{path}: classes {first} and {second} share the colour "
                        f"{label_space.palette[first]}, so this RGB label map is ambiguous. Store ids in a "
                        "grey PNG, or give each class its own colour.")
    found = order[np.searchsorted(colours[order], packed).clip(max=len(order) - 1)]
    unknown = colours[found] != packed
    if unknown.any():
        values, counts = np.unique(packed[unknown], return_counts=True)
        most = int(values[counts.argmax()])
        jpeg = path.suffix.lower() in (".jpg", ".jpeg")
        lossy = (" JPEG alters colours: store label maps as PNG." if jpeg else
                 " Label maps must be resized with nearest neighbour, and without smoothing.")
        raise DataError(
            f"{path}: colour ({most >> 16}, {most >> 8 & 255}, {most & 255}) covers {counts.max()} pixels "
            f"and is not in the palette of {label_space.num_classes} colours ({len(values)} unknown colours "
            f"in all). Add it to the palette if it is a class.{lossy if len(values) > 5 else ''}")
    return found.astype(np.int32)


def remap(label_map: np.ndarray, id_map: Mapping[int, int]) -> np.ndarray:
    """The label map with the ids that are keys of ``id_map`` replaced (int32), or itself if there are none."""
    if not id_map:
        return label_map
    if label_map.dtype == np.uint8:
        return np.array([id_map.get(i, i) for i in range(256)], np.int32).take(label_map)
    remapped = label_map.astype(np.int32)
    for old, new in id_map.items():
        remapped[label_map == old] = new
    return remapped


class FileSource(Source):
    """Photos and label maps in image files.

    Args:
        images: Image file of each item's name, or None for a source of label maps alone.
        labels: Label file of each item's name, or None for a source of images alone. Same names as
            ``images``.
        label_space: What the ids mean; None for a source of images alone.
        id_map: Stored id → class id, for ids that differ; the others stay.

    Raises:
        DataError: If an image has no label map or a label map has no image.
    """

    def __init__(self, images: Mapping[str, Path] | None, labels: Mapping[str, Path] | None,
                 label_space: LabelSpace | None, id_map: Mapping[int, int] | None = None):
        if images is not None and labels is not None:
            pair_files(images, labels)
        self._images = images
        self._labels = labels
        self._names = list(images if images is not None else labels)
        self._id_map = dict(id_map or {})
        self.label_space = label_space

    def __len__(self):
        return len(self._names)

    def name(self, index):
        return self._names[index]

    def location(self, index):
        name = self._names[index]
        return " and ".join(str(files[name]) for files in (self._images, self._labels) if files is not None)

    def fingerprint(self, index):
        name = self._names[index]
        status = self._labels[name].stat()
        return f"{name}/{status.st_size}/{status.st_mtime_ns}/{self._id_map}"

    def image_fingerprint(self, index):
        if self._images is None:
            return None
        status = self._images[self._names[index]].stat()
        return f"{status.st_size}/{status.st_mtime_ns}"

    @property
    def id_map(self):
        return self._id_map

    def image_bytes(self, index):
        return None if self._images is None else self._images[self._names[index]].read_bytes()

    def label_map_bytes(self, index):
        return None if self._labels is None else self._labels[self._names[index]].read_bytes()

    def load_image(self, index):
        if self._images is None:
            raise ValueError("This source has label maps alone (images=None): it has no photos to load.")
        return read_image(self._images[self._names[index]])

    def load_label_map(self, index):
        if self._labels is None:
            raise ValueError("This source has images alone (labels=None): it has no label maps to load.")
        path = self._labels[self._names[index]]
        label_map = remap(read_label_map(path, self.label_space), self._id_map)
        return self.label_space.check(label_map, str(path))
