"""From what the user writes after ``--data`` to sources of photos and label maps."""

import json
import re
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, cast
from urllib.parse import parse_qsl, urlencode

import numpy as np

from keras_semisis.data import (
    ADE20K,
    TFDS,
    BadFiles,
    CamVid,
    Cityscapes,
    COCOStuff,
    DataError,
    Folder,
    HuggingFace,
    LabelSpace,
    Records,
    Source,
    SyntheticScenes,
    semi_paired_split,
)
from keras_semisis.data.argument_error import ArgumentError
from keras_semisis.data.labels.label_space import distinct_colors, unnamed_classes
from keras_semisis.data.packs.pack_files import MANIFEST
from keras_semisis.data.sources.classes_file import find_classes, read_classes
from keras_semisis.data.sources.file_source import FileSource
from keras_semisis.data.sources.folder import with_ignored
from keras_semisis.data.sources.folder_layout import FolderLayout
from keras_semisis.data.sources.one_sided import ImagesOnly, LabelMapsOnly
from keras_semisis.data.stream.draws import permutation
from keras_semisis.data.stream.split import with_further
from keras_semisis.gans import Sampler
from keras_semisis.options.layout import USUAL_LAYOUT, Layout
from keras_semisis.options.read import ReadOptions, check_fit
from keras_semisis.options.text import parse_id_map
from keras_semisis.options.train import TrainSettings
from keras_semisis.recipes.notices import tell
from keras_semisis.recipes.run_folder import settings_beside

