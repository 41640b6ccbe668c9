"""ADE20K: indoor and outdoor scenes, 150 classes and unknown."""

from pathlib import Path

from keras_semisis.data.labels.label_space import LabelSpace
from keras_semisis.data.sources.benchmark import check_split, named_colors
from keras_semisis.data.sources.file_source import FileSource, find_files

# Name and color of ids 0, 1, 2, ...: the first name of each class, and the colors of the scene parsing benchmark
_CLASSES = """
unknown 000000, wall 787878, building b47878, sky 06e6e6, floor 503232, tree 04c803, ceiling 787850, road 8c8c8c, bed
cc05ff, windowpane e6e6e6, grass 04fa07, cabinet e005ff, sidewalk ebff07, person 96053d, earth 787846, door 08ff33, table
ff0652, mountain 8fff8c, plant ccff04, curtain ff3307, chair cc4603, car 0066c8, water 3de6fa, painting ff0633, sofa
0b66ff, shelf ff0747, house ff09e0, sea 0907e6, mirror dcdcdc, rug ff095c, field 7009ff, armchair 08ffd6, seat 07ffe0,
fence ffb806, desk 0aff47, rock ff290a, wardrobe 07ffff, lamp e0ff08, bathtub 6608ff, railing ff3d06, cushion ffc207, base
ff7a08, box 00ff14, column ff0829, signboard ff0599, chest of drawers 0633ff, counter eb0cff, sand a09614, sink 00a3ff,
skyscraper 8c8c8c, fireplace fa0a0f, refrigerator 14ff00, grandstand 1fff00, path ff1f00, stairs ffe000, runway 99ff00,
case 0000ff, pool table ff4700, pillow 00ebff, screen door 00adff, stairway 1f00ff, river 0bc8c8, bridge ff5200, bookcase
00fff5, blind 003dff, coffee table 00ff70, toilet 00ff85, flower ff0000, book ffa300, hill ff6600, bench c2ff00,
countertop 008fff, stove 33ff00, palm 0052ff, kitchen island 00ff29, computer 00ffad, swivel chair 0a00ff, boat adff00,
bar 00ff99, arcade machine ff5c00, hovel ff00ff, bus ff00f5, towel ff0066, light ffad00, truck ff0014, tower ffb8b8,
chandelier 001fff, awning 00ff3d, streetlight 0047ff, booth ff00cc, television receiver 00ffc2, airplane 00ff52, dirt
track 000aff, apparel 0070ff, pole 3300ff, land 00c2ff, bannister 007aff, escalator 00ffa3, ottoman ff9900, bottle 00ff0a,
buffet ff7000, poster 8fff00, stage 5200ff, van a3ff00, ship ffeb00, fountain 08b8aa, conveyer belt 8500ff, canopy 00ff5c,
washer b800ff, plaything ff001f, swimming pool 00b8ff, stool 00d6ff, barrel ff0070, basket 5cff00, waterfall 00e0ff, tent
70e0ff, bag 46b8a0, minibike a300ff, cradle 9900ff, oven 47ff00, ball ff00a3, food ffcc00, step ff008f, tank 00ffeb, trade
name 85ff00, microwave ff00eb, pot f500ff, animal ff007a, bicycle fff500, lake 0abed4, dishwasher d6ff00, screen 00ccff,
blanket 1400ff, sculpture ffff00, hood 0099ff, sconce 0029ff, vase 00ffcc, traffic light 2900ff, tray 29ff00, ashcan
ad00ff, fan 00f5ff, pier 4700ff, crt screen 7a00ff, plate 00ffb8, monitor 005cff, bulletin board b8ff00, shower 0085ff,
radiator ffd600, glass 19c2c2, clock 66ff00, flag 5c00ff
"""
_FOLDERS = {"train": "training", "val": "validation", "test": "testing"}
_ARCHIVE = "ADEChallengeData2016"


class ADE20K(FileSource):
    """The scene parsing benchmark of ADE20K (ADEChallengeData2016): 20,210 training and 2,000 validation images.

    ``root`` is the unpacked `ADEChallengeData2016`, or the folder that it is in: ``images/training/*.jpg``,
    ``annotations/training/*.png``, and ``validation`` likewise. Ids are as stored: 0 is unknown (don't care), 1..150 are
    classes. Road and skyscraper share a color in the official palette.

    Args:
        root: The folder.
        split: "train" or "val"; of "test" the photos alone are read, ``images/testing`` or ``release_test/testing``.
        only: "images" for photos alone, whose label maps need not be there, "labels" for label maps alone; None for pairs.

    Attributes:
        label_space: Its 151 classes; also of the class itself, without any data.

    Raises:
        DataError: If a folder is missing or empty, or an image and a label map have no partner.

    Example:

    >>> ADE20K.label_space.class_names[:3], ADE20K.label_space.num_classes
    (('unknown', 'wall', 'building'), 151)
    >>> train = ADE20K("path/to/ADEChallengeData2016", split="train")  # doctest: +SKIP

    Reference:
        Zhou et al., "Scene Parsing through ADE20K Dataset", CVPR 2017.
    """

    # every id that there is, by which colors are refused
    label_space = LabelSpace(*named_colors(_CLASSES), ignore_class=0, id_map={i: i for i in range(151)}, all_ids=True)
    published_image_size = (256, 256)
    published_load_size = (286, 286)

    splits = ("train", "val")
    photo_splits = ("test",)

    def __init__(self, root: str | Path, split: str = "train", only: str | None = None):
        check_split(self, split, only)
        root = Path(root)
        inside = root / _ARCHIVE if (root / _ARCHIVE).is_dir() else root
        photos = inside / "images" / _FOLDERS[split]
        if split == "test":  # an archive of its own
            released = [above / "release_test" / "testing" for above in (inside, root, inside.parent)]
            photos = next((folder for folder in (photos, *released) if folder.is_dir()), photos)
        images = None if only == "labels" else find_files(photos)
        labels = None if only == "images" else find_files(inside / "annotations" / _FOLDERS[split])
        super().__init__(images, labels, None if labels is None else ADE20K.label_space)
