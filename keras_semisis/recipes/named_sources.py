"""Single sources by their names."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

from keras_semisis.data import (
    ADE20K,
    TFDS,
    CamVid,
    Cityscapes,
    COCOStuff,
    DataError,
    Folder,
    HuggingFace,
    LabelSpace,
    Records,
    Source,
)
from keras_semisis.data.packs.pack_files import MANIFEST
from keras_semisis.data.sources.classes_file import read_classes
from keras_semisis.data.sources.folder import classes_beside, classes_file
from keras_semisis.recipes.augmented_folder import refuse_unfinished

# with a training and a validation split in one folder
BENCHMARKS = {"cityscapes": Cityscapes, "ade20k": ADE20K, "coco_stuff": COCOStuff, "camvid": CamVid}


def kind_of(text: str) -> str:
    """What stands before the path or the name: of a path alone "folder"."""
    kind = text.partition(":")[0]
    return kind if kind in (*BENCHMARKS, "tfds", "hf", "records", "synthetic") else "folder"


def is_published(data: str) -> bool:
    """Whether data are a benchmark's, or synthetic, rather than one's own."""
    kind = kind_of(data)
    return kind in (*BENCHMARKS, "synthetic") or (kind == "tfds" and known_source(data) is not None)


def known_source(data: str) -> Any:
    """Whose label space and sizes ``data`` has: a benchmark's class, a pack; None of others."""
    kind, _, path = data.partition(":")
    if kind == "records" and path:
        return Records(path, *splits_of_pack(Path(path))[:1])
    return TFDS.known.get(re.split("[/:?]", path)[0]) if kind == "tfds" else BENCHMARKS.get(kind)


def open_folder(root: str | Path, split: str | None = None, **options: Any) -> Folder:
    """A `Folder`, unless it is one that `augment` has not finished."""
    refuse_unfinished(Path(root))
    return Folder(root, split, **options)


def folder_like(root: str | Path, label_space: LabelSpace, whose: str, **options: Any) -> Folder:
    """A folder whose label maps are read by a given label space. One with a classes.csv must name the same classes there."""
    where = {name: options[name] for name in ("split", "images", "labels") if name in options}
    classes = classes_file(root, **where)
    if classes is not None:
        own = _with_void_of(label_space, read_classes(classes))
        label_space.require_same_classes(own, whose, str(classes))
        ignore_class = label_space.ignore_class if own.ignore_class is None else own.ignore_class
        id_map = {**own.id_map, **_ids_beside_names(label_space)}
        label_space = replace(own, ignore_class=ignore_class, id_map=id_map, snap=label_space.snap)
    return open_folder(root, label_space=label_space, **options)


def check_classes_beside(label_maps: Iterable[Path], label_space: LabelSpace, whose: str) -> None:
    """Checks that files of classes beside label maps, which are given as files or folders, name the classes of a label space.

    Raises:
        DataError: As `LabelSpace.require_same_classes` raises it, or if such a file cannot be understood.
    """
    folders = {path if path.is_dir() else path.parent for path in label_maps}
    for classes in sorted({classes for folder in folders if (classes := classes_beside(folder)) is not None}):
        label_space.require_same_classes(_with_void_of(label_space, read_classes(classes)), whose, str(classes))


def _is_rule_of_a_benchmark(label_space):
    """A rule for all ids, with colors, is that of a benchmark's own files; data that name their classes have other ids."""
    return label_space.all_ids and not label_space.drawn_palette


def _ids_beside_names(label_space):
    """The stored ids that a label space maps where data name their classes themselves."""
    return {} if _is_rule_of_a_benchmark(label_space) else label_space.id_map


def _with_void_of(label_space, own):
    """Classes that data name for themselves, and the don't-care class behind them that was made of ignored ids."""
    if own.ignore_class is None and label_space.ignore_class == own.num_classes:
        return own.with_void(label_space.class_names[-1])
    return own


def open_hugging_face(text: str, split: str, **options: Any) -> HuggingFace:
    """``NAME?image=COLUMN&label=COLUMN&config=NAME``; the part from the question mark on may be missing."""
    name, named = _named_parts("hf", text, ("image", "label", "config"))
    return HuggingFace(name, split, **named, **options)


def open_tfds(text: str, split: str, **options: Any) -> TFDS:
    """``NAME?image=FEATURE&label=FEATURE&data_dir=PATH``, likewise."""
    name, named = _named_parts("tfds", text, ("image", "label", "data_dir"))
    return TFDS(name, split, **named, **options)


def hugging_face_like(text: str, split: str, label_space: LabelSpace, whose: str, where: str, **options: Any) -> HuggingFace:
    """`open_hugging_face`, by a given label space. Classes that the set itself names must be the same."""
    source = open_hugging_face(text, split, label_space=label_space, **options)
    if source.named_label_space is None:
        return source
    label_space.require_same_classes(_with_void_of(label_space, source.named_label_space), whose, where)
    if _is_rule_of_a_benchmark(label_space):
        return open_hugging_face(text, split, label_space=replace(label_space, id_map={}, all_ids=False), **options)
    return source


def tfds_like(
    text: str,
    split: str,
    label_space: LabelSpace,
    whose: str,
    where: str,
    ignore_class: int | None = None,
    id_map: Mapping[int, int] | None = None,
) -> TFDS:
    """`open_tfds`, likewise."""
    own = open_tfds(text, split).label_space
    label_space.require_same_classes(_with_void_of(label_space, own), whose, where)
    if ignore_class is None and own.ignore_class is None:
        ignore_class = label_space.ignore_class
    return open_tfds(text, split, ignore_class=ignore_class, id_map={**_ids_beside_names(label_space), **(id_map or {})})


def _named_parts(kind, text, keys):
    name, _, query = text.partition("?")
    named = dict(parse_qsl(query))
    if (query and not named) or not named.keys() <= {*keys}:
        values = {"image": "NAME", "label": "NAME", "config": "NAME", "data_dir": "PATH", "split": "NAME"}
        listed = "&".join(f"{key}={values[key]}" for key in keys)
        raise ValueError(f"{kind}:{text}: expected {kind}:NAME, or, quoted, {kind}:NAME?{listed}.")
    return name, named


def open_of_library(
    text: str,
    option: str,
    split: str,
    space: LabelSpace,
    data: str,
    id_map: Mapping[int, int],
    image_range: tuple[float, float] | None = None,
) -> Source:
    """``hf:NAME`` or ``tfds:NAME`` as further data, whose split may be named too: ``hf:NAME?split=NAME``.

    Label maps are read by the classes of the data, which those that the set itself names must be.
    """
    kind, _, path = text.partition(":")
    name, _, query = path.partition("?")
    named = dict(parse_qsl(query))
    if "split" in named:
        split = named.pop("split")
        path = f"{name}?{urlencode(named)}" if named else name
    like = (space, f"--data {data}", f"{option} {text}")
    if kind == "tfds":
        return tfds_like(path, split, *like, id_map=id_map)
    source = hugging_face_like(path, split, *like, id_map=id_map, image_range=image_range)
    if source.label_space is None and option != "--unpaired-images":
        raise DataError(f"{option} {text}: there are photos alone in it. Name the column of label maps: hf:NAME?label=COLUMN.")
    return source


def splits_of_pack(root: Path) -> list[str]:
    """Which of ``train`` and ``val`` a folder of packs has."""
    return [split for split in ("train", "val") if (root / split / MANIFEST).is_file()]