EXPECTED = (
    "cityscapes:PATH, ade20k:PATH, coco_stuff:PATH, camvid:PATH, tfds:NAME, hf:NAME, folder:PATH, records:PATH or synthetic"
)
DEFAULT_IMAGE_SIZE = (64, 96)
# with a training and a validation split in one folder
_BENCHMARKS = {"cityscapes": Cityscapes, "ade20k": ADE20K, "coco_stuff": COCOStuff, "camvid": CamVid}
# of a folder without a validation split, the share of pairs that is kept for validation
_HELD_OUT = 0.1
_SYNTHETIC_SCENES = 400
# What reads ids, or photos, by these options
_USES = MappingProxyType(
    {"ignore_class": ("folder", "hf", "tfds"), "id_map": ("folder", "hf", "tfds"), "image_range": ("folder", "hf")}
)
_WITHOUT_USE = {
    "records": "a pack holds what it was packed from: give that to `keras-semisis pack`",
    "synthetic": "the scenes are drawn as they are",
    "tfds": "its photos have 8 bits",
}


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
    whatever usual names. Of any others every tenth pair, chosen by name, is kept for validation, unless ``validation_data``
    names another; a test split is none. What is in a folder and is not read as pairs is told in a line: photos without a
    label map, label maps without a photo, and subfolders that are not used.

    Args:
        data: As above; ``synthetic:N`` has N training scenes and half as many others.
        image_size: (height, width) that synthetic scenes are rendered at.
        ignore_class, id_map: As `Folder` takes them, the latter as ``"255=11"``; of folders, ``hf`` and ``tfds``.
        validation_data: ``folder:PATH``, ``records:PATH``, ``hf:NAME`` or ``tfds:NAME`` of others.
        skip_bad: Bad files that are tolerated, as `Folder` takes them.
        image_range: Of the photos of folders and of ``hf``, as `Folder` takes it.
        label_space: What the label maps of a folder mean, of a model that is there already.
        layout: Names of splits, and suffixes and prefixes of names.
        unpaired_images, unpaired_labels: What else these options are for. It is not opened.

    Raises:
        ValueError: If ``data`` is none of these, or nothing that is named has a use for an option.
        DataError: As the sources raise it, or if a folder or pack names other classes than it has to have.
    """
    kind, _, path = data.partition(":")
    useless = ["--" + name.replace("_", "-") for name, value in layout.affixes.items() if value]
    if useless and {"folder"}.isdisjoint(_kind(text) for text in (data, validation_data) if text):
        raise ValueError(f"{' and '.join(useless)}: for folder:PATH, but --data is {data}. Leave them out.")
    unused = unused_options(data, ignore_class, id_map, image_range, validation_data, unpaired_images, unpaired_labels)
    for reason in unused.values():
        raise ValueError(reason)
    hold_out, splits = validation_data is None, (layout.train_split or "train", layout.validation_split or "val")
    if hold_out and splits[0] == splits[1]:
        raise ArgumentError("{}: this is the split that is trained on. Name another.", {"validation_split": splits[1]})
    if kind == "synthetic" and (not path or path.isdigit()):
        scenes = int(path or _SYNTHETIC_SCENES)
        train: Source
        val: Source
        train, val = (
            SyntheticScenes(number, split, image_size)
            for number, split in zip((scenes, max(1, scenes // 2)), splits, strict=True)
        )
        pair = DataPair(train, val)
    elif kind in _BENCHMARKS and path:
        train = _BENCHMARKS[kind](path, splits[0])
        pair = DataPair(train, _BENCHMARKS[kind](path, splits[1]) if hold_out else train)
    elif kind == "tfds" and path:
        options: dict[str, Any] = {"ignore_class": ignore_class, "id_map": parse_id_map(id_map)}
        train = _tfds(path, splits[0], **options)
        pair = DataPair(train, _tfds(path, splits[1], **options) if hold_out else train)
    elif kind == "folder" and path:
        options = {
            "ignore_class": ignore_class,
            "id_map": parse_id_map(id_map),
            "skip_bad": skip_bad or 0,
            "image_range": image_range,
        }
        pair = _open_folder(Path(path), options, hold_out, layout, label_space)
    elif kind == "records" and path:
        pair = _open_records(Path(path), hold_out, layout)
    elif kind == "hf" and path:
        options = {
            "ignore_class": ignore_class,
            "id_map": parse_id_map(id_map),
            "skip_bad": skip_bad or 0,
            "image_range": image_range,
        }
        pair = _open_hugging_face(path, options, hold_out, splits, layout)
    else:
        raise ArgumentError(f"{{}}: expected {EXPECTED}.", {"data": data})
    if validation_data is None:
        return pair
    kind, _, path = validation_data.partition(":")
    if kind == "records" and path:
        val = Records(path, layout.validation_split)
        if val.label_space is None:
            raise DataError(f"--validation-data {validation_data}: this pack holds photos alone. Name one with label maps.")
        pair.train.label_space.require_same_classes(val.label_space, f"--data {data}", f"--validation-data {validation_data}")
        return DataPair(pair.train, val)
    if kind in ("hf", "tfds") and path:
        val = _of_library(
            validation_data,
            "--validation-data",
            layout.validation_split or "val",
            pair.train.label_space,
            data,
            parse_id_map(id_map),
            image_range,
        )
        return DataPair(pair.train, val)
    if kind != "folder" or not path:
        raise ArgumentError(
            "{}: expected folder:PATH, records:PATH, hf:NAME or tfds:NAME.", {"validation_data": validation_data}
        )
    split = _split(FolderLayout(Path(path)), "val", layout.validation_split, "--validation-split")
    val = _folder_like(
        path,
        pair.train.label_space,
        f"--data {data}",
        split=split,
        id_map=parse_id_map(id_map),
        image_range=image_range,
        **layout.affixes,
    )
    return DataPair(pair.train, _pairs_alone(val, path))


def open_settings(settings: Any, skip_bad: BadFiles) -> DataPair:
    """`open_data` of what settings name.

    Args:
        settings: What has an ``image_size`` beside them: `TrainSettings`, or the options of `check`.
        skip_bad: Bad files that are tolerated.
    """
    return open_data(
        settings.data,
        settings.image_size,
        settings.ignore_class,
        settings.id_map,
        settings.validation_data,
        skip_bad,
        settings.image_range,
        layout=settings,
        unpaired_images=settings.unpaired_images,
        unpaired_labels=settings.unpaired_labels,
    )


def unused_options(
    data: str,
    ignore_class: int | None = None,
    id_map: tuple[str, ...] = (),
    image_range: tuple[float, float] | None = None,
    validation_data: str | None = None,
    unpaired_images: str | None = None,
    unpaired_labels: str | None = None,
) -> dict[str, str]:
    """The options of these for which nothing that is named has a use, each with an error that says why.

    The don't-care class that a benchmark, a pack or the synthetic scenes have may be given.

    Example:

    >>> unused_options("camvid:PATH", id_map=("255=0",), validation_data="folder:PATH")
    {}
    """
    named = {
        "ignore_class": (data,),
        "id_map": (data, validation_data, unpaired_labels),
        "image_range": (data, validation_data, unpaired_images),
    }
    given = {
        "ignore_class": ignore_class,
        "id_map": " ".join(id_map) or None,
        "image_range": image_range and ":".join(map(str, image_range)),
    }
    reasons = {}
    for option, value in given.items():
        kinds = [_kind(text) for text in named[option] if text]
        if value is None or {*kinds} & {*_USES[option]}:
            continue
        if (
            option == "ignore_class"
            and kinds[0] in (*_BENCHMARKS, "records", "synthetic")
            and label_space_of(data).ignore_class == value
        ):
            continue
        *first, last = _USES[option]
        why = _WITHOUT_USE.get(kinds[0], "how the files of a benchmark are read is known")
        reasons[option] = (
            f"--{option.replace('_', '-')} {value}: --data {data} has no use for it, since {why}. Leave it out; "
            f"it is for {', '.join(first)} and {last}."
        )
    return reasons


def _kind(text):
    """What stands before the path or the name: of a path alone "folder"."""
    kind = text.partition(":")[0]
    return kind if kind in (*_BENCHMARKS, "tfds", "hf", "records", "synthetic") else "folder"


def default_sizes(data: str) -> tuple[tuple[int, int], tuple[int, int] | None]:
    """Image size and load size (both (height, width)) at which the field publishes results on ``data``, or 64×96 uncropped.

    Raises:
        DataError: As `Records` raises it.

    >>> default_sizes("ade20k:PATH"), default_sizes("synthetic")
    (((256, 256), (286, 286)), ((64, 96), None))
    """
    source = _known_source(data)
    if source is None or source.published_image_size is None:
        return DEFAULT_IMAGE_SIZE, None
    return source.published_image_size, source.published_load_size


def label_space_of(data: str, ignore_class: int | None = None, id_map: tuple[str, ...] = ()) -> LabelSpace:
    """The classes of ``data``; of a benchmark no data are needed, and its name is enough.

    Args:
        data: As `open_data` takes it, or a folder.
        ignore_class, id_map: As `open_data` takes them.

    Raises:
        ValueError: If there is no such source or folder.
        DataError: As `Folder`, `Records` and `TFDS` raise it, or if a pack has no label maps.

    Example:

    >>> label_space_of("cityscapes").num_classes
    35
    """
    for reason in unused_options(data, ignore_class, id_map).values():
        raise ValueError(reason)
    kind, _, path = data.partition(":")
    source = _known_source(data)
    if source is not None and source.label_space is None:
        raise DataError(f"{data}: this pack holds photos alone, which have no classes. Name one with label maps.")
    if source is not None:  # of a known set of TFDS
        return source.label_space if ignore_class is None or kind != "tfds" else with_ignored(source.label_space, ignore_class)
    if kind == "synthetic":
        return SyntheticScenes(1).label_space
    if kind == "tfds" and path:
        return _tfds(path, "train", ignore_class=ignore_class, id_map=parse_id_map(id_map)).label_space
    if kind == "hf" and path:
        space = _hugging_face(path, "train", ignore_class=ignore_class, id_map=parse_id_map(id_map)).label_space
        if space is None:
            raise DataError(
                f"{data}: there are photos alone in it, which have no classes. Name the column of label maps: "
                "hf:NAME?label=COLUMN."
            )
        return space
    root = Path(path if kind == "folder" and path else data)
    if not root.is_dir():
        raise ValueError(f"{data}: there is no such source or folder. Expected {EXPECTED}; of a benchmark its name is enough.")
    layout = FolderLayout(root)
    options: dict[str, Any] = {"ignore_class": ignore_class, "id_map": parse_id_map(id_map)}
    split = layout.of_role("train") or next(iter(layout.usual_splits), None)
    folders = layout.splits[split] if split else layout.whole()
    if folders.images != folders.labels:  # photos are not needed
        split = FolderLayout(root, None).named(split) if split else None
        return Folder(root, split, images=None, **options).label_space
    return Folder(root, split, **options).label_space


def _known_source(data):
    """Whose label space and sizes ``data`` has: a benchmark's class, a pack; None of others."""
    kind, _, path = data.partition(":")
    if kind == "records" and path:
        return Records(path, *_splits(Path(path))[:1])
    return TFDS.known.get(re.split("[/:?]", path)[0]) if kind == "tfds" else _BENCHMARKS.get(kind)


