"""A folder of the user's own: images and label maps in image files."""

import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np

from keras_semisis.data.bad_files import BadFiles, bad_files
from keras_semisis.data.data_error import DataError
from keras_semisis.data.data_warning import DataWarning
from keras_semisis.data.labels.file_palettes import FilePalettes
from keras_semisis.data.labels.id_survey import (
    MOST_LEVELS,
    UNLABELED,
    WITHOUT_SMOOTHING,
    IdSurvey,
    are_levels,
    level_map,
    unlabeled,
)
from keras_semisis.data.labels.ids_or_classes import ids_or_classes, without_palette
from keras_semisis.data.labels.label_space import LabelSpace, unnamed_classes, unnamed_label_space
from keras_semisis.data.labels.stored_ids import integer_ids
from keras_semisis.data.pictures.decoding import decode_label_picture, read_bytes
from keras_semisis.data.pictures.label_picture import colors_of
from keras_semisis.data.remedy import Remedy
from keras_semisis.data.sources.classes_file import find_classes, read_classes
from keras_semisis.data.sources.file_source import FileSource
from keras_semisis.data.sources.folder_files import (
    Affixes,
    FolderFiles,
    find_instance_maps,
    find_label_maps,
    find_pairs,
    find_photos,
    of_list,
)
from keras_semisis.data.sources.folder_layout import FolderLayout, is_split

_MOST_CLASSES = 1024
_NAME_THEM = Remedy("If they are ids all the same, name all classes in a classes.csv.")


