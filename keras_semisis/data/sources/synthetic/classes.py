"""The classes of the scenes."""

NAMES = (
    "sky",
    "building",
    "pole",
    "road",
    "sidewalk",
    "vegetation",
    "traffic sign",
    "lane marking",
    "car",
    "pedestrian",
    "void",
)
PALETTE = (
    (70, 130, 180),
    (128, 0, 0),
    (192, 192, 128),
    (128, 64, 128),
    (244, 35, 232),
    (107, 142, 35),
    (220, 220, 0),
    (255, 255, 255),
    (0, 0, 142),
    (220, 20, 60),
    (0, 0, 0),
)
SKY, BUILDING, POLE, ROAD, SIDEWALK, VEGETATION, SIGN, MARKING, CAR, PEDESTRIAN, VOID = range(len(NAMES))
