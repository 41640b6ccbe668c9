"""CamVid: street scenes from a car, 11 classes and void."""

from pathlib import Path

from keras_semisis.data.labels.label_space import LabelSpace
from keras_semisis.data.sources.benchmark import check_split, named_colors
from keras_semisis.data.sources.file_source import FileSource, find_files

# Name and color of ids 0, 1, 2, ...
_CLASSES = """
sky 808080, building 800000, pole c0c080, road 804080, sidewalk 3c28de, tree 808000, sign symbol c08080, fence 404080,
car 400080, pedestrian 404000, bicyclist 0080c0, void 000000
"""


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

    label_space = LabelSpace(*named_colors(_CLASSES), ignore_class=11)

    splits = ("train", "val", "test")
    photo_splits = ()

    def __init__(self, root: str | Path, split: str = "train", only: str | None = None):
        check_split(self, split, only)
        root = Path(root)
        images = None if only == "labels" else find_files(root / split)
        labels = None if only == "images" else find_files(root / f"{split}annot")
        super().__init__(images, labels, None if labels is None else CamVid.label_space)
