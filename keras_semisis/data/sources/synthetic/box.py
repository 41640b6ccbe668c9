"""Things that no class names."""

from dataclasses import dataclass

import numpy as np

from keras_semisis.data.sources.synthetic.classes import VOID
from keras_semisis.data.sources.synthetic.post import paint_post
from keras_semisis.data.sources.synthetic.shadow import Shadow


@dataclass(frozen=True)
class Box:
    """A bin, crate or cabinet: things no class names."""

    x: float
    z: float
    width: float
    height: float
    color: np.ndarray

    @classmethod
    def draw(cls, draws, x, z):
        return cls(
            x,
            z,
            draws.between(0.5, 1.0),
            draws.between(0.7, 1.2),
            draws.color(((0.20, 0.30, 0.22), (0.40, 0.30, 0.22), (0.35, 0.36, 0.38)), 0.08),
        )

    def shadows(self, sun):
        yield Shadow(self.x, self.z + 0.3, 0.6 * self.width, 0.6, 0.6, contact=True)

    def paint(self, canvas):
        paint_post(canvas, self.x, self.z, self.height, self.width, self.color, VOID)