def _folder_like(root, label_space, whose, **options):
    """A folder whose label maps are read by a given label space. One with a classes.csv must name the same classes there."""
    classes = find_classes([Path(root)])
    if classes is not None:
        own = read_classes(classes)
        if own.ignore_class is None and label_space.ignore_class == own.num_classes:  # a class made of ignored ids
            own = own.with_void(label_space.class_names[-1])
        label_space.require_same_classes(own, whose, str(classes))
        ignore_class = label_space.ignore_class if own.ignore_class is None else own.ignore_class
        # a rule for all ids is that of a benchmark's own files; classes.csv says what the ids of others are
        id_map = {} if label_space.all_ids else label_space.id_map
        label_space = replace(own, ignore_class=ignore_class, id_map={**own.id_map, **id_map})
    return Folder(root, label_space=label_space, **options)


def _open_folder(root, options, hold_out, layout, label_space):
    found = FolderLayout(root)
    split = _split(found, "train", layout.train_split, "--train-split")
    if label_space is None:
        train = Folder(root, split, **options, **layout.affixes)
    else:
        train = _folder_like(root, label_space, "the model", split=split, **options, **layout.affixes)
    _tell_of_unpaired(train, root, "unpaired {}")
    used, val = [found.whole() if split is None else found.splits[split]], None
    if hold_out:
        given = layout.validation_split
        split = found.of_role("val") if given is None else _split(found, "val", given, "--validation-split")
        if found.lists:
            split = _apart_from_training(found, train, split, given)
        # with photos alone nothing can be validated
        if split is not None and (given is not None or found.splits[split].labels.is_dir()):
            val = Folder(root, split, label_space=train.label_space, image_range=options["image_range"], **layout.affixes)
            used.append(found.splits[split])
            val = _pairs_alone(val, f"{root}, split {split}")
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


