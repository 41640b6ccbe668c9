"""TensorFlow Datasets: any of its segmentation sets, by the names of its features."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from keras_semisis.data.argument_error import ArgumentError
from keras_semisis.data.data_error import DataError
from keras_semisis.data.labels.ids_or_classes import decode_colors
from keras_semisis.data.labels.label_space import LabelSpace, uncolored_label_space
from keras_semisis.data.remedy import Remedy
from keras_semisis.data.sources.ade20k import ADE20K
from keras_semisis.data.sources.cityscapes import Cityscapes
from keras_semisis.data.sources.folder import with_ignored
from keras_semisis.data.sources.source import Source

# The 50 classes of ADE20K that are stuff, or too rare, have no ids in the annotation of instances
_ADE20K_WITHOUT_INSTANCES = """
1 2 3 4 5 6 7 10 12 14 17 18 22 26 27 29 30 35 41 47 49 52 53 55 60 61 62 64 69 78 80 85 92 95 97 100 101 102 106 107
110 114 115 118 123 129 132 141 142 146
"""
_ADE20K_WITH_INSTANCES = [i for i in range(1, 151) if str(i) not in _ADE20K_WITHOUT_INSTANCES.split()]
_ADE20K_INSTANCES = {0: 0} | dict(enumerate(_ADE20K_WITH_INSTANCES, start=1))


@dataclass(frozen=True)
class _Known:
    """What the library of TFDS does not say about one of its sets."""

    image: str
    label: str
    splits: Mapping[str, str]
    source: type[Source]
    id_map: Mapping[int, int]


_KNOWN = {
    "cityscapes": _Known(
        "image_left", "segmentation_label", {"train": "train", "val": "validation"}, Cityscapes, Cityscapes.id_map
    ),
    "scene_parse150": _Known("image", "annotation", {"train": "train", "val": "test"}, ADE20K, _ADE20K_INSTANCES),
}


class TFDS(Source):
    """A segmentation set of TensorFlow Datasets, read by index; extra: ``keras-semisis[tfds]``.

    The set has to be prepared before, in a format with random access: ``tfds.builder(name,
    file_format="array_record").download_and_prepare()``, once. (The usual TFRecord files can be read in order only.) Neither
    that reading nor this source needs TensorFlow.

    Known by name are ``cityscapes`` (the classes of `Cityscapes`) and ``scene_parse150``. The latter has the images of
    `ADE20K` and its 151 classes, but TFDS takes its labels from the annotation of instances, 100 classes of objects: pixels
    of the other 50, such as wall and sky, are unknown there. For scores that compare with published ones use `ADE20K`. Any
    other set needs ``image`` and ``label``, and ``label_space`` where the label is no `tfds.features.LabeledImage`, whose
    names are taken.

    Args:
        name: The set, as TFDS names it: "NAME", "NAME/CONFIG" or "NAME:VERSION".
        split: "train" or "val", or a split or slice in the words of TFDS, such as "train[:10%]".
        data_dir: The folder of prepared sets; None is that of TFDS, ``~/tensorflow_datasets``.
        image: Feature of the photo, uint8 ``(H, W, 3)`` or ``(H, W, 1)``.
        label: Feature of the label map: integer ``(H, W)`` or ``(H, W, 1)`` are ids, ``(H, W, 3)`` colors of the palette.
        label_space: What the ids mean.
        id_map: Stored id → class id, for ids that differ; goes before the rule of ``label_space`` or of a known set.
        ignore_class: The don't-care id, as `Folder` takes it.

    Attributes:
        known: Names of the sets that need no further arguments, and the source whose classes they have.

    Raises:
        ImportError: If `tensorflow-datasets` is not installed.
        DataError: If the set is not prepared, or not for random access; or there is no such split.
        ValueError: If there is no such set or feature, or the label space cannot be known.

    Example:

    >>> train = TFDS("cityscapes", split="train")  # doctest: +SKIP
    >>> pets = TFDS("oxford_iiit_pet", image="image", label="segmentation_mask",
    ...             label_space=LabelSpace(("pet", "background", "edge"), ((255, 0, 0), (0, 0, 0), (255, 255, 0))),
    ...             id_map={1: 0, 2: 1, 3: 2})  # doctest: +SKIP
    """

    known: Mapping[str, type[Source]] = {name: known.source for name, known in _KNOWN.items()}

    def __init__(
        self,
        name: str,
        split: str = "train",
        data_dir: str | Path | None = None,
        image: str | None = None,
        label: str | None = None,
        label_space: LabelSpace | None = None,
        id_map: Mapping[int, int] | None = None,
        ignore_class: int | None = None,
    ):
        builder = _builder(name, data_dir)
        known = _KNOWN.get(builder.name)
        features = builder.info.features
        self._image = _feature(features, image or (known and known.image), "image", name)
        self._label = _feature(features, label or (known and known.label), "label", name)
        self._first_channel = builder.name == "scene_parse150"  # classes in red, instances in green
        if known is not None and label_space is None:
            self.published_image_size = known.source.published_image_size
            self.published_load_size = known.source.published_load_size
            # what the set stores may be other ids than those of the files that it was made of
            self.label_space = known.source.label_space
            self._stored = replace(self.label_space, id_map=known.id_map)
        else:
            self.label_space = self._stored = label_space or _label_space(features, self._label, name)
        if ignore_class is not None:
            self.label_space, self._stored = (with_ignored(space, ignore_class) for space in (self.label_space, self._stored))
        self._stored = self._stored.with_ids(id_map)
        if known is None or label_space is not None:
            self.label_space = self._stored
        self._split = known.splits.get(split, split) if known else _split(builder, split)
        self._set = builder.info.full_name
        self._examples = _data_source(builder, self._split)

    def __len__(self):
        return len(self._examples)

    def name(self, index: int) -> str:
        return f"{self._split}/{index:08d}"

    def location(self, index: int) -> str:
        return f"{self._set}, example {index} of {self._split}"

    def fingerprint(self, index: int) -> str | None:
        return f"{self._set}/{self._split}/{len(self)}/{index}/{self._label}/{sorted(self._stored.id_map.items())}"

    def load_image(self, index: int) -> np.ndarray:
        return self._photo(self._example(index), index)

    def load_label_map(self, index: int) -> np.ndarray:
        return self._classes(self._example(index), index)

    def _load_pair(self, index):
        example = self._example(index)
        return self._photo(example, index), self._classes(example, index)

    def _example(self, index):
        try:
            return self._examples[int(index)]
        except Exception as error:  # of the record's reader or of the image's decoder, each with its own kinds
            raise DataError(
                f"{self.location(index)}: cannot be read, its record is damaged or has gone ({error}). Prepare the set again."
            ) from error

    def _photo(self, example, index):
        image = np.asarray(example[self._image])
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] not in (1, 3):
            raise DataError(
                f"{self.location(index)}: the feature {self._image!r} is {image.dtype} of shape {image.shape}, but "
                "a photo is uint8 (H, W, 3) or (H, W, 1).",
                Remedy("Name another one by {}.", {"image": ...}),
            )
        return np.repeat(image, 3, axis=2) if image.shape[2] == 1 else image

    def _classes(self, example, index):
        where = self.location(index)
        stored = np.asarray(example[self._label])
        if not np.issubdtype(stored.dtype, np.integer) or stored.ndim not in (2, 3) or stored.shape[2:] not in ((), (1,), (3,)):
            raise DataError(
                f"{where}: the feature {self._label!r} is {stored.dtype} of shape {stored.shape}, but a label map "
                "is integer (H, W), (H, W, 1) or (H, W, 3).",
                Remedy("Name another one by {}.", {"label": ...}),
            )
        if stored.ndim == 3 and (stored.shape[2] == 1 or self._first_channel):
            stored = stored[..., 0]
        elif stored.ndim == 3:
            return self.label_space.check(decode_colors(stored, self.label_space, where), where)
        return self._stored.of_stored_ids(stored, where)


def _builder(name, data_dir):
    try:
        import tensorflow_datasets as tfds
    except ImportError as error:
        raise ImportError('This source needs TensorFlow Datasets: pip install "keras-semisis[tfds]".') from error
    try:
        return tfds.builder(name, data_dir=data_dir)
    except (tfds.core.DatasetNotFoundError, ValueError) as error:
        raise ValueError(
            f"{name!r} is no set of TensorFlow Datasets that can be opened: {str(error).splitlines()[0]}"
        ) from error


def _feature(features, name, role, dataset):
    if name in features:
        return name
    what = "photo" if role == "image" else "label map"
    found = f"it has no feature {name!r}" if name else f"it is not known which feature is the {what}"
    raise ArgumentError(
        f"{dataset} of TFDS: {found}. Its features are {', '.join(sorted(features))}.",
        {},
        Remedy(f"Name that of the {what} by {{}}.", {role: ...}),
    )


def _label_space(features, label, dataset):
    names = getattr(features[label], "names", None)  # of a LabeledImage
    if not names:
        raise ArgumentError(
            f"{dataset} of TFDS: the feature {label!r} does not name its classes.",
            {},
            Remedy("Give {}.", {"label_space": ...}),
            Remedy("Or write it into a folder of images and labels, with a classes.csv."),
        )
    return uncolored_label_space(names)


def _split(builder, split):
    splits = list(builder.info.splits)
    return "validation" if split == "val" and "val" not in splits and "validation" in splits else split


def _data_source(builder, split):
    try:
        return builder.as_data_source(split)
    except (NotImplementedError, ValueError, KeyError) as error:
        prepare = f'tfds.builder({builder.name!r}, data_dir=..., file_format="array_record").download_and_prepare()'
        splits = list(builder.info.splits)
        if not splits:
            raise DataError(
                f"{builder.data_dir}: the set is not prepared. Run once: {prepare}.",
                Remedy("Where it is in another folder, name that by {}.", {"data_dir": ...}),
            ) from error
        if isinstance(error, NotImplementedError):
            raise DataError(
                f"{builder.data_dir}: the set is prepared as {builder.info.file_format.value} files, which can be "
                f"read in order only. Prepare it into another folder: {prepare}.",
                Remedy("Name that by {}.", {"data_dir": ...}),
            ) from error
        raise DataError(
            f"{builder.info.full_name}: no examples of split {split!r} ({error}); it has {', '.join(splits)}."
        ) from error