class Folder(FileSource):
    """Images and label maps below a folder, matched by file name without the format; subfolders included.

    Few label maps are enough: the photos that have one are the items of this source, the others are its ``unpaired_images``;
    label maps without a photo are its ``unpaired_labels``. `semi_paired_split` takes both. The names of a photo and its label
    map may differ in letter case, and in a suffix or a prefix: ``street.jpg`` and ``street_mask.png``, ``street.jpg.png``;
    ``img_1.jpg`` and ``mask_1.png``. Photos and label maps may lie in one folder, where that, or JPEG beside PNG, tells which
    is which.

    With ``split="train"`` the files are in ``root/images/train`` or ``root/train/images``, or photos and label maps together in
    ``root/train``, and the like for labels. Other usual names are known: "masks", "annotations" and others for labels,
    "training", "valid", "validation", "testing" for splits. A folder with splits is not read without one.

    A label map is a gray PNG of class ids (8 or 16 bit, or red = green = blue), an indexed PNG (its indices are the
    ids, unless its colors are those of the classes), or an RGB PNG whose colors are those of ``palette``, ``label_space``
    or `classes.csv`.

    Splits may be lists of names as well, as those of Pascal VOC: ``ImageSets/Segmentation/train.txt`` and others beside
    ``JPEGImages`` and ``SegmentationClass``. Photos without a label map that no list names are unpaired ones of the training.

    Where ``label_space`` is not given, it comes from ``palette``, with classes named "class 0", "class 1"
    and so on; else from a file ``classes.csv`` (or Roboflow's ``_classes.csv``, or ``class_dict.csv``) in ``root`` or beside
    the label maps: a header ``id,name,r,g,b`` (and ``ignore``, where 1 marks the don't-care class and the others have 0 or
    nothing), one line for each id from 0 on. Where there is neither, all label maps are read once for their ids: the classes
    are 0 to the highest id found, with a drawn palette. Name the classes to make sure that a training and a validation folder
    agree.

    Args:
        root: The folder.
        split: Name of a split, or None if there are none. Of the usual names of one ("val", "valid", "validation") each finds
            the others.
        images: Folder of the images, in ``root`` or elsewhere; None for a source of label maps alone.
        labels: Folder of the label maps, in ``root`` or elsewhere; None for a source of images alone.
        label_space: What the ids mean.
        palette: RGB color of each class id, for a label space without names.
        ignore_class: The don't-care id: a class, or, where it lies above all classes, the stored id (such as 255) of which a
            don't-care class is made after them, or which joins the don't-care class that there is.
        id_map: Stored id → class id, for ids that differ, such as ``{255: 1}`` for masks of 0 and 255; goes before the rule
            of ``label_space``.
        skip_bad: Number of label maps that may be bad when all are read for their ids; as in `paired_dataset`.
        image_suffix, label_suffix: What the names of photos and of label maps have after the part that both share, such as
            ``"_mask"``; ``""`` for nothing. None finds it.
        image_range: Values that become black and white, of photos of 16 bits, gray or colors, that use fewer, such as
            ``(0, 4095)``, or of gray floating-point numbers, such as ``(0, 1)``. None takes 16 bits as they are, and refuses
            photos that would be nearly black.
        image_prefix, label_prefix: What the names have before the part that both share, such as ``"mask_"``, likewise. Found is
            one that says that it is of label maps.
        snap: Of label maps in colors that were drawn with smooth edges: how far, in RGB, a color may be from that of the class
            beside it that it is taken for. None takes the classes' own colors alone. `snap_report` tells what was done.
        instances: Folder of the instance maps, in ``root``, beside the label maps of a split, or elsewhere: PNG files named as
            the label maps, in which every number, or every color, is one thing. It need not be there; None for none. They are
            looked for when they are asked for.

    Raises:
        DataError: If a folder is missing or empty, no photo has a label map, several suffixes are possible, `classes.csv`
            cannot be understood, or the ids found make no label space.
        ValueError: If arguments contradict each other, ``id_map`` holds what is no integer, or ``image_range`` is no range.

    Warns:
        UserWarning: If files are passed over; if there are both photos and label maps without a partner, whose names may have
            been meant to agree; if the classes are those found, and most ids below the highest are in no label map.

    Example:

    >>> import tempfile
    >>> from PIL import Image
    >>> root = Path(tempfile.mkdtemp())
    >>> (root / "images").mkdir(), (root / "labels").mkdir()
    (None, None)
    >>> Image.new("RGB", (4, 2)).save(root / "images" / "street.jpg")
    >>> Image.frombytes("L", (4, 2), bytes([0, 0, 1, 1, 3, 3, 2, 2])).save(root / "labels" / "street.png")
    >>> source = Folder(root)
    >>> source.label_space.num_classes, source.load_label_map(0).shape
    (4, (2, 4))
    """

    def __init__(
        self,
        root: str | Path,
        split: str | None = None,
        images: str | Path | None = "images",
        labels: str | Path | None = "labels",
        label_space: LabelSpace | None = None,
        palette: Sequence[Sequence[int]] | None = None,
        ignore_class: int | None = None,
        id_map: Mapping[int, int] | None = None,
        skip_bad: int | BadFiles = 0,
        image_suffix: str | None = None,
        label_suffix: str | None = None,
        image_range: tuple[float, float] | None = None,
        image_prefix: str | None = None,
        label_prefix: str | None = None,
        snap: float | None = None,
        instances: str | Path | None = "instances",
    ):
        root, id_map = Path(root), integer_ids(id_map)
        if images is None and labels is None:
            raise ValueError("images=None and labels=None leave nothing to read. Name at least one folder.")
        if label_space is not None and palette is not None:
            raise ValueError("label_space= says what palette= would say. Give one or the other.")
        layout = FolderLayout(root, images, labels)
        folders = _folders(layout, split)
        refused: Mapping[Path, DataError] = {}
        files = self._find(folders.images, folders.labels, Affixes(image_suffix, label_suffix, image_prefix, label_prefix))
        split = None if split is None else layout.named(split)
        if split is not None and split in layout.lists:
            others: set[str] | None = None
            # photos that are in no list are to be learned from
            if split not in (layout.of_role("val"), layout.of_role("test")):
                others = {name for other in layout.lists for name in layout.listed(other) or ()}
            files = of_list(files, layout.listed(split) or (), layout.lists[split], others)
        if labels is None:
            label_space = None
        elif label_space is None:
            classes = _classes_file(root, folders)
            if palette is not None:
                label_space = LabelSpace(unnamed_classes(len(palette)), palette)
            elif classes is not None:
                label_space = read_classes(classes)
            else:
                label_files = [*(files.labels or {}).values(), *files.unpaired_labels.values()]
                label_space, refused = found_label_space(label_files, id_map, ignore_class, bad_files(skip_bad))
        if label_space is not None and ignore_class is not None:
            label_space = with_ignored(label_space, ignore_class)
        if label_space is not None:
            label_space = label_space.with_ids(id_map).with_snap(snap)
        super().__init__(files.images, files.labels, label_space, image_range, refused)
        self._set_unpaired(files.unpaired_images, files.unpaired_labels)
        self._instances_folder = None if instances is None else layout.instances(split, instances)
        if self._instances_folder is None and instances not in (None, "instances"):
            raise DataError(f"{root}: there is no folder {instances} of instance maps. Correct instances=, or leave it out.")

    def _find_instances(self) -> dict[str, Path]:
        folder = self._instances_folder
        return {} if folder is None or self._labels is None else find_instance_maps(folder, self._labels)

    @staticmethod
    def _find(images: Path | None, labels: Path | None, affixes: Affixes) -> FolderFiles:
        if labels is not None and images is None:
            return FolderFiles(None, find_label_maps(labels, affixes), {}, {})
        if images is not None and labels is None:
            return FolderFiles(find_photos(images, affixes), None, {}, {})
        return find_pairs(cast(Path, images), cast(Path, labels), affixes)