def _apart_from_training(found, train, split, given):
    """The validation split of lists of names, unless it names what is trained on, as "trainval" does."""
    shared = {*found.listed(split)} & {train.name(i) for i in range(len(train))} if split else ()
    if shared and given is not None:
        raise ArgumentError(
            f"{{}}: {len(shared)} of its names are trained on, such as {min(shared)}. Name another, or another --train-split.",
            {"validation_split": given},
        )
    return None if shared else split


def _hugging_face(text, split, **options):
    """``NAME?image=COLUMN&label=COLUMN&config=NAME``; the part from the question mark on may be missing."""
    name, named = _named_parts("hf", text, ("image", "label", "config"))
    return HuggingFace(name, split, **named, **options)


def _tfds(text, split, **options):
    """``NAME?image=FEATURE&label=FEATURE&data_dir=PATH``, likewise."""
    name, named = _named_parts("tfds", text, ("image", "label", "data_dir"))
    return TFDS(name, split, **named, **options)


def _named_parts(kind, text, keys):
    name, _, query = text.partition("?")
    named = dict(parse_qsl(query))
    if (query and not named) or not named.keys() <= {*keys}:
        values = {"image": "NAME", "label": "NAME", "config": "NAME", "data_dir": "PATH", "split": "NAME"}
        listed = "&".join(f"{key}={values[key]}" for key in keys)
        raise ValueError(f"{kind}:{text}: expected {kind}:NAME, or, quoted, {kind}:NAME?{listed}.")
    return name, named


def _of_library(text, option, split, space, data, id_map, image_range=None):
    """``hf:NAME`` or ``tfds:NAME`` as further data, whose split may be named too: ``hf:NAME?split=NAME``.

    Label maps are read by the classes of the data, which those that the set itself names must be.
    """
    kind, _, path = text.partition(":")
    name, _, query = path.partition("?")
    named = dict(parse_qsl(query))
    if "split" in named:
        split = named.pop("split")
        path = f"{name}?{urlencode(named)}" if named else name
    if kind == "tfds":
        source = _tfds(path, split, id_map=id_map)
        space.require_same_classes(source.label_space, f"--data {data}", f"{option} {text}")
        return source
    source = _hugging_face(path, split, label_space=space.with_ids(id_map), image_range=image_range)
    if source.named_label_space is not None:
        space.require_same_classes(source.named_label_space, f"--data {data}", f"{option} {text}")
    if source.label_space is None and option != "--unpaired-images":
        raise DataError(f"{option} {text}: there are photos alone in it. Name the column of label maps: hf:NAME?label=COLUMN.")
    return source


