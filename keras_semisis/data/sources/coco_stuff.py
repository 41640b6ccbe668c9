"""COCO-Stuff: photos of everyday life, things and stuff in 182 classes, and unknown."""

from pathlib import Path

from keras_semisis.data.data_error import DataError
from keras_semisis.data.labels.distinct_colors import distinct_colors
from keras_semisis.data.labels.label_space import LabelSpace
from keras_semisis.data.sources.benchmark import check_split
from keras_semisis.data.sources.file_source import FileSource, find_files

# Names of ids 0, 1, 2, ...: a stored id is one less
_CLASSES = """
unknown, person, bicycle, car, motorcycle, airplane, bus, train, truck, boat, traffic light, fire hydrant, street sign,
stop sign, parking meter, bench, bird, cat, dog, horse, sheep, cow, elephant, bear, zebra, giraffe, hat, backpack,
umbrella, shoe, eye glasses, handbag, tie, suitcase, frisbee, skis, snowboard, sports ball, kite, baseball bat, baseball
glove, skateboard, surfboard, tennis racket, bottle, plate, wine glass, cup, fork, knife, spoon, bowl, banana, apple,
sandwich, orange, broccoli, carrot, hot dog, pizza, donut, cake, chair, couch, potted plant, bed, mirror, dining table,
window, desk, toilet, door, tv, laptop, mouse, remote, keyboard, cell phone, microwave, oven, toaster, sink, refrigerator,
blender, book, clock, vase, scissors, teddy bear, hair drier, toothbrush, hair brush, banner, blanket, branch, bridge,
building-other, bush, cabinet, cage, cardboard, carpet, ceiling-other, ceiling-tile, cloth, clothes, clouds, counter,
cupboard, curtain, desk-stuff, dirt, door-stuff, fence, floor-marble, floor-other, floor-stone, floor-tile, floor-wood,
flower, fog, food-other, fruit, furniture-other, grass, gravel, ground-other, hill, house, leaves, light, mat, metal,
mirror-stuff, moss, mountain, mud, napkin, net, paper, pavement, pillow, plant-other, plastic, platform, playingfield,
railing, railroad, river, road, rock, roof, rug, salad, sand, sea, shelf, sky-other, skyscraper, snow, solid-other,
stairs, stone, straw, structural-other, table, tent, textile-other, towel, tree, vegetable, wall-brick, wall-concrete,
wall-other, wall-panel, wall-stone, wall-tile, wall-wood, water-other, waterdrops, window-blind, window-other, wood
"""
_NUM_STORED = 182


def _label_space():
    names = [name.strip() for name in _CLASSES.replace("\n", " ").split(",")]
    id_map = {stored: stored + 1 for stored in range(_NUM_STORED)} | {255: 0}
    return LabelSpace(names, distinct_colors(len(names)), ignore_class=0, id_map=id_map, all_ids=True)


class COCOStuff(FileSource):
    """COCO-Stuff with the images of COCO 2017: 118,287 for training, 5,000 for validation.

    ``root`` is in one of two layouts: that of the SPADE family, ``train_img/*.jpg`` and ``train_label/*.png``; or COCO's own,
    ``train2017/*.jpg`` (or ``images/train2017``) and ``stuffthingmaps/train2017/*.png``; ``val`` likewise. Stored ids 0..181
    become classes 1..182, and 255, unlabeled, becomes 0, unknown (don't care). COCO-Stuff names no colors for things: those
    drawn here are PASCAL VOC's.

    Instance maps, where there are any, are ``train_inst/*.png`` of the former layout, or, of either, the panoptic ones of COCO,
    ``panoptic_train2017/*.png`` (or ``annotations/panoptic_train2017``).

    Args:
        root: The folder.
        split: "train" or "val"; of "unlabeled" (``unlabeled2017``) and "test" the photos alone are read.
        only: "images" for photos alone, whose label maps need not be there, "labels" for label maps alone; None for pairs.

    Attributes:
        label_space: Its 183 classes; also of the class itself, without any data.

    Raises:
        DataError: If the folder has neither layout, a folder is empty, or an image and a label map have no partner.

    Example:

    >>> COCOStuff.label_space.class_names[:3], COCOStuff.label_space.num_classes
    (('unknown', 'person', 'bicycle'), 183)
    >>> train = COCOStuff("path/to/coco_stuff", split="train")  # doctest: +SKIP

    Reference:
        Caesar, Uijlings, Ferrari, "COCO-Stuff: Thing and Stuff Classes in Context", CVPR 2018.
    """

    label_space = _label_space()
    published_image_size = (256, 256)
    published_load_size = (286, 286)

    splits = ("train", "val")
    photo_splits = ("unlabeled", "test")

    def __init__(self, root: str | Path, split: str = "train", only: str | None = None):
        check_split(self, split, only)
        images, labels = _folders(Path(root), split, only)
        super().__init__(
            None if only == "labels" else find_files(images),
            None if only == "images" else find_files(labels),
            None if only == "images" else COCOStuff.label_space,
        )
        panoptic = f"panoptic_{split}2017"
        self._instance_folders = [Path(root) / name for name in (f"{split}_inst", panoptic, f"annotations/{panoptic}")]

    def _find_instances(self) -> dict[str, Path]:
        return next((find_files(folder) for folder in self._instance_folders if folder.is_dir()), {})


def _folders(root, split, only):
    layouts = (
        (f"{split}_img", f"{split}_label"),
        (f"{split}2017", f"stuffthingmaps/{split}2017"),
        (f"images/{split}2017", f"stuffthingmaps/{split}2017"),
    )
    for images, labels in layouts:
        if (only == "labels" or (root / images).is_dir()) and (only == "images" or (root / labels).is_dir()):
            return root / images, root / labels
    if not root.is_dir():
        raise DataError(f"{root}: there is no such folder. Correct the path.")
    listed = ", ".join(sorted(entry.name for entry in root.iterdir())[:10]) or "nothing"
    expected = "; or ".join(
        dict.fromkeys({None: f"{images} and {labels}", "images": images, "labels": labels}[only] for images, labels in layouts)
    )
    unpack = "Correct the path."
    if split in COCOStuff.splits:
        unpack = "Correct the path, or unpack both images and label maps (stuffthingmaps_trainval2017.zip) into it."
    raise DataError(f"{root}: expected {expected}; this folder holds {listed}. {unpack}")