def classes_file(
    root: str | Path, split: str | None = None, images: str | Path | None = "images", labels: str | Path | None = "labels"
) -> Path | None:
    """The file that names the classes of a `Folder` of these arguments; None where there is none."""
    return _classes_file(Path(root), _folders(FolderLayout(Path(root), images, labels), split))


def classes_beside(folder: Path) -> Path | None:
    """The file that names the classes of the label maps in a folder, in it or where that of a `Folder` may lie above it."""
    folder = Path(os.path.abspath(folder))  # of "." the folder above has no name
    above = [folder.parent]
    if is_split(folder.name) or is_split(folder.parent.name):
        above.append(folder.parent.parent)
    return find_classes((folder, *above))


def _classes_file(root, folders):
    beside = [] if folders.labels is None else [folders.labels.parent]
    return find_classes((root, *(folder for folder in reversed(folders) if folder), *beside))


def _folders(layout, split):
    """Where the photos and label maps of a split are."""
    if split is not None:
        name = layout.named(split)
        if name is None:
            there = f"its splits are {', '.join(layout.splits)}" if layout.splits else "it has no splits"
            raise DataError(
                f"{layout.root}: there is no split {split!r}, neither {split}/images nor images/{split}; {there}. "
                "Correct the path or the split's name."
            )
        return layout.splits[name]
    if layout.is_divided and None not in layout.whole():
        raise DataError(
            f"{layout.root}: this folder has the splits {', '.join(layout.usual_splits)}, which are not read as "
            "one. Name one by split=."
        )
    return layout.whole()


def with_ignored(space: LabelSpace, ignore_class: int) -> LabelSpace:
    """A label space in which ``ignore_class`` is the don't-care class."""
    if 0 <= ignore_class < space.num_classes:
        return replace(space, ignore_class=ignore_class)
    space = space.with_void()
    return space.with_ids({ignore_class: cast(int, space.ignore_class)})


