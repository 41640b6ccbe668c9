"""A source of arrays for the tests of this package."""

import numpy as np

from keras_semisis.data import LabelSpace, Source


class ArraySource(Source):
    """Items given as arrays, named by ``names``."""

    def __init__(self, label_maps, images=None, names=None, num_classes=None, ignore_class=None):
        self.label_maps = [np.asarray(label_map, np.uint8) for label_map in label_maps]
        self.images = images
        self.names = names or [f"item{i:04d}" for i in range(len(self.label_maps))]
        number = num_classes or int(max(label_map.max() for label_map in self.label_maps)) + 1
        self.label_space = LabelSpace([f"c{i}" for i in range(number)], [(i % 256,) * 3 for i in range(number)], ignore_class)

    def __len__(self):
        return len(self.label_maps)

    def name(self, index):
        return self.names[index]

    def load_image(self, index):
        if self.images is not None:
            return self.images[index]
        return np.repeat(self.label_maps[index][..., None], 3, axis=2)  # shows its label map

    def load_label_map(self, index):
        return self.label_maps[index]


def numbered_source(number, height=4, width=6):
    """Item i is filled with the id i, but for its first column: 255 - i there, so that a flip shows."""
    label_maps = np.empty((number, height, width), np.uint8)
    label_maps[:] = np.arange(number)[:, None, None]
    label_maps[:, :, 0] = 255 - label_maps[:, :, 0]
    return ArraySource(label_maps, num_classes=256)
