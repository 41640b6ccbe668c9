"""What is known of data by their name, before they are read."""

from pathlib import Path
from types import MappingProxyType
from typing import Any

from keras_semisis.data import (
    DataError,
    Folder,
    LabelSpace,
    SyntheticScenes,
)
from keras_semisis.data.argument_error import ArgumentError
from keras_semisis.data.sources.folder import with_ignored
from keras_semisis.data.sources.folder_layout import FolderLayout
from keras_semisis.options.option import option_name
from keras_semisis.options.text import parse_id_map
from keras_semisis.recipes.named_sources import BENCHMARKS, kind_of, known_source, open_hugging_face, open_tfds

EXPECTED = (
    "cityscapes:PATH, ade20k:PATH, coco_stuff:PATH, camvid:PATH, tfds:NAME, hf:NAME, folder:PATH, records:PATH or synthetic"
)
DEFAULT_IMAGE_SIZE = (64, 96)
# What reads ids, or photos, by these options
_USES = MappingProxyType(
    {"ignore_class": ("folder", "hf", "tfds"), "id_map": ("folder", "hf", "tfds"), "image_range": ("folder", "hf")}
)
_WITHOUT_USE = {
    "records": "a pack holds what it was packed from: give that to `keras-semisis pack`",
    "synthetic": "the scenes are drawn as they are",
    "tfds": "its photos have 8 bits",
}


def check_data(data: str) -> None:
    """Checks that a text names data as `open_data` takes them.

    Raises:
        ValueError: If it does not.
    """
    kind, _, path = data.partition(":")
    named = kind in (*BENCHMARKS, "tfds", "hf", "folder", "records") and path
    if not named and (kind != "synthetic" or (path and not path.isdigit())):
        raise ArgumentError(f"{{}}: expected {EXPECTED}.", {"data": data})


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
        kinds = [kind_of(text) for text in named[option] if text]
        if value is None or {*kinds} & {*_USES[option]}:
            continue
        if (
            option == "ignore_class"
            and kinds[0] in (*BENCHMARKS, "records", "synthetic")
            and label_space_of(data).ignore_class == value
        ):
            continue
        *first, last = _USES[option]
        why = _WITHOUT_USE.get(kinds[0], "how the files of a benchmark are read is known")
        reasons[option] = (
            f"{option_name(option)} {value}: --data {data} has no use for it, since {why}. Leave it out; "
            f"it is for {', '.join(first)} and {last}."
        )
    return reasons


def default_sizes(data: str) -> tuple[tuple[int, int], tuple[int, int] | None]:
    """Image size and load size (both (height, width)) at which the field publishes results on ``data``, or 64×96 uncropped.

    Raises:
        DataError: As `Records` raises it.

    >>> default_sizes("ade20k:PATH"), default_sizes("synthetic")
    (((256, 256), (286, 286)), ((64, 96), None))
    """
    source = known_source(data)
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
    source = known_source(data)
    if source is not None and source.label_space is None:
        raise DataError(f"{data}: this pack holds photos alone, which have no classes. Name one with label maps.")
    if source is not None:  # of a known set of TFDS
        return source.label_space if ignore_class is None or kind != "tfds" else with_ignored(source.label_space, ignore_class)
    if kind == "synthetic":
        return SyntheticScenes(1).label_space
    if kind == "tfds" and path:
        return open_tfds(path, "train", ignore_class=ignore_class, id_map=parse_id_map(id_map)).label_space
    if kind == "hf" and path:
        space = open_hugging_face(path, "train", ignore_class=ignore_class, id_map=parse_id_map(id_map)).label_space
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
