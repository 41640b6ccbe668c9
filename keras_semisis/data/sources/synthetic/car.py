"""Cars, parked and moving."""

from dataclasses import dataclass

import numpy as np

from keras_semisis.data.sources.synthetic.classes import CAR
from keras_semisis.data.sources.synthetic.colors import clip01, color_of
from keras_semisis.data.sources.synthetic.shadow import Shadow

CAR_COLORS = (
    (0.88, 0.88, 0.90),
    (0.12, 0.12, 0.14),
    (0.55, 0.57, 0.60),
    (0.75, 0.10, 0.10),
    (0.12, 0.22, 0.60),
    (0.85, 0.65, 0.10),
    (0.15, 0.42, 0.48),
    (0.60, 0.62, 0.66),
)
_GLASS = color_of(0.16, 0.20, 0.26)


@dataclass(frozen=True)
class Car:
    """A car, parked or moving."""

    x: float
    z: float
    width: float
    height: float
    length: float
    bonnet: float
    oncoming: bool
    color: np.ndarray

    @classmethod
    def draw(cls, draws, x, z, oncoming):
        van = draws.chance(0.2)
        height = draws.between(1.9, 2.3) if van else draws.between(1.4, 1.65)
        return cls(
            x,
            z,
            draws.between(1.75, 1.95),
            height,
            draws.between(3.8, 4.8),
            0.3 if van else 1.0,
            oncoming,
            draws.color(CAR_COLORS, 0.05),
        )

    def shadows(self, sun):
        center = self.z + 0.5 * self.length
        yield Shadow(self.x, center, 0.6 * self.width, 0.5 * self.length + 0.5, 0.72, contact=True)
        lean = 0.5 * self.height / max(sun[1], 0.3)
        yield Shadow(
            self.x - lean * sun[0],
            center - lean * sun[2],
            0.5 * self.width + lean * abs(sun[0]),
            0.5 * self.length + lean * abs(sun[2]),
            0.9,
            contact=False,
        )

    def paint(self, canvas):
        if abs(self.x) > 0.5 * self.width:
            self._paint_side(canvas)
        cabin_z = self.z + (self.bonnet if self.oncoming else 0.15)
        self._paint_end(canvas, cabin_z, cabin=True)
        self._paint_end(canvas, self.z, cabin=False)

    def _paint_side(self, canvas):
        inward = -1.0 if self.x > 0 else 1.0
        x = self.x + inward * 0.5 * self.width
        focal = canvas.street.focal
        ends = sorted((x * focal / self.z, x * focal / (self.z + self.length)))
        rows, _ = canvas.window(0.0, 0.0, 0.0, self.height, self.z)
        columns = canvas.along(*ends, canvas.u[0])
        u = canvas.u[:, columns]
        z = focal * x / np.where(u * x > 0.0, u, 1e-6 * x)
        _, y = canvas.plane((rows, columns), z)
        t = (z - self.z) / self.length
        if self.oncoming:
            t = 1.0 - t
        body = 0.56 * self.height
        roof = clip01(np.minimum((t + 0.02) / 0.14, (1.02 - self.bonnet / self.length - t) / 0.22 + 0.4))
        top = body * clip01(1.25 - 0.3 * t) + (self.height - body) * roof
        mask = (t > 0.0) & (t < 1.0) & (y < top) & (y > 0.22)
        shine = 0.72 + 0.40 * clip01(y / self.height)
        light = canvas.weather.light(inward, 0.0, 0.0)
        rgb = (self.color * light) * shine
        pillar = np.abs(t - 0.36) > 0.02
        glass = (y > body + 0.06) & (y < top - 0.12) & pillar & (roof > 0.3)
        np.copyto(rgb, _GLASS * canvas.weather.light(0.0, 0.7, 0.0), where=glass)
        canvas.fill((rows, columns), mask, rgb, self.z, CAR)
        for axle in (0.18, 0.82):
            along = (t - axle) * self.length
            wheel = along * along + (y - 0.32) * (y - 0.32)
            canvas.fill((rows, columns), wheel < 0.33 * 0.33, color_of(0.07, 0.07, 0.08), self.z, CAR)
            canvas.fill((rows, columns), wheel < 0.15 * 0.15, 0.6 * light, self.z)

    def _paint_end(self, canvas, z, cabin):
        half, body = 0.5 * self.width, 0.58 * self.height
        top = self.height if cabin else body
        window = canvas.window(self.x - half, self.x + half, 0.0, top, z)
        x, y = canvas.plane(window, z)
        across = np.abs(x - self.x)
        light = canvas.weather.light(0.0, 0.0, -1.0)
        taper = half - 0.55 * np.maximum(y - body, 0.0) * (half / self.height)
        mask = (across < taper) & (y < top) & (y > 0.2)
        rgb = (self.color * light) * (0.62 + 0.45 * clip01(y / self.height))
        if cabin:
            glass = (across < taper - 0.13) & (y > body + 0.02) & (y < top - 0.13)
            sheen = 0.8 + 0.9 * (y - body) / self.height
            rgb = np.where(glass, _GLASS * canvas.weather.light(0.0, 0.7, 0.0) * sheen, rgb)
        canvas.fill(window, mask, rgb, z, CAR)
        if cabin:
            return
        lamp = color_of(1.0, 0.96, 0.82) if self.oncoming else color_of(0.85, 0.08, 0.06)
        lights = (across > half - 0.42) & (across < half - 0.06) & (y > 0.66 * body) & (y < 0.9 * body)
        canvas.fill(window, lights, lamp, z)
        plate = (across < 0.30) & (y > 0.42 * body) & (y < 0.60 * body)
        plate_color = self.color * 0.3 if self.oncoming else color_of(0.9, 0.9, 0.85)
        canvas.fill(window, plate, plate_color * light, z)
        dark = color_of(0.06, 0.06, 0.07)
        canvas.fill(window, (across < half) & (y > 0.18) & (y < 0.34), dark * 2.0, z, CAR)
        canvas.fill(window, (across < half - 0.05) & (across > half - 0.32) & (y < 0.30), dark, z, CAR)
