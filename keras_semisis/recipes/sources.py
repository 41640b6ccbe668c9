"""From what the user writes after ``--data`` to sources of photos and label maps."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from keras_semisis.data import (
    BadFiles,
    DataError,
    LabelSpace,
    Records,
    Source,
    SyntheticScenes,
    snap_report,
)
from keras_semisis.data.argument_error import ArgumentError
from keras_semisis.data.sources.folder_layout import FolderLayout
from keras_semisis.data.stream.draws import permutation
from keras_semisis.options.layout import USUAL_LAYOUT, Layout
from keras_semisis.options.option import option_name
from keras_semisis.options.text import parse_id_map
from keras_semisis.recipes.known_data import check_data, unused_options
from keras_semisis.recipes.named_sources import (
    BENCHMARKS,
    folder_like,
    hugging_face_like,
    kind_of,
    open_folder,
    open_hugging_face,
    open_of_library,
    open_tfds,
    splits_of_pack,
    tfds_like,
)
from keras_semisis.recipes.notices import tell

# of a folder without a validation split, the share of pairs that is kept for validation
_HELD_OUT = 0.1
_SYNTHETIC_SCENES = 400


class DataPair(NamedTuple):
    """Training and validation photos with their label maps."""

    train: Source
    val: Source


def open_data(
    data: str,
    image_size: tuple[int, int],
    ignore_class: int | None = None,
    id_map: tuple[str, ...] = (),
    validation_data: str | None = None,
    skip_bad: BadFiles | None = None,
    image_range: tuple[float, float] | None = None,
    label_space: LabelSpace | None = None,
    layout: Layout = USUAL_LAYOUT,
    unpaired_images: str | None = None,
    unpaired_labels: str | None = None,
) -> DataPair:
    """Opens what ``--data`` names.

    That is ``cityscapes:PATH``, ``ade20k:PATH``, ``coco_stuff:PATH``, ``camvid:PATH``, ``tfds:NAME``, ``hf:NAME``,
    ``folder:PATH``, ``records:PATH`` or ``synthetic``.

    All but ``hf``, ``folder`` and ``records`` have a validation split, and so have those with ``train`` and ``val`` in them, by
    whatever usual names. Of any others every tenth pair, and at least two of four or more, chosen by name, is kept for
    validation, unless ``validation_data`` names another; a test split is none. What is in a folder and is not read as pairs is
    told in a line: photos without a label map, label maps without a photo, and subfolders that are not used.

    Args:
        data: As above; ``synthetic:N`` has N training scenes and half as many others.
        image_size: (height, width) that synthetic scenes are rendered at.
        ignore_class, id_map: As `Folder` takes them, the latter as ``"255=11"``; of folders, ``hf`` and ``tfds``.
        validation_data: ``folder:PATH``, ``records:PATH``, ``hf:NAME`` or ``tfds:NAME`` of others.
        skip_bad: Bad files that are tolerated, as `Folder` takes them.
        image_range: Of the photos of folders and of ``hf``, as `Folder` takes it.
        label_space: What the label maps of a folder, of ``hf`` and of ``tfds`` mean, of a model that is there already.
        layout: Names of splits, and suffixes and prefixes of names.
        unpaired_images, unpaired_labels: What else these options are for. It is not opened.

    Raises:
        ValueError: If ``data`` is none of these, nothing that is named has a use for an option, or photos to train on are in
            ``validation_data``.
        DataError: As the sources raise it, or if a folder or pack names other classes than it has to have.
    """
    check_data(data)
    kind, _, path = data.partition(":")
    useless = [option_name(name) for name, value in layout.of_folder.items() if value is not None]
    if useless and {"folder"}.isdisjoint(kind_of(text) for text in (data, validation_data) if text):
        raise ValueError(f"{' and '.join(useless)}: for folder:PATH, but --data is {data}. Leave them out.")
    unused = unused_options(data, ignore_class, id_map, image_range, validation_data, unpaired_images, unpaired_labels)
    for reason in unused.values():
        raise ValueError(reason)
    hold_out, splits = validation_data is None, (layout.train_split or "train", layout.validation_split or "val")
    if hold_out and splits[0] == splits[1]:
        raise _one_split(splits[1])
    ids = parse_id_map(id_map)
    rule: dict[str, Any] = {"ignore_class": ignore_class, "id_map": ids}
    options = {**rule, "skip_bad": skip_bad or 0, "image_range": image_range}
    if kind == "synthetic":
        scenes = int(path or _SYNTHETIC_SCENES)
        train: Source
        val: Source
        train, val = (
            SyntheticScenes(number, split, image_size)
            for number, split in zip((scenes, max(1, scenes // 2)), splits, strict=True)
        )
        pair = DataPair(train, val)
    elif kind in BENCHMARKS:
        train = BENCHMARKS[kind](path, splits[0])
        pair = DataPair(train, BENCHMARKS[kind](path, splits[1]) if hold_out else train)
    elif kind == "tfds":
        train, val = (
            open_tfds(path, split, **rule)
            if label_space is None
            else tfds_like(path, split, label_space, "the model", data, **rule)
            for split in (splits if hold_out else splits[:1] * 2)
        )
        pair = DataPair(train, val)
    elif kind == "folder":
        pair = _open_folder(Path(path), options, hold_out, layout, label_space)
    elif kind == "records":
        pair = _open_records(Path(path), hold_out, layout)
    else:
        pair = _open_hugging_face(path, options, hold_out, splits, layout, label_space)
    if validation_data is None:
        return _apart(pair, layout, data)
    kind, _, path = validation_data.partition(":")
    if kind == "records" and path:
        val = Records(path, layout.validation_split)
        if val.label_space is None:
            raise DataError(f"--validation-data {validation_data}: this pack holds photos alone. Name one with label maps.")
        pair.train.label_space.require_same_classes(val.label_space, f"--data {data}", f"--validation-data {validation_data}")
        return _apart_from(pair.train, val, validation_data)
    if kind in ("hf", "tfds") and path:
        val = open_of_library(
            validation_data,
            "--validation-data",
            layout.validation_split or "val",
            pair.train.label_space,
            data,
            ids,
            image_range,
        )
        return _apart_from(pair.train, val, validation_data)
    if kind != "folder" or not path:
        raise ArgumentError(
            "{}: expected folder:PATH, records:PATH, hf:NAME or tfds:NAME.", {"validation_data": validation_data}
        )
    split = split_of_role(FolderLayout(Path(path)), "val", layout.validation_split, "--validation-split")
    val = folder_like(
        path,
        pair.train.label_space,
        f"--data {data}",
        split=split,
        id_map=ids,
        image_range=image_range,
        **layout.of_folder,
    )
    val = _pairs_alone(val, path)
    _tell_of_snapped(val, layout)
    return _apart_from(pair.train, val, validation_data)


def open_settings(
    settings: Any, skip_bad: BadFiles, image_size: tuple[int, int] | None = None, label_space: LabelSpace | None = None
) -> DataPair:
    """`open_data` of what settings name.

    Args:
        settings: `DataOptions`, and those that have more: `TrainSettings`, or the options of a command.
        skip_bad: Bad files that are tolerated.
        image_size: As `open_data` takes it; None is that of the settings.
        label_space: As `open_data` takes it.
    """
    return open_data(
        settings.data,
        image_size or settings.image_size,
        settings.ignore_class,
        settings.id_map,
        settings.validation_data,
        skip_bad,
        settings.image_range,
        label_space,
        settings,
        getattr(settings, "unpaired_images", None),
        getattr(settings, "unpaired_labels", None),
    )


def _open_folder(root, options, hold_out, layout, label_space):
    found = FolderLayout(root)
    split = split_of_role(found, "train", layout.train_split, "--train-split")
    if label_space is None:
        train = open_folder(root, split, **options, **layout.of_folder)
    else:
        train = folder_like(root, label_space, "the model", split=split, **options, **layout.of_folder)
    _tell_of_unpaired(train, root, "unpaired {}")
    _tell_of_snapped(train, layout)
    if split is None and len(likely := found.likely_splits) > 1:
        both = [
            f"--{option} {likely[role]}"
            for role, option in (("train", "train-split"), ("val", "validation-split"))
            if role in likely
        ]
        tell(f"{root}: {' and '.join(sorted(likely.values()))} are read as one. If they are splits, give {' '.join(both)}.")
    used, val = [found.whole() if split is None else found.splits[split]], None
    if hold_out:
        given = layout.validation_split
        split = found.of_role("val") if given is None else split_of_role(found, "val", given, "--validation-split")
        if found.lists:
            split = _apart_from_training(found, train, split, given)
        # with photos alone nothing can be validated
        if split is not None and (given is not None or found.splits[split].labels.is_dir()):
            val = folder_like(
                root,
                train.label_space,
                "the training split",
                split=split,
                image_range=options["image_range"],
                **layout.of_folder,
            )
            used.append(found.splits[split])
            val = _pairs_alone(val, f"{root}, split {split}")
            _tell_of_snapped(val, layout)
    others = [path.relative_to(root).as_posix() for path in found.others(used)]
    if others:
        listed = ", ".join(others[:10]) + (f" and {len(others) - 10} more" if len(others) > 10 else "")
        tell(
            f"{root}: not used: {listed}. --train-split, --validation-split, --unpaired-images and --unpaired-labels "
            "name what else to read.",
        )
    if val is not None:
        return DataPair(train, val)
    return _held_out(train, root) if hold_out else DataPair(train, train)


def _apart(pair, layout, data):
    """The pair; where both are the same split by two of its names, one of which is usual, pairs of it that are held out."""
    if not len(pair.train) or not len(pair.val) or pair.val.location(0) != pair.train.location(0):
        return pair
    if layout.validation_split is not None:
        raise _one_split(layout.validation_split)
    return _held_out(pair.train, data)


def _apart_from(train, val, validation_data):
    """The pair; validation data that name photos of the training are refused."""
    trained_on = {*_photos(train)}
    shared = [index for index, photo in enumerate(_photos(val)) if photo in trained_on]
    if shared:
        raise ArgumentError(
            f"{{}}: {len(shared)} of its {len(val)} photos are among those to train on, such as {val.location(shared[0])}. "
            "Name others, or leave it out: every tenth pair, or the data's own validation split, is then kept for validation.",
            {"validation_data": validation_data},
        )
    return DataPair(train, val)


def _photos(source: Source) -> Iterator[Any]:
    """What tells each photo of a source from others, by whatever path or link it is named."""
    for index in range(len(source)):
        path = source.image_file(index)
        try:
            file = None if path is None else path.stat()
            # a file system without numbers of files has 0 for all
            known = (file.st_dev, file.st_ino) if file and file.st_ino else path or source.image_fingerprint(index)
        except OSError:  # a file has gone, which is told where it is read
            known = None
        yield known or source.location(index)


def _one_split(name):
    return ArgumentError("{}: this is the split that is trained on. Name another.", {"validation_split": name})


def _apart_from_training(found, train, split, given):
    """The validation split of lists of names, unless it names what is trained on, as "trainval" does."""
    shared = {*found.listed(split)} & {train.name(i) for i in range(len(train))} if split else ()
    if shared and given is not None:
        raise ArgumentError(
            f"{{}}: {len(shared)} of its names are trained on, such as {min(shared)}. Name another, or another --train-split.",
            {"validation_split": given},
        )
    return None if shared else split


def _open_hugging_face(text, options, hold_out, splits, layout, label_space):
    if label_space is None:
        train = open_hugging_face(text, splits[0], **options)
    else:
        train = hugging_face_like(text, splits[0], label_space, "the model", f"hf:{text}", **options)
    if train.label_space is None:
        raise DataError(f"hf:{text}: there are photos alone in it. Name the column of label maps: hf:NAME?label=COLUMN.")
    if not hold_out:
        return DataPair(train, train)
    try:
        val = open_hugging_face(text, splits[1], label_space=train.label_space, image_range=options["image_range"])
    except DataError:  # there is no such split
        if layout.validation_split is not None:
            raise
        return _held_out(train, f"hf:{text}")
    return DataPair(train, val)


def split_of_role(found: FolderLayout, role: str, given: str | None, option: str) -> str | None:
    """The split of a folder that is given, or that has this role by its name; None of a folder without splits."""
    split = found.of_role(role) if given is None else found.named(given)
    if split is None and (given is not None or found.is_divided):
        wanted = f"no split {given!r}" if given is not None else f"none to {'train on' if role == 'train' else 'validate with'}"
        there = f"has the splits {', '.join(found.splits)}, but {wanted}" if found.splits else f"has no splits, and {wanted}"
        raise DataError(f"{found.root}: this folder {there}. Name one by {option}, or correct the path.")
    return split


def _pairs_alone(val, where):
    """Validation data; what has no partner in them is not used."""
    _tell_of_unpaired(val, where, "not used")
    val.unpaired_images = val.unpaired_labels = None
    return val


def _tell_of_unpaired(source, where, use):
    """Tells how many photos and label maps of a folder have no partner, and what becomes of them."""
    for further, kind, partner in (
        (source.unpaired_images, "photos", "a label map"),
        (source.unpaired_labels, "label maps", "a photo"),
    ):
        if further is not None:
            tell(
                f"{where}: {len(source)} of {len(source) + len(further)} {kind} have {partner}, which makes pairs; "
                f"the other {len(further)} are {use.format(kind)}.",
            )


def _tell_of_snapped(source, layout):
    """Tells what colors were taken for the nearest."""
    if layout.snap is not None and source.label_space is not None:
        for part in (source, source.unpaired_labels):
            if part is not None:
                tell(f"--snap {layout.snap:g}: {snap_report(part)}")


def _open_records(root, hold_out, layout):
    splits = splits_of_pack(root)
    named = layout.train_split or layout.validation_split or len(splits) == 2
    train = Records(root, layout.train_split or "train") if named else Records(root, *splits)
    _tell_of_unpaired(train, root, "unpaired {}")
    if named and (layout.validation_split or "val" in splits):
        return DataPair(train, Records(root, layout.validation_split or "val") if hold_out else train)
    return _held_out(train, root) if hold_out else DataPair(train, train)


def _held_out(train, root):
    # a distance between distributions needs two photos
    count = max(2 if len(train) > 3 else 1, round(_HELD_OUT * len(train)))
    if count == len(train):
        raise DataError(
            f"{root}: one pair alone cannot be both trained on and validated with. Add more, or name --validation-data."
        )
    by_name = np.array(sorted(range(len(train)), key=train.name), np.int64)
    order = by_name[permutation(len(train), 0, "validation")]
    val = train.subset(np.sort(order[:count]))
    val.unpaired_images = val.unpaired_labels = None
    return DataPair(train.subset(np.sort(order[count:])), val)
