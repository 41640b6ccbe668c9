"""Lamp posts."""

from dataclasses import dataclass

import numpy as np

from keras_semisis.data.sources.synthetic.classes import POLE
from keras_semisis.data.sources.synthetic.colors import color_of, mix
from keras_semisis.data.sources.synthetic.post import paint_post
from keras_semisis.data.sources.synthetic.shadow import Shadow


@dataclass(frozen=True)
class Lamp:
    """A lamp post."""

    x: float
    z: float
    height: float
    arm: float
    color: np.ndarray

    @classmethod
    def draw(cls, draws, x, z, height, color):
        return cls(x, z, height, draws.between(1.0, 1.8), color)

    def shadows(self, sun):
        yield Shadow(self.x, self.z, 0.3, 0.3, 0.4, contact=True)

    def paint(self, canvas):
        paint_post(canvas, self.x, self.z, self.height, 0.17, self.color)
        inward = -1.0 if self.x > 0 else 1.0
        tip = self.x + inward * self.arm
        x0, x1 = min(self.x, tip), max(self.x, tip)
        half = canvas.half_width(0.1, self.z)
        window = canvas.window(x0, x1, self.height - 3 * half, self.height + half, self.z)
        x, y = canvas.plane(window, self.z)
        mask = (x >= x0) & (x <= x1) & (np.abs(y - self.height) <= half)
        canvas.fill(window, mask, self.color * canvas.weather.light(0.0, 0.8, 0.0), self.z, POLE)
        along = (np.abs(x - tip) < 0.45) & (x >= x0) & (x <= x1)
        head = along & (y > self.height - 3 * half) & (y <= self.height)
        glow = mix(color_of(0.75, 0.75, 0.72), color_of(1.0, 0.9, 0.6), canvas.weather.dusk)
        canvas.fill(window, head, glow, self.z, POLE)
