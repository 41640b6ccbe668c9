"""CamVid: street scenes from a car, 11 classes and void."""

from pathlib import Path

from keras_semisis.data.labels.label_space import LabelSpace
from keras_semisis.data.sources.benchmark import check_split
from keras_semisis.data.sources.file_source import FileSource, find_files

_NAMES = (
    "sky",
    "building",
    "pole",
    "road",
    "sidewalk",
    "tree",
    "sign symbol",
    "fence",
    "car",
    "pedestrian",
    "bicyclist",
    "void",
)
_PALETTE = (
    (128, 128, 128),
    (128, 0, 0),
    (192, 192, 128),
    (128, 64, 128),
    (60, 40, 222),
    (128, 128, 0),
    (192, 128, 128),
    (64, 64, 128),
    (64, 0, 128),
    (64, 64, 0),
    (0, 128, 192),
    (0, 0, 0),
)


class CamVid(FileSource):
    """The Cambridge-driving Labeled Video Database in the SegNet layout, at any size (originally 360×480).

    ``root`` holds ``train``, ``trainannot``, ``val``, ``valannot``, ``test``, ``testannot``; an image and its
    label map have the same file name. Label ids are 0..10, and 11 is void (don't care).

    Args:
        root: The folder.
        split: "train", "val" or "test".
        only: "images" for photos alone, "labels" for label maps alone; None for pairs.

    Raises:
        DataError: If a folder is missing or empty, or an image and a label map have no partner.

    Example:

    >>> train = CamVid("path/to/camvid", split="train")  # doctest: +SKIP
    >>> image, label_map = train.load(0)  # doctest: +SKIP

    Reference:
        Brostow, Fauqueur, Cipolla, "Semantic object classes in video: A high-definition ground truth
        database", Pattern Recognition Letters 2009.
    """

    label_space = LabelSpace(_NAMES, _PALETTE, ignore_class=11)

    splits = ("train", "val", "test")
    photo_splits = ()

    def __init__(self, root: str | Path, split: str = "train", only: str | None = None):
        check_split(self, split, only)
        root = Path(root)
        images = None if only == "labels" else find_files(root / split)
        labels = None if only == "images" else find_files(root / f"{split}annot")
        super().__init__(images, labels, None if labels is None else CamVid.label_space)
