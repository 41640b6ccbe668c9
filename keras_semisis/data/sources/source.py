"""The base class of every data source: photos and label maps by index, read when asked for."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import Any

import numpy as np

from keras_semisis.data.data_error import DataError
from keras_semisis.data.labels.label_space import LabelSpace


def check_same_size(image: np.ndarray, label_map: np.ndarray, where: str) -> None:
    """Raises a `DataError` if a photo and its label map differ in height or width."""
    if image.shape[:2] != label_map.shape:
        turned = (
            " They would agree if one of them were turned: a photo is turned as its EXIF data says, and so must be "
            "its label map."
            if image.shape[1::-1] == label_map.shape
            else ""
        )
        raise DataError(
            f"{where}: the image is {image.shape[0]}×{image.shape[1]} (height×width), "
            f"its label map {label_map.shape[0]}×{label_map.shape[1]}. Export both at one size (label "
            "maps resized with nearest neighbor), or check that the two files belong together." + turned
        )


def check_photo(image: np.ndarray, where: str) -> None:
    """Raises a `DataError` if what a source has given for a photo is not uint8 ``(H, W, 3)``."""
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise DataError(
            f"{where}: the photo is {image.dtype} of shape {image.shape}, but a source gives uint8 (H, W, 3), of 0 to 255. "
            "Convert it in load_image."
        )


def instance_map_of(source: "Source", index: int, label_map: np.ndarray) -> np.ndarray:
    """The instance map of a label map that a source has given.

    Raises:
        DataError: If the two differ in height or width.
    """
    instances = source.load_instance_map(index)
    check_instance_map(instances, label_map, source.location(index), "its instance map")
    return instances


def check_instance_map(instances: np.ndarray, label_map: np.ndarray, where: str, named: str) -> None:
    """Checks that an instance map has the size of its label map.

    Args:
        instances, label_map: Both as stored.
        where: The label map, for messages.
        named: What the message calls the instance map.

    Raises:
        DataError: If the two differ in height or width.
    """
    if instances.shape != label_map.shape:
        sizes = ["×".join(map(str, array.shape)) for array in (label_map, instances)]
        raise DataError(
            f"{where}: the label map is {sizes[0]} (height×width), {named} {sizes[1]}. Export both at one size, resized with "
            "nearest neighbor."
        )


class Source(ABC):
    """Photos and label maps by index. Lazy: nothing is read before ``load``.

    A source has images, label maps, or both; ``load_image`` / ``load_label_map`` of what it lacks raises.

    Attributes:
        label_space: The `LabelSpace` of its label maps; None for a source of images alone.
        published_image_size: (height, width) at which the field publishes results on this data; None where it does not.
        published_load_size: The size that images are resized to before a crop of the former; None without crop.
        unpaired_images: Photos that lie beside the pairs and have no label map, as a source; None where there are none.
        unpaired_labels: Likewise label maps without a photo.
    """

    label_space: LabelSpace
    published_image_size: tuple[int, int] | None = None
    published_load_size: tuple[int, int] | None = None
    unpaired_images: "Source | None" = None
    unpaired_labels: "Source | None" = None

    @abstractmethod
    def __len__(self) -> int:
        """Number of items."""

    @abstractmethod
    def name(self, index: int) -> str:
        """A stable identifier of one item, unique in the source: messages, fingerprints and splits use it."""

    @abstractmethod
    def load_image(self, index: int) -> np.ndarray:
        """The photo: uint8 RGB, ``(H, W, 3)``."""

    @abstractmethod
    def load_label_map(self, index: int) -> np.ndarray:
        """The label map: integer class ids, ``(H, W)``, checked against the label space."""

    @property
    def has_instances(self) -> bool:
        """Whether there is an instance map beside every label map."""
        return False

    def load_instance_map(self, index: int) -> np.ndarray:
        """Which pixels are of one thing: integers ``(H, W)`` as the label map's, which mean nothing but by being equal."""
        raise ValueError(f"{self.location(index)}: this source has no instance maps.")

    def location(self, index: int) -> str:
        """Where one item comes from, for messages: its file where there is one."""
        return self.name(index)

    def fingerprint(self, index: int) -> str | None:
        """A text that changes when the label map of one item does, or None where only reading it would tell.

        Class statistics are cached for sources that give one.
        """
        return None

    def class_counts(self, index: int) -> np.ndarray | None:
        """Pixels of each class in one label map, ``(num_classes,)``, where they are known without reading it."""
        return None

    def image_bytes(self, index: int) -> bytes | None:
        """The photo's encoded file, byte for byte; None where there is none, or where the source changes what is in it.

        `write_records` stores it as it is. A source that gives it reads photos by `decoding.decode_image`.
        """
        return None

    def label_map_bytes(self, index: int) -> bytes | None:
        """The same for the label map; it reads label maps by `stored_label_space`."""
        return None

    def photo_size(self, index: int) -> tuple[int, int] | None:
        """(height, width) of the photo, where it is known without decoding it."""
        return None

    def image_file(self, index: int) -> Path | None:
        """The file of the photo; None where it has none of its own."""
        return None

    def image_fingerprint(self, index: int) -> str | None:
        """A text that changes when the photo of one item does, or None where only reading it would tell.

        Statistics of real images are cached for sources that give one.
        """
        return None

    def instance_fingerprint(self, index: int) -> str | None:
        """A text that changes when the instance map of one item does, or None where only reading it would tell."""
        return None

    @property
    def stored_label_space(self) -> LabelSpace:
        """By which the files of `label_map_bytes` are read: `label_space`, where its files store no other ids than others."""
        return self.label_space

    def load(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """``(image, label_map)``: uint8 ``(H, W, 3)`` and integer ``(H, W)``.

        Raises:
            DataError: If the two differ in height or width.
        """
        image, label_map = self._load_pair(index)
        check_same_size(image, label_map, self.location(index))
        return image, label_map

    def _load_pair(self, index):
        """Both, unchecked; for sources that read them together."""
        return self.load_image(index), self.load_label_map(index)

    def subset(self, indices: Sequence[int] | np.ndarray) -> "Subset":
        """The items at ``indices``, in that order, as a source."""
        return Subset(self, indices)

    def with_ignore_class(self, ignore_class: int | None) -> "Subset":
        """The same items as a source of which one class is the don't-care class; this one stays as it is."""
        view = self.subset(range(len(self)))
        view.label_space = replace(self.label_space, ignore_class=ignore_class)
        return view


def _of_item(name: str) -> Any:
    """A method of `Source` about one item, answered by the source that has the item."""

    @wraps(getattr(Source, name))
    def answered(self, index):
        source, position = self.at(index)
        return getattr(source, name)(position)

    answered.__isabstractmethod__ = False  # type: ignore[attr-defined]  # which wraps takes over
    return answered


class View(Source):
    """Items of other sources: whatever is asked about one of them is answered by the source that has it."""

    @abstractmethod
    def at(self, index: int) -> tuple[Source, int]:
        """The source that has an item, and the item's index there."""

    name = _of_item("name")
    location = _of_item("location")
    fingerprint = _of_item("fingerprint")
    image_fingerprint = _of_item("image_fingerprint")
    instance_fingerprint = _of_item("instance_fingerprint")
    class_counts = _of_item("class_counts")
    image_bytes = _of_item("image_bytes")
    label_map_bytes = _of_item("label_map_bytes")
    photo_size = _of_item("photo_size")
    image_file = _of_item("image_file")
    load_image = _of_item("load_image")
    load_label_map = _of_item("load_label_map")
    load_instance_map = _of_item("load_instance_map")
    load = _of_item("load")


class Subset(View):
    """Some items of another source, in a given order."""

    def __init__(self, source: Source, indices: Sequence[int] | np.ndarray):
        self.source = source
        self.indices = np.asarray(indices, np.int64)
        self.label_space = source.label_space
        self.published_image_size, self.published_load_size = source.published_image_size, source.published_load_size
        self.unpaired_images, self.unpaired_labels = source.unpaired_images, source.unpaired_labels

    def __len__(self):
        return len(self.indices)

    def at(self, index):
        return self.source, self.indices[index]

    @property
    def has_instances(self):
        return self.source.has_instances

    @property
    def stored_label_space(self):
        return self.source.stored_label_space
