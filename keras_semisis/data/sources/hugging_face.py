"""Data sets of Hugging Face's library `datasets`: an image column and a label column."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from keras_semisis.data.argument_error import ArgumentError
from keras_semisis.data.bad_files import BadFiles, bad_files
from keras_semisis.data.data_error import DataError
from keras_semisis.data.labels.file_palettes import FilePalettes
from keras_semisis.data.labels.label_space import LabelSpace, uncolored_label_space
from keras_semisis.data.labels.stored_ids import integer_ids
from keras_semisis.data.pictures.decoding import decode_image, file_state, read_bytes
from keras_semisis.data.pictures.image_range import checked_range
from keras_semisis.data.remedy import Remedy
from keras_semisis.data.sources.folder import found_label_space, with_ignored
from keras_semisis.data.sources.folder_layout import usual_split
from keras_semisis.data.sources.source import Source

# What the columns are usually called
_IMAGES = ("image", "img", "photo", "pixel_values", "images")
_LABELS = (
    "label",
    "annotation",
    "mask",
    "segmentation_mask",
    "semantic_segmentation",
    "segmentation",
    "labels",
    "annotations",
    "masks",
    "label_map",
    "labels_map",
)


class HuggingFace(Source):
    """A set of Hugging Face's `datasets`, read by index; extra: ``keras-semisis[datasets]``.

    The label column holds label maps as images, which are read as those of a `Folder` are, or arrays of ids ``(H, W)``. Streams
    (`IterableDataset`) cannot be read by index.

    Args:
        data: Name of a set on the Hub, or a folder (of ``save_to_disk``, or of files that `datasets` reads), which are opened
            by ``datasets.load_from_disk`` and ``load_dataset``; or a `datasets.Dataset` or `DatasetDict` that is open.
        split: A split of it; of the usual names of one ("val", "valid", "validation") each finds the others. Of a set that is
            opened here also a slice, such as "train[:10%]". An open `Dataset` is taken as it is.
        config: Name of a configuration of the set on the Hub.
        image: Column of the photos; None takes one of a usual name, or the only other image column.
        label: Column of the label maps, likewise; None where there is none such makes a source of photos alone.
        label_space: What the ids mean; None takes the names of a `ClassLabel`, else all label maps are read once for their ids,
            as `Folder` does.
        ignore_class, id_map, skip_bad, image_range: As `Folder` takes them.

    Attributes:
        named_label_space: The classes that the label column itself names (a `ClassLabel`); None where it names none.

    Raises:
        ImportError: If `datasets` is not installed.
        DataError: If there is no such split, or the ids found make no label space.
        ValueError: If the set cannot be opened, or it is not clear which columns are meant.
        TypeError: If ``data`` is a stream, or none of these.

    Example:

    >>> train = HuggingFace("zhoubolei/scene_parse_150", split="train", label="annotation")  # doctest: +SKIP
    >>> image, label_map = train.load(0)  # doctest: +SKIP
    """

    def __init__(
        self,
        data: Any,
        split: str = "train",
        config: str | None = None,
        image: str | None = None,
        label: str | None = None,
        label_space: LabelSpace | None = None,
        ignore_class: int | None = None,
        id_map: Mapping[int, int] | None = None,
        skip_bad: int | BadFiles = 0,
        image_range: tuple[float, float] | None = None,
    ):
        module, id_map = _module(), integer_ids(id_map)
        dataset, self._where = _opened(module, data, split, config)
        self._image, self._label = _columns(module, dataset.features, image, label, self._where)
        self._is_picture = self._label is not None and isinstance(dataset.features[self._label], module.Image)
        for column in (self._image, *([self._label] if self._is_picture else [])):
            dataset = dataset.cast_column(column, module.Image(decode=False))
        self._dataset = dataset
        self._image_range = None if image_range is None else checked_range(image_range)
        self.label_space = None  # type: ignore[assignment]  # as in every source of photos alone
        self._refused: Mapping[int, DataError] = {}
        self._palettes = FilePalettes()
        self._in_files: dict[str | None, bool] = {}
        self.named_label_space = None if self._label is None else self._named_classes()
        if self._label is not None:
            space = label_space or self.named_label_space
            if space is None:
                space, self._refused = self._found_classes(id_map, ignore_class, bad_files(skip_bad))
            self.label_space = (space if ignore_class is None else with_ignored(space, ignore_class)).with_ids(id_map)

    def _named_classes(self):
        feature = self._dataset.features[self._label]
        while feature is not None and not hasattr(feature, "names"):
            feature = getattr(feature, "feature", feature[0] if isinstance(feature, list) else None)
        return None if feature is None else uncolored_label_space(feature.names)

    def _found_classes(self, id_map, ignore_class, bad):
        if not self._is_picture:
            raise ArgumentError(
                f"{self._where}: the column {self._label!r} holds arrays and does not name its classes.",
                {},
                Remedy("Give {}.", {"label_space": ...}),
                Remedy("Or write it into a folder of images and labels, with a classes.csv."),
            )
        items = [_Item(self, index) for index in range(len(self))]
        space, refused = found_label_space(items, id_map, ignore_class, bad, lambda item: self._bytes(self._label, item.number))
        return space, {item.number: error for item, error in refused.items()}

    def __len__(self):
        return len(self._dataset)

    def name(self, index: int) -> str:
        return f"{index:08d}"

    def location(self, index: int) -> str:
        return f"{self._where}, example {index}"

    def fingerprint(self, index: int) -> str | None:
        if self.label_space is None:
            return None
        return f"{self._state(self._label, index)}/{self.label_space.id_rule}"

    def image_fingerprint(self, index: int) -> str | None:
        state = self._state(self._image, index)
        return state if self._image_range is None else f"{state}/{self._image_range}"

    def _state(self, column, index):
        """What tells one state of a picture from another: the set's, and, of a picture in a file beside it, the file's."""
        state = f"{self._dataset._fingerprint}/{column}/{index}"
        if not self._is_in_files(column):
            return state
        return f"{state}/{file_state(Path(self._value(column, index)['path']))}"

    def _is_in_files(self, column):
        """Whether the pictures of a column lie in files that the set names, as the first one does."""
        if column not in self._in_files:
            value = self._value(column, 0) if len(self) else None
            self._in_files[column] = isinstance(value, dict) and value["bytes"] is None
        return self._in_files[column]

    def image_bytes(self, index: int) -> bytes | None:
        # by a range a photo is not as it is in the file
        return self._bytes(self._image, index) if self._image_range is None else None

    def label_map_bytes(self, index: int) -> bytes | None:
        return self._label_bytes(index) if self._is_picture else None

    def load_image(self, index: int) -> np.ndarray:
        return decode_image(self._bytes(self._image, index), f"{self.location(index)}, {self._image}", self._image_range)

    def load_label_map(self, index: int) -> np.ndarray:
        if self._label is None:
            raise ValueError(f"{self._where}: no column of label maps was named: there are photos alone.")
        where = f"{self.location(index)}, {self._label}"
        if self._is_picture:
            return self.label_space.decode(self._label_bytes(index), where, palettes=self._palettes)
        ids = np.asarray(self._value(self._label, index))
        if ids.ndim == 3 and 1 in ids.shape:
            ids = ids.squeeze(ids.shape.index(1))
        if ids.ndim != 2 or not np.issubdtype(ids.dtype, np.integer):
            raise DataError(
                f"{where}: {ids.dtype} of shape {ids.shape}, but a label map is an image or integers (H, W).",
                Remedy("Name another column by {}.", {"label": ...}),
            )
        return self.label_space.of_stored_ids(ids, where)

    def _value(self, column, index):
        try:
            return self._dataset.with_format(None)[int(index)][column]
        except Exception as error:  # of Arrow's reader, with its own kinds
            raise DataError(f"{self.location(index)}: cannot be read ({error}). Download or prepare the set again.") from error

    def _label_bytes(self, index):
        if int(index) in self._refused:
            raise self._refused[int(index)].with_traceback(None)
        return self._bytes(self._label, index)

    def _bytes(self, column, index):
        """The encoded picture, which lies in the set, or in a file that it names."""
        value = self._value(column, index)
        if value is None:
            raise DataError(f"{self.location(index)}: there is nothing in the column {column!r}. Filter such examples out.")
        return read_bytes(Path(value["path"])) if value["bytes"] is None else value["bytes"]


class _Item(NamedTuple):
    """One label map, which as text is where it is."""

    source: HuggingFace
    number: int

    def __str__(self):
        return self.source.location(self.number)


def _module():
    try:
        import datasets
    except ImportError as error:
        raise ImportError(
            'This source needs the library datasets of Hugging Face: pip install "keras-semisis[datasets]".'
        ) from error
    return datasets


def _opened(module, data, split, config):
    """The data set of a split, and what it is called in messages."""
    if isinstance(data, module.Dataset):
        return data, f"a datasets.Dataset ({data.split})" if data.split else "a datasets.Dataset"
    if isinstance(data, module.IterableDataset | module.IterableDatasetDict):
        raise TypeError(
            f"HuggingFace(data=a {type(data).__name__}): a stream cannot be read by index. Load it with streaming=False."
        )
    if isinstance(data, module.DatasetDict):
        return _split(data, split, "a datasets.DatasetDict")
    if not isinstance(data, str | Path):
        raise TypeError(
            f"HuggingFace(data=a {type(data).__name__}): a name, a folder, a datasets.Dataset or DatasetDict is expected."
        )
    try:
        if (Path(data) / "dataset_dict.json").is_file() or (Path(data) / "state.json").is_file():
            loaded = module.load_from_disk(str(data))
            if isinstance(loaded, module.Dataset):  # one split, which may not say its name
                loaded = {str(loaded.split or "train").partition("[")[0]: loaded}
        elif "[" in split:
            loaded = module.load_dataset(str(data), config, split=split)
        else:
            loaded = module.load_dataset(str(data), config)
    except Exception as error:  # of the library, of the network and of files, each with its own kinds
        raise ValueError(
            f"{data}: this set cannot be opened by the library datasets: {str(error).strip().splitlines()[0]} "
            "Correct its name, or load it yourself and give the datasets.Dataset."
        ) from error
    return (loaded, f"{data} ({split})") if isinstance(loaded, module.Dataset) else _split(loaded, split, str(data))


def _split(data, split, where):
    name = usual_split(list(data), split)
    if name is None:
        raise DataError(f"{where}: there is no split {split!r}; its splits are {', '.join(data)}. Name one of these.")
    return data[name], f"{where} ({name})"


def _columns(module, features, image, label, where):
    """Names of the columns of photos and of label maps, the latter None where there are none."""
    for given in (image, label):
        if given is not None and given not in features:
            raise ValueError(f"{where}: there is no column {given!r}; its columns are {', '.join(features)}.")
    pictures = [name for name, feature in features.items() if isinstance(feature, module.Image)]
    named = [name for name in _IMAGES if name in pictures and name != label]
    labels = [name for name in _LABELS if name in pictures and name != image]
    others = [name for name in pictures if name not in (image, label)]
    if image is None and named:
        image = named[0]
    elif image is None and len([name for name in others if name not in labels]) == 1:
        image = next(name for name in others if name not in labels)
    if image is None:
        listed = ", ".join(features)
        raise ArgumentError(
            f"{where}: it is not clear which column holds the photos. Its columns are {listed}.",
            {},
            Remedy("Name one, and that of the label maps, by {}.", {"image": ..., "label": ...}),
        )
    others = [name for name in others if name != image]
    if label is None and others:
        if len(labels) != 1 and len(others) != 1:
            raise ArgumentError(
                f"{where}: it is not clear which of the columns {', '.join(others)} holds the label maps.",
                {},
                Remedy("Name it by {}.", {"label": ...}),
            )
        label = (labels if len(labels) == 1 else others)[0]
    return image, label
