"""`SyntheticScenes`: an embedded data set of procedural street scenes."""

import numpy as np

from keras_semisis.data.argument_error import ArgumentError
from keras_semisis.data.labels.label_space import LabelSpace
from keras_semisis.data.sources.source import Source
from keras_semisis.data.sources.synthetic.classes import NAMES, PALETTE, VOID
from keras_semisis.data.sources.synthetic.draws import Draws
from keras_semisis.data.sources.synthetic.render import render

_SPLITS = ("train", "val")
# To be raised when a scene changes: statistics are cached by it
_VERSION = 1
SMALLEST_SIDE = 32


class SyntheticScenes(Source):
    """Procedural street scenes with exact label maps: a data set for demos and tests that needs no files.

    A camera drives along a street in perspective: facades with windows, trees, parked and moving cars, lamp
    poles, signs, pedestrians, lane markings. Wall and car colors, sun direction, weather and haze are not
    visible in the label map, so one map has many plausible images. Frequencies are long-tailed: pedestrians
    and signs cover less than 1 % of the pixels and occur in a minority of the scenes. ``void`` (the own car's
    bonnet, bins and boxes on the pavement) is the don't-care class.

    Scene ``i`` depends on ``(seed, split, i)`` and the size alone, is rendered when asked for, and has the
    same bits on every machine. Another size shows the same scene, scaled by its height; a wider one shows
    more of it.

    Args:
        num_scenes: Number of scenes. The first n scenes are the same for every ``num_scenes >= n``.
        split: ``"train"`` or ``"val"``: two disjoint sets of scenes.
        image_size: ``(height, width)`` in pixels, each at least 32.
        seed: A non-negative integer; each gives another data set.

    Raises:
        ValueError: If an argument is not as described.

    Example:

    >>> scenes = SyntheticScenes(num_scenes=4, split="train", image_size=(64, 96))
    >>> image, label_map = scenes.load(2)
    >>> image.shape, image.dtype.name, label_map.shape, label_map.dtype.name
    ((64, 96, 3), 'uint8', (64, 96), 'uint8')
    >>> scenes.name(2), scenes.label_space.num_classes, scenes.label_space.ignore_class
    ('train-00002', 11, 10)
    """

    def __init__(self, num_scenes: int = 400, split: str = "train", image_size: tuple[int, int] = (64, 96), seed: int = 0):
        if split not in _SPLITS:
            raise ValueError(f'split={split!r} is unknown: SyntheticScenes has the splits "train" and "val".')
        if num_scenes < 1:
            raise ValueError(f"num_scenes={num_scenes}: give at least 1.")
        if seed < 0:
            raise ValueError(f"seed={seed} is negative: give a non-negative integer.")
        if len(image_size) != 2 or min(image_size) < SMALLEST_SIDE:
            raise ArgumentError(
                f"{{}}: give (height, width), each at least {SMALLEST_SIDE} pixels; smaller scenes have no room for their "
                "objects.",
                {"image_size": tuple(image_size)},
            )
        self.num_scenes = int(num_scenes)
        self.split = split
        self.image_size = (int(image_size[0]), int(image_size[1]))
        self.seed = int(seed)
        self.label_space = LabelSpace(NAMES, PALETTE, ignore_class=VOID)

    def __len__(self):
        return self.num_scenes

    def name(self, index: int) -> str:
        return f"{self.split}-{self._checked(index):05d}"

    def load_image(self, index: int) -> np.ndarray:
        return self.load(index)[0]

    def load_label_map(self, index: int) -> np.ndarray:
        return self.load(index)[1]

    def fingerprint(self, index: int) -> str | None:
        height, width = self.image_size
        return f"synthetic {_VERSION}, seed {self.seed}, {height}x{width}, {self.name(index)}"

    image_fingerprint = fingerprint

    def load(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        key = (self.seed, _SPLITS.index(self.split), self._checked(index))
        return render(Draws(key), *self.image_size)

    def _checked(self, index):
        if not 0 <= index < self.num_scenes:
            raise IndexError(f"Scene {index} does not exist: this source has the scenes 0..{self.num_scenes - 1}.")
        return int(index)
