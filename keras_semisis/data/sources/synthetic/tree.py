"""Trees."""

from dataclasses import dataclass

import numpy as np

from keras_semisis.data.sources.synthetic.classes import VEGETATION
from keras_semisis.data.sources.synthetic.colors import cells, clip01, color_of, value_noise
from keras_semisis.data.sources.synthetic.facades import LEAVES
from keras_semisis.data.sources.synthetic.shadow import Shadow


@dataclass(frozen=True)
class Tree:
    """A tree."""

    x: float
    z: float
    trunk: float
    radius: float
    color: np.ndarray
    blobs: np.ndarray
    offset: np.ndarray

    @classmethod
    def draw(cls, draws, x, z):
        radius = draws.between(1.2, 2.3)
        leaves = ((0.58, 0.42, 0.12), (0.55, 0.28, 0.10)) if draws.chance(0.12) else LEAVES
        return cls(
            x, z, draws.between(2.0, 3.2), radius, draws.color(leaves, 0.04), draws.uniform(4, 3), 32.0 * draws.uniform(2)
        )

    def shadows(self, sun):
        height = (self.trunk + self.radius) / max(sun[1], 0.3)
        yield Shadow(
            self.x - sun[0] * height, self.z - sun[2] * height, 1.15 * self.radius, 1.3 * self.radius, 0.8, contact=False
        )

    def paint(self, canvas):
        weather, radius, crown = canvas.weather, self.radius, self.trunk + self.radius
        half = canvas.half_width(0.3, self.z)
        window = canvas.window(self.x - half, self.x + half, 0.0, crown, self.z)
        x, y = canvas.plane(window, self.z)
        mask = (np.abs(x - self.x) < half) & (y > 0.0) & (y < crown)
        canvas.fill(window, mask, color_of(0.34, 0.25, 0.17) * weather.light(0.0, 0.5, -0.5), self.z, VEGETATION)

        reach = 1.6 * radius
        window = canvas.window(self.x - reach, self.x + reach, crown - reach, crown + reach, self.z)
        x, y = canvas.plane(window, self.z)
        x, y = (x - self.x) / radius, (y - crown) / radius
        distance = np.inf
        for bx, by, size in self.blobs:
            size = 0.55 + 0.35 * size
            dx, dy = x - 1.1 * (bx - 0.5), y - 1.1 * (by - 0.5)
            distance = np.minimum(distance, (dx * dx + dy * dy) / (size * size))
        coarse, fine, (first, second) = 2.4 * radius, 6.8 * radius, self.offset
        clumps = value_noise(canvas.lattice, coarse * x + first, coarse * y + second)
        leaves = cells(canvas.lattice, fine * x + second, fine * y + first)
        mask = distance + 0.7 * (clumps - 0.5) + 0.5 * (leaves - 0.5) < 1.0
        sunny = clip01(0.55 + 0.45 * (x * weather.sun[0] + y * weather.sun[1]) - 0.25 * weather.sun[2])
        texture = 0.35 + 0.65 * clumps + 0.55 * leaves
        rgb = (weather.ambient + weather.direct * sunny) * (self.color * texture)
        canvas.fill(window, mask, rgb, self.z, VEGETATION)
