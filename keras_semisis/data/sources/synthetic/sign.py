"""Traffic signs."""

from dataclasses import dataclass

import numpy as np

from keras_semisis.data.sources.synthetic.classes import SIGN
from keras_semisis.data.sources.synthetic.colors import color_of
from keras_semisis.data.sources.synthetic.post import paint_post
from keras_semisis.data.sources.synthetic.shadow import Shadow


@dataclass(frozen=True)
class Sign:
    """A traffic sign."""

    x: float
    z: float
    height: float
    radius: float
    kind: int

    @classmethod
    def draw(cls, draws, x, z):
        return cls(x, z, draws.between(2.0, 2.6), draws.between(0.42, 0.60), draws.count(5))

    def shadows(self, sun):
        yield Shadow(self.x, self.z, 0.25, 0.25, 0.4, contact=True)

    def paint(self, canvas):
        paint_post(canvas, self.x, self.z, self.height, 0.1, color_of(0.55, 0.56, 0.58))
        radius, height = self.radius, self.height
        window = canvas.window(self.x - radius, self.x + radius, height - radius, height + radius, self.z)
        x, y = canvas.plane(window, self.z)
        x, y = (x - self.x) / radius, (y - height) / radius
        light = 0.35 + 0.75 * canvas.weather.light(0.0, 0.3, -0.7)
        outline, inner, rim, face = self._shape(x, y)
        canvas.fill(window, outline, color_of(*rim) * light, self.z, SIGN)
        canvas.fill(window, outline & inner, color_of(*face) * light, self.z)

    def _shape(self, x, y):
        """Outline mask, inner mask, rim color, face color of the sign's kind."""
        red, white, blue = (0.86, 0.08, 0.10), (0.95, 0.95, 0.95), (0.08, 0.25, 0.78)
        round_ = x * x + y * y
        if self.kind == 1:
            return round_ < 1.0, round_ < 0.36, red, white
        if self.kind == 2:
            edge = np.abs(x) * 1.7 + y
            return (edge < 1.0) & (y > -0.75), (edge < 0.35) & (y > -0.45), red, white
        if self.kind == 3:
            return np.maximum(np.abs(x), np.abs(y)) < 0.85, (np.abs(x) < 0.3) & (np.abs(y) < 0.5), blue, white
        if self.kind == 4:
            diamond = np.abs(x) + np.abs(y)
            return diamond < 1.0, diamond < 0.7, white, (0.96, 0.78, 0.08)
        return round_ < 1.0, round_ < 0.7, white, blue
