"""A model to paint with, small enough for a test."""

import keras
import numpy as np

import keras_semisis as ks
from keras_semisis.paint.easel import Easel

SIZE = (32, 48)
SCENES = ks.data.SyntheticScenes(num_scenes=2, image_size=SIZE, split="val")


class Painted(ks.presets.PresetModel):
    """Draws each class in its color, brighter by the seed, and sees in every photo the class 2: what a request says shows."""

    def __init__(self):
        label_map, noise = keras.Input(SIZE, dtype="int32"), keras.Input((4,))
        image = keras.layers.Conv2D(3, 1)(keras.layers.Reshape((*SIZE, 1))(keras.layers.Embedding(11, 1)(label_map)))
        generator = keras.Model([label_map, noise], image)
        super().__init__(generator, 11, SIZE, 10, SCENES.label_space, segmenter=generator)

    def generate(self, label_maps, seed=0, **options):
        if seed == 13:
            raise FloatingPointError("this model is broken")
        return np.minimum(self.label_space.colorize(label_maps).astype(int) + seed, 255).astype("uint8")

    def segment(self, photos):
        return np.full(np.shape(photos)[:-1], 2)


def easel() -> Easel:
    return Easel(Painted(), "street", [SCENES.load_label_map(i) for i in range(2)])
