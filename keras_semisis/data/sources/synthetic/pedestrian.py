"""Pedestrians."""

from dataclasses import dataclass

import numpy as np

from keras_semisis.data.sources.synthetic.classes import PEDESTRIAN
from keras_semisis.data.sources.synthetic.colors import clip01
from keras_semisis.data.sources.synthetic.shadow import Shadow

_CLOTHES = (
    (0.80, 0.12, 0.15),
    (0.12, 0.25, 0.62),
    (0.92, 0.85, 0.25),
    (0.90, 0.90, 0.92),
    (0.15, 0.15, 0.18),
    (0.85, 0.40, 0.60),
    (0.20, 0.60, 0.62),
    (0.90, 0.45, 0.10),
)
_TROUSERS = ((0.14, 0.17, 0.30), (0.10, 0.10, 0.11), (0.42, 0.34, 0.26), (0.30, 0.32, 0.35))
_SKIN = ((0.86, 0.66, 0.54), (0.72, 0.50, 0.38), (0.45, 0.30, 0.22))


@dataclass(frozen=True)
class Pedestrian:
    """A pedestrian."""

    x: float
    z: float
    height: float
    stride: float
    coat: np.ndarray
    trousers: np.ndarray
    skin: np.ndarray

    @classmethod
    def draw(cls, draws, x, z):
        return cls(
            x,
            z,
            draws.between(1.45, 1.9),
            draws.between(0.05, 0.3),
            draws.color(_CLOTHES, 0.06),
            draws.color(_TROUSERS, 0.04),
            draws.color(_SKIN, 0.03),
        )

    def shadows(self, sun):
        yield Shadow(self.x, self.z, 0.4, 0.35, 0.6, contact=True)
        lean = 0.5 * self.height / max(sun[1], 0.3)
        yield Shadow(
            self.x - lean * sun[0],
            self.z - lean * sun[2],
            0.25 + lean * abs(sun[0]),
            0.25 + lean * abs(sun[2]),
            0.7,
            contact=False,
        )

    def paint(self, canvas):
        window = canvas.window(self.x - 0.5, self.x + 0.5, 0.0, self.height, self.z)
        x, y = canvas.plane(window, self.z)
        x, y = (x - self.x) / self.height, y / self.height
        across = np.abs(x)
        light = canvas.weather.light(0.0, 0.35, -0.65)
        spread = self.stride * (0.5 - y) + 0.04
        legs = (np.abs(across - spread * 0.6) < 0.05) & (y < 0.5) & (y > 0.0)
        torso = (across < 0.15 - 0.05 * clip01((y - 0.72) * 8.0)) & (y > 0.45) & (y < 0.84)
        head = x * x + (y - 0.92) * (y - 0.92) < 0.078 * 0.078
        canvas.fill(window, legs, self.trousers * light, self.z, PEDESTRIAN)
        canvas.fill(window, torso, self.coat * light, self.z, PEDESTRIAN)
        canvas.fill(window, torso & (across > 0.105), 0.75 * self.coat * light, self.z)
        canvas.fill(window, head, self.skin * light, self.z, PEDESTRIAN)
        canvas.fill(window, head & (y > 0.945), 0.25 * self.skin * light, self.z)