def _open_hugging_face(text, options, hold_out, splits, layout):
    train = _hugging_face(text, splits[0], **options)
    if train.label_space is None:
        raise DataError(f"hf:{text}: there are photos alone in it. Name the column of label maps: hf:NAME?label=COLUMN.")
    if not hold_out:
        return DataPair(train, train)
    try:
        return DataPair(
            train, _hugging_face(text, splits[1], label_space=train.label_space, image_range=options["image_range"])
        )
    except DataError:  # there is no such split
        if layout.validation_split is not None:
            raise
        return _held_out(train, f"hf:{text}")


def _split(found, role, given, option):
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


def _open_records(root, hold_out, layout):
    splits = _splits(root)
    named = layout.train_split or layout.validation_split or len(splits) == 2
    train = Records(root, layout.train_split or "train") if named else Records(root, *splits)
    _tell_of_unpaired(train, root, "unpaired {}")
    if named and (layout.validation_split or "val" in splits):
        return DataPair(train, Records(root, layout.validation_split or "val") if hold_out else train)
    return _held_out(train, root) if hold_out else DataPair(train, train)


def _splits(root):
    return [split for split in ("train", "val") if (root / split / MANIFEST).is_file()]


def _held_out(train, root):
    count = max(1, round(_HELD_OUT * len(train)))
    if count == len(train):
        raise DataError(
            f"{root}: one pair alone cannot be both trained on and validated with. Add more, or name --validation-data."
        )
    by_name = np.array(sorted(range(len(train)), key=train.name), np.int64)
    order = by_name[permutation(len(train), 0, "validation")]
    val = train.subset(np.sort(order[:count]))
    val.unpaired_images = val.unpaired_labels = None
    return DataPair(train.subset(np.sort(order[count:])), val)


def training_sources(
    settings: TrainSettings, train: Source, skip_bad: int | BadFiles = 0, **counting
) -> tuple[Source, Source, Source]:
    """Paired source, unpaired images and unpaired label maps: the split, and folders of further ones.

    With a ratio below 1 the further ones join what is unpaired; with a ratio of 1 they are all there is, beside what the
    folder of the data has without a partner.
    ``counting`` is ``statistics_cache`` and ``progress`` of `semi_paired_split`.
    """
    paired, images, labels = semi_paired_split(train, cast(float, settings.ratio), settings.seed, skip_bad, **counting)
    more_images, more_labels = further_sources(settings, train.label_space)
    images = with_further(images, more_images, settings.ratio == 1 and train.unpaired_images is None)
    labels = with_further(labels, more_labels, settings.ratio == 1 and train.unpaired_labels is None)
    return paired, images, labels


def further_sources(settings: ReadOptions, label_space: LabelSpace) -> tuple[Source | None, Source | None]:
    """The photos of ``--unpaired-images`` and the label maps of ``--unpaired-labels``; None where there are none."""
    return (
        _unpaired_images(settings, label_space) if settings.unpaired_images else None,
        _unpaired_labels(settings, label_space) if settings.unpaired_labels else None,
    )


def _unpaired_images(settings, space):
    """The photos of ``cityscapes:PATH:train_extra`` and the like, of a library's set, or in a folder."""
    text, image_range = settings.unpaired_images, settings.image_range
    source = _part_of_benchmark(text, "--unpaired-images", "images")
    if source is not None:
        return source
    kind, _, path = text.partition(":")
    if kind == "records" and path:
        return Records(path)
    if kind in ("hf", "tfds") and path:
        source = _of_library(text, "--unpaired-images", "train", space, settings.data, {}, image_range)
        return ImagesOnly(source, np.arange(len(source)))
    return Folder(path if kind == "folder" and path else text, images=".", labels=None, image_range=image_range)


