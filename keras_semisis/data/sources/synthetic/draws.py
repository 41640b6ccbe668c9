"""Random numbers of one scene."""

import numpy as np

from keras_semisis.data.sources.synthetic.colors import color_of


class Draws:
    """Random numbers of one scene."""

    def __init__(self, key):
        self._generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence(key)))

    def uniform(self, *shape):
        return self._generator.random(shape) if shape else self._generator.random()

    def between(self, low, high):
        return low + (high - low) * self.uniform()

    def chance(self, probability):
        return self.uniform() < probability

    def count(self, most):
        """An integer in 1..most."""
        return 1 + int(self.uniform() * most)

    def color(self, palette, spread):
        """One of the palette's colors, each channel moved by up to ``spread``."""
        base = palette[int(self.uniform() * len(palette))]
        return color_of(*base) + spread * (2.0 * self.uniform(3, 1, 1) - 1.0)