def found_label_space(
    files: Sequence[Any],
    id_map: Mapping[int, int],
    ignore_class: int | None,
    bad: BadFiles,
    read: Callable[[Any], bytes] = read_bytes,
) -> tuple[LabelSpace, dict[Any, DataError]]:
    """The label space of all ids that label maps hold, but for one of ``ignore_class`` above the others.

    Args:
        files: Paths, or what else ``read`` takes, which as text are what they are called in messages.
        id_map, ignore_class: As `Folder` takes them.
        bad: Takes note of those that cannot be used.
        read: The bytes of one of them.

    Returns:
        The label space, and what is wrong with those that cannot be used, which may not show in one by itself.
    """
    refused: dict[Any, DataError] = {}
    first: dict[int, Path] = {}
    survey, palettes = IdSurvey(), FilePalettes()
    for path in files:
        try:
            picture = decode_label_picture(read(path), str(path))
            if picture.has_colors:
                raise without_palette(str(path), _all_colors(files, read))
            label_map, _ = ids_or_classes(picture, None, str(path))
            palettes.add(picture, str(path))
            own = IdSurvey([label_map])
            fault = own.fault()
            if fault is not None:
                raise DataError(f"{path}: {fault}.", WITHOUT_SMOOTHING, _NAME_THEM)
        except DataError as error:
            bad.add(error)
            refused[path] = error
            continue
        survey.join(own)
        for i in own.pixels:
            first.setdefault(i, path)
    if not first:
        raise DataError(f"None of the {len(files)} label maps can be used:", listed=bad.errors)
    where = first[max(first)]
    fault = survey.fault()
    if fault is not None:
        raise DataError(f"{where}: {fault}.", WITHOUT_SMOOTHING, _NAME_THEM)
    classes = {i: id_map.get(i, i) for i in first}
    highest = max({*classes.values()} - {ignore_class}, default=0)
    is_stored = ignore_class in UNLABELED and ignore_class > highest
    if ignore_class is None or is_stored or not 0 <= ignore_class <= 2 * (highest + 1):  # of a stored id a class is made
        classes = {i: to for i, to in classes.items() if to != ignore_class} or {0: 0}
        ignore_class = None
    _check_found(classes, id_map, ignore_class, where, first)
    number = max(classes.values()) + 1
    if ignore_class is not None and ignore_class > number:  # some classes before it are in no label map
        number = ignore_class
    return unnamed_label_space(number), refused


def _all_colors(files, read):
    """The colors of all label pictures that have colors."""
    found = []
    for path in files:
        with suppress(DataError):
            picture = decode_label_picture(read(path), str(path))
            if picture.has_colors:
                found.append(colors_of(picture.pixels))
    return colors_of(np.concatenate(found))


def _check_found(classes, id_map, ignore_class, where, first):
    """Raises or warns where the ids found are hardly the classes 0, 1, 2, ..."""
    ids = sorted({*classes.values()})
    listed = ", ".join(map(str, ids[:12])) + (", ..." if len(ids) > 12 else "")
    if ids == [0, 255]:
        raise DataError(
            f"{where}: the label maps hold the ids 0 and 255 alone, a black and white mask.",
            Remedy("Give {} to make them classes 0 and 1.", {"id_map": {255: 1}}),
        )
    void = unlabeled(ids) if unlabeled(classes) else []  # of levels in the files some may be mapped already
    if void:
        free = max({*ids} - {*void}, default=-1) + 1
        raise DataError(
            f"{where}: label id {' and '.join(map(str, void))} found, of {listed}; it usually marks unlabeled pixels.",
            Remedy(
                "Give {} to make a don't-care class of it, or a classes.csv.",
                {"ignore_class": void[0]}
                if len(void) == 1
                else {"id_map": {**id_map, **dict.fromkeys(void, free)}, "ignore_class": free},
            ),
        )
    few = len(ids) <= MOST_LEVELS
    whole: dict[str, Any] = {"id_map": level_map(classes, id_map)}
    if ignore_class in ids:
        whole["ignore_class"] = ids.index(ignore_class)
    if ids[0] < 0 or ids[-1] >= _MOST_CLASSES or (ids[-1] >= 255 and are_levels(ids)):
        stray = ids[0] if ids[0] < 0 else ids[-1]
        path = next(first[i] for i, to in classes.items() if to == stray)
        raise DataError(
            f"{path}: label id {stray} found, which is hardly a class id: the ids in the label maps are {listed}.",
            Remedy("Give {} to make classes of them, or a classes.csv.", whole)
            if few
            else Remedy("Map them to 0, 1, 2, ... by {}.", {"id_map": ...}),
        )
    if 2 * (len(ids) - 1) < ids[-1]:
        warnings.warn(
            DataWarning(
                f"{where}: id {ids[-1]} makes {ids[-1] + 1} classes, but the only ids in the label maps are {listed}.",
                Remedy("If the others are no classes, give {}; else name all classes in a classes.csv.", whole)
                if few
                else _NAME_THEM,
            ),
            stacklevel=4,
        )