def _unpaired_labels(settings, space):
    """Label maps of the same classes: of a benchmark, or in a folder, where the data's own rule tells which files they are."""
    text, option = settings.unpaired_labels, "--unpaired-labels"
    source = _part_of_benchmark(text, option, "labels")
    kind, _, path = text.partition(":")
    if source is None and kind == "records" and path:
        source = Records(path)
    if source is None and kind in ("hf", "tfds") and path:
        source = _of_library(text, option, "train", space, settings.data, parse_id_map(settings.id_map))
        return LabelMapsOnly(source, np.arange(len(source)))
    if source is not None:
        if source.label_space is None:
            raise DataError(f"{option} {text}: there are photos alone in it. Name label maps.")
        space.require_same_classes(source.label_space, "--data", option)
        return source
    folder = Path(path if kind == "folder" and path else text)
    benchmark = _known_source(settings.data) if settings.data.partition(":")[0] in (*_BENCHMARKS, "tfds") else None
    if benchmark is not None and hasattr(benchmark, "label_files"):
        return FileSource(None, benchmark.label_files(folder), space.with_ids(parse_id_map(settings.id_map)))
    return _folder_like(folder, space, f"--data {settings.data}", images=None, labels=".", id_map=parse_id_map(settings.id_map))


def _part_of_benchmark(text, option, part):
    """The photos or the label maps of ``KIND:PATH:SPLIT``; None of what does not begin with the name of a benchmark."""
    kind, _, rest = text.partition(":")
    if kind not in _BENCHMARKS or not rest:
        return None
    benchmark: Any = _BENCHMARKS[kind]
    splits = benchmark.splits + (benchmark.photo_splits if part == "images" else ())
    path, _, split = rest.rpartition(":")
    if split not in splits or not path:
        raise ValueError(f"{option} {text}: expected {kind}:PATH:SPLIT, with one of the splits {', '.join(splits)}.")
    return benchmark(path, split, only=part)


def label_space_of_model(gan: Sampler, model: str | Path) -> LabelSpace:
    """What the classes of a model mean, which then knows it too.

    One that an earlier version has saved does not say it: its run folder does. If there is none, or the model is a published
    generator of unknown data, stored ids are taken for classes, without names and with drawn colors, and a line says so.

    Args:
        gan: The model, with ``num_classes`` and ``ignore_class``.
        model: Its file, or the preset that it is.
    """
    if gan.label_space is None and (settings := settings_beside(model)) is not None:
        of_run = _label_space_of_run(settings, gan.num_classes)
        gan.label_space = of_run and replace(of_run, ignore_class=gan.ignore_class)
    if gan.label_space is None:
        number = cast(int, gan.num_classes)
        gan.label_space = LabelSpace(unnamed_classes(number), distinct_colors(number), gan.ignore_class)
        tell(
            f"Note: {model} does not say what its {number} classes mean. The ids in label maps are taken for the "
            "classes themselves; --id-map STORED=CLASS names those that differ.",
        )
    return gan.label_space


def fit_of_model(fit: str | None, model: str | Path) -> str:
    """How label maps and photos come to a model's size: as an option says, else as in its run, else "stretch".

    Args:
        fit: The option, or None.
        model: The model's file, or the preset that it is.

    Raises:
        ValueError: If there is no such way.
    """
    check_fit(fit)
    document = settings_beside(model)
    if fit is None and document is not None:
        fit = json.loads(document.read_text(encoding="utf-8"))["options"].get("fit")
        if fit == "crop":
            tell(
                f"{document} says --fit crop, so the longer sides are cropped here too; --fit stretch changes that.",
            )
    return fit or "stretch"


def _label_space_of_run(path, num_classes):
    """The label space that a run folder's settings hold, if it is one of so many classes."""
    document = json.loads(path.read_text(encoding="utf-8"))
    stored = LabelSpace.from_config(document["label_space"])
    if stored.num_classes != num_classes:
        return None
    if "id_map" in document["label_space"]:
        return stored
    # an earlier version wrote it: the rule is that of the data
    known = _known_source(document["options"]["data"])
    if known is not None and known.label_space is not None and known.label_space.class_names == stored.class_names:
        return known.label_space
    return stored.with_ids(parse_id_map(tuple(document["options"]["id_map"])))
