"""Cityscapes: street scenes of German cities, 34 label ids and license plates."""

from pathlib import Path

from keras_semisis.data.data_error import DataError
from keras_semisis.data.labels.label_space import LabelSpace
from keras_semisis.data.remedy import Remedy
from keras_semisis.data.sources.benchmark import check_split, named_colors
from keras_semisis.data.sources.file_source import FileSource, find_files
from keras_semisis.data.sources.folder_files import paired_by_name

# Name, train id (-: not evaluated) and color of classes 0..34: the label ids, and -1
_CLASSES = """
unlabeled - 000000, ego vehicle - 000000, rectification border - 000000, out of roi - 000000, static - 000000, dynamic -
6f4a00, ground - 510051, road 0 804080, sidewalk 1 f423e8, parking - faaaa0, rail track - e6968c, building 2 464646, wall
3 66669c, fence 4 be9999, guard rail - b4a5b4, bridge - 966464, tunnel - 96785a, pole 5 999999, polegroup - 999999,
traffic light 6 faaa1e, traffic sign 7 dcdc00, vegetation 8 6b8e23, terrain 9 98fb98, sky 10 4682b4, person 11 dc143c,
rider 12 ff0000, car 13 00008e, truck 14 000046, bus 15 003c64, caravan - 00005a, trailer - 00006e, train 16 005064,
motorcycle 17 0000e6, bicycle 18 770b20, license plate - 00008e
"""
_NOT_EVALUATED = 255
_ID_MAP = {i: i for i in range(34)} | {-1: 34, 255: 34}


def _parsed():
    entries, colors = named_colors(_CLASSES)
    names, train_ids = zip(*(entry.rsplit(" ", 1) for entry in entries), strict=True)
    space = LabelSpace(names, colors, ignore_class=0, id_map=_ID_MAP, all_ids=True)
    return space, tuple(_NOT_EVALUATED if i == "-" else int(i) for i in train_ids)


class Cityscapes(FileSource):
    """Cityscapes with fine annotations: 2,975 training and 500 validation images of 1024×2048 pixels; and 19,998 further ones.

    ``root`` holds the unpacked archives: ``leftImg8bit/train/CITY/*_leftImg8bit.png`` and
    ``gtFine/train/CITY/*_gtFine_labelIds.png``, and ``val`` likewise. Classes are the label ids 0..33; license plates, -1 or
    255 in a file, are class 34. Don't care is 0 (unlabeled), as in published work on semantic image synthesis; segmentation
    is evaluated on the 19 `train_ids`. ``*_gtFine_instanceIds.png`` beside the label maps are instance maps; other files there
    (colors, train ids) are not read.

    Of ``train_extra`` the photos are in ``leftImg8bit/train_extra``, coarse label maps in
    ``gtCoarse/train_extra/CITY/*_gtCoarse_labelIds.png``: unpaired data, by ``only=``. Photos of which the archives have no
    label map are its ``unpaired_images``.

    Args:
        root: The folder.
        split: "train", "val" or "train_extra"; of "test" the photos alone are read.
        only: "images" for photos alone, whose label maps need not be there, "labels" for label maps alone; None for pairs.
        annotation: "gtFine" or "gtCoarse"; None is the former where there is one.

    Attributes:
        label_space: Its 35 classes; also of the class itself, without any data.
        train_ids: The train id 0..18 of each of the 35 classes, 255 where evaluation ignores it.
        id_map: Stored id → class.

    Raises:
        DataError: If a folder is missing or empty, an image and a label map of "train" or "val" have no partner, or there are
            train ids in place of label ids.

    Example:

    >>> Cityscapes.label_space.num_classes, Cityscapes.label_space.class_names[7], Cityscapes.train_ids[7]
    (35, 'road', 0)
    >>> train = Cityscapes("path/to/cityscapes", split="train")  # doctest: +SKIP
    >>> photos = Cityscapes("path/to/cityscapes", split="train_extra", only="images")  # doctest: +SKIP

    Reference:
        Cordts et al., "The Cityscapes Dataset for Semantic Urban Scene Understanding", CVPR 2016.
    """

    label_space, train_ids = _parsed()
    id_map = _ID_MAP
    published_image_size = (256, 512)

    splits = ("train", "val", "train_extra")
    photo_splits = ("test",)

    def __init__(self, root: str | Path, split: str = "train", only: str | None = None, annotation: str | None = None):
        check_split(self, split, only)
        if annotation not in (None, "gtFine", "gtCoarse"):
            raise ValueError(f'annotation={annotation!r} is none of "gtFine" and "gtCoarse".')
        root, extra = Path(root), split == "train_extra"
        annotation = annotation or ("gtCoarse" if extra else "gtFine")
        images = None if only == "labels" else find_files(root / "leftImg8bit" / split, ending="_leftImg8bit")
        labels = None if only == "images" else self.label_files(root / annotation / split, f"_{annotation}")
        unpaired: list[dict[str, Path]] = [{}, {}]
        if extra and images is not None and labels is not None:  # the archives lack some of its label maps
            images, labels, *unpaired = paired_by_name(images, labels)
        super().__init__(images, labels, None if labels is None else Cityscapes.label_space)
        self._set_unpaired(*unpaired)
        self._annotations = root / annotation / split, f"_{annotation}_instanceIds"

    def _find_instances(self) -> dict[str, Path]:
        folder, ending = self._annotations
        return find_files(folder, ending) if next(folder.rglob(f"*{ending}.png"), None) else {}

    @staticmethod
    def label_files(folder: Path, ending: str = "") -> dict[str, Path]:
        """The label maps below a folder, which hold label ids, by their names; other files beside them are none.

        Raises:
            DataError: If there are none.
        """
        try:
            return find_files(folder, ending=f"{ending}_labelIds")
        except DataError as error:
            if not folder.is_dir() or not next(folder.rglob("*_labelTrainIds.*"), None):
                raise
            raise DataError(
                f"{folder}: there are *{ending}_labelTrainIds but no *{ending}_labelIds. Train ids are 19 of the 35 classes, "
                "in another order. Unpack gtFine_trainvaltest.zip or gtCoarse.zip again, which hold *_labelIds.",
                Remedy(
                    "Or read the train ids as the classes of a Folder, by {}.",
                    {
                        "images": "leftImg8bit",
                        "labels": "gtFine",
                        "image_suffix": "_leftImg8bit",
                        "label_suffix": "_gtFine_labelTrainIds",
                        "ignore_class": 255,
                    },
                ),
            ) from error
