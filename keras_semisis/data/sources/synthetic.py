"""`SyntheticScenes`: an embedded data set of procedural street scenes."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from keras_semisis.data.argument_error import ArgumentError
from keras_semisis.data.labels.label_space import LabelSpace
from keras_semisis.data.sources.source import Source

# Scenes are bit-identical on every machine. So: float64 throughout; only + - * /, sqrt, floor and
# comparisons, which IEEE 754 fixes (exp, sin and reductions differ between processors); and only uniform
# draws of PCG64, scaled here, because the other distributions may change between NumPy releases.

_NAMES = (
    "sky",
    "building",
    "pole",
    "road",
    "sidewalk",
    "vegetation",
    "traffic sign",
    "lane marking",
    "car",
    "pedestrian",
    "void",
)
_PALETTE = (
    (70, 130, 180),
    (128, 0, 0),
    (192, 192, 128),
    (128, 64, 128),
    (244, 35, 232),
    (107, 142, 35),
    (220, 220, 0),
    (255, 255, 255),
    (0, 0, 142),
    (220, 20, 60),
    (0, 0, 0),
)
SKY, BUILDING, POLE, ROAD, SIDEWALK, VEGETATION, SIGN, MARKING, CAR, PEDESTRIAN, VOID = range(len(_NAMES))

_SPLITS = ("train", "val")
# To be raised when a scene changes: statistics are cached by it
_VERSION = 1
_MIN_SIZE = 32
_OVERSAMPLE = 2
_LATTICE = 32
_CELL = 0.5
_NUM_CELLS = 256
_LANE = 3.4


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
        if len(image_size) != 2 or min(image_size) < _MIN_SIZE:
            raise ArgumentError(
                f"{{}}: give (height, width), each at least {_MIN_SIZE} pixels; smaller scenes have no room for their objects.",
                {"image_size": tuple(image_size)},
            )
        self.num_scenes = int(num_scenes)
        self.split = split
        self.image_size = (int(image_size[0]), int(image_size[1]))
        self.seed = int(seed)
        self.label_space = LabelSpace(_NAMES, _PALETTE, ignore_class=VOID)

    def __len__(self):
        return self.num_scenes

    def name(self, index):
        return f"{self.split}-{self._checked(index):05d}"

    def load_image(self, index):
        return self.load(index)[0]

    def load_label_map(self, index):
        return self.load(index)[1]

    def fingerprint(self, index):
        height, width = self.image_size
        return f"synthetic {_VERSION}, seed {self.seed}, {height}x{width}, {self.name(index)}"

    image_fingerprint = fingerprint

    def load(self, index):
        key = (self.seed, _SPLITS.index(self.split), self._checked(index))
        return _render(_Draws(key), *self.image_size)

    def _checked(self, index):
        if not 0 <= index < self.num_scenes:
            raise IndexError(f"Scene {index} does not exist: this source has the scenes 0..{self.num_scenes - 1}.")
        return int(index)


def _rgb(red, green, blue):
    """A color, shaped to broadcast against the channels-first canvas."""
    return np.array([red, green, blue]).reshape(3, 1, 1)


class _Draws:
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
        return _rgb(*base) + spread * (2.0 * self.uniform(3, 1, 1) - 1.0)


def _mix(a, b, weight):
    mixed = (b - a) * weight
    mixed += a
    return mixed


def _clip01(x):
    return np.minimum(np.maximum(x, 0.0), 1.0)


def _cells(lattice, x, y):
    """The lattice's values at the integer parts of x and y, repeated periodically."""
    column = np.floor(x).astype(np.int64) & (_LATTICE - 1)
    row = np.floor(y).astype(np.int64) & (_LATTICE - 1)
    return lattice.take(row * _LATTICE + column)


def _value_noise(lattice, x, y):
    """Smooth noise in 0..1 with one independent value per unit square."""
    x0, y0 = np.floor(x), np.floor(y)
    fx, fy = x - x0, y - y0
    fx, fy = fx * fx * (3.0 - 2.0 * fx), fy * fy * (3.0 - 2.0 * fy)
    x0, y0 = x0.astype(np.int64), y0.astype(np.int64)
    left, right = x0 & (_LATTICE - 1), (x0 + 1) & (_LATTICE - 1)
    top, bottom = (y0 & (_LATTICE - 1)) * _LATTICE, ((y0 + 1) & (_LATTICE - 1)) * _LATTICE
    upper = _mix(lattice.take(top + left), lattice.take(top + right), fx)
    lower = _mix(lattice.take(bottom + left), lattice.take(bottom + right), fx)
    return _mix(upper, lower, fy)


class _Weather:
    """Sun, sky colors, haze and camera noise of one scene. Axes: x right, y up, z ahead."""

    def __init__(self, draws):
        sun = np.array([draws.between(-1.0, 1.0), draws.between(0.22, 1.1), draws.between(-1.0, 0.8)])
        self.sun = sun / np.sqrt(sun[0] * sun[0] + sun[1] * sun[1] + sun[2] * sun[2])
        self.cover = draws.uniform()
        overcast = _clip01((self.cover - 0.6) * 4.0)
        self.dusk = _clip01((0.55 - self.sun[1]) * 2.5) * draws.uniform()
        gain = draws.between(0.9, 1.12) * (1.0 - 0.3 * self.dusk)
        direct = _mix(_rgb(0.80, 0.76, 0.68), _rgb(0.95, 0.58, 0.30), self.dusk)
        ambient = _mix(_rgb(0.40, 0.44, 0.52), _rgb(0.38, 0.36, 0.46), self.dusk)
        self.direct = gain * direct * (1.0 - 0.88 * overcast)
        self.ambient = gain * _mix(ambient, _rgb(0.60, 0.62, 0.65), 0.8 * overcast)
        zenith = _mix(_rgb(0.22, 0.45, 0.82), _rgb(0.36, 0.37, 0.58), self.dusk)
        horizon = _mix(_rgb(0.76, 0.86, 0.95), _rgb(0.99, 0.74, 0.52), self.dusk)
        self.zenith = _mix(zenith, _rgb(0.68, 0.70, 0.74), overcast)
        self.horizon = _mix(horizon, _rgb(0.80, 0.81, 0.83), overcast)
        self.cloud = _mix(self.horizon, _rgb(1.0, 1.0, 1.0), 0.6) * (1.0 - 0.25 * overcast)
        self.haze_distance = 90.0 + 500.0 * draws.uniform()
        self.sensor_noise = draws.between(0.008, 0.028)

    def light(self, x, y, z):
        """Light on a surface with the unit normal (x, y, z)."""
        return self.ambient + self.direct * max(0.0, x * self.sun[0] + y * self.sun[1] + z * self.sun[2])


_PLASTER = (
    (0.86, 0.78, 0.62),
    (0.88, 0.85, 0.80),
    (0.80, 0.62, 0.48),
    (0.72, 0.44, 0.34),
    (0.60, 0.33, 0.26),
    (0.70, 0.71, 0.74),
    (0.84, 0.70, 0.68),
    (0.56, 0.60, 0.68),
    (0.90, 0.80, 0.50),
)
_AWNINGS = ((0.70, 0.15, 0.15), (0.15, 0.40, 0.25), (0.18, 0.25, 0.55), (0.85, 0.60, 0.15), (0.45, 0.30, 0.20))
_LEAVES = ((0.26, 0.42, 0.14), (0.33, 0.48, 0.16), (0.20, 0.36, 0.16), (0.40, 0.46, 0.15))
_GRASS = _rgb(0.38, 0.50, 0.20)


@dataclass(frozen=True)
class _Facades:
    """The surfaces that line the street: arrays indexed by facade, and per side which facade is where.

    The tables divide each side of the street along z into cells of `_CELL` metres. ``front`` is the depth of
    the front that one looks at through a gap between buildings, and 0 where there is a wall along the street.
    """

    color: np.ndarray
    awning: np.ndarray
    height: np.ndarray
    storey: np.ndarray
    period: np.ndarray
    window: np.ndarray
    hedge: np.ndarray
    facade: np.ndarray
    front: np.ndarray
    roof: np.ndarray


def _draw_facades(draws, end):
    """Facade 0 closes the street at its end; the others line its sides."""
    columns = {name: [] for name in ("color", "awning", "height", "storey", "period", "window", "hedge")}

    def add(hedge, low, high):
        height = draws.between(1.0, 4.0) if hedge else draws.between(low, high)
        color = draws.color(_LEAVES, 0.04) if hedge else draws.color(_PLASTER, 0.06)
        values = (
            color,
            draws.color(_AWNINGS, 0.05),
            height,
            draws.between(2.7, 3.4),
            draws.between(1.9, 3.4),
            draws.between(0.40, 0.62),
            hedge,
        )
        for name, value in zip(columns, values, strict=True):
            columns[name].append(value)
        return len(columns["height"]) - 1

    closing = add(draws.chance(0.5), 6.0, 14.0)
    facade = np.full((2, _NUM_CELLS), closing)
    front, roof = np.zeros((2, _NUM_CELLS)), np.zeros((2, _NUM_CELLS))
    low = draws.between(3.5, 6.5)
    for side in range(2):
        greenery = draws.between(0.0, 0.5)
        z = 0.0
        while z < end:
            gap = draws.between(2.0, 7.0) if draws.chance(0.35) else 0.0
            length = draws.between(7.0, 18.0)
            current = add(draws.chance(greenery), low, low + 8.5)
            start, stop = int((z + gap) / _CELL), int((z + gap + length) / _CELL)
            facade[side, int(z / _CELL) : stop] = current
            front[side, int(z / _CELL) : start] = z + gap
            roof[side, start:stop] = columns["height"][current]
            z += gap + length
    return _Facades(
        **{
            name: np.concatenate(values, -1) if name in ("color", "awning") else np.array(values)
            for name, values in columns.items()
        },
        facade=facade,
        front=front,
        roof=roof,
    )


class _Street:
    """Camera, cross-section and facades of the street, in metres from the camera; index 0 is the left side."""

    def __init__(self, draws):
        self.focal = draws.between(0.75, 0.95)
        self.camera = draws.between(1.35, 1.9)
        self.horizon = draws.between(0.42, 0.52)
        self.vanishing_point = draws.between(0.38, 0.62)
        self.end = draws.between(55.0, 100.0)
        self.parking = (draws.chance(0.6), draws.chance(0.6))
        self.lanes = draws.count(2)
        drift = draws.between(-0.3, 0.3)
        right = _LANE / 2 + drift + (2.2 if self.parking[1] else 0.4)
        left = _LANE * (self.lanes + 0.5) - drift + (2.2 if self.parking[0] else 0.4)
        self.center_line = drift - _LANE / 2
        self.kerb = (-left, right)
        self.pavement = (draws.between(2.5, 5.0), draws.between(2.5, 5.0))
        self.wall = (-left - self.pavement[0], right + self.pavement[1])
        self.verge = draws.chance(0.25)
        self.facades = _draw_facades(draws, self.end)


class _Canvas:
    """The oversampled image and label map, and the world coordinates of their pixels."""

    def __init__(self, street, weather, lattice, height, width):
        self.street, self.weather, self.lattice = street, weather, lattice
        self.scale = height * _OVERSAMPLE
        columns = width * _OVERSAMPLE
        self.rgb = np.zeros((3, self.scale, columns))
        self.label = np.full((self.scale, columns), SKY, np.uint8)
        self.v = ((np.arange(self.scale) + 0.5) / self.scale - street.horizon)[:, None]
        self.u = ((np.arange(columns) + 0.5 - columns * street.vanishing_point) / self.scale)[None, :]

    def along(self, low, high, coordinates):
        """The slice of ascending pixel coordinates that covers low..high."""
        first = (low - coordinates[0]) * self.scale
        last = (high - coordinates[0]) * self.scale
        size = len(coordinates)
        return slice(int(min(max(np.floor(first), 0), size)), int(min(max(np.floor(last) + 2, 0), size)))

    def window(self, x0, x1, y0, y1, z):
        """The part of the canvas that shows x0..x1, y0..y1 (above ground) at the depth z."""
        scale = self.street.focal / z
        rows = self.along((self.street.camera - y1) * scale, (self.street.camera - y0) * scale, self.v[:, 0])
        columns = self.along(x0 * scale, x1 * scale, self.u[0])
        return rows, columns

    def plane(self, window, z):
        """World x and height above ground of a window's pixels at the depth z (a number or a row)."""
        rows, columns = window
        scale = z / self.street.focal
        return self.u[:, columns] * scale, self.street.camera - self.v[rows] * scale

    def haze(self, z):
        return z / (z + self.weather.haze_distance)

    def fill(self, window, mask, color, z, label=None):
        """Paints the window's masked pixels in a color seen from the distance z."""
        rows, columns = window
        np.copyto(self.rgb[:, rows, columns], _mix(color, self.weather.horizon, self.haze(z)), where=mask)
        if label is not None:
            np.copyto(self.label[rows, columns], np.uint8(label), where=mask)

    def half_width(self, width, z):
        """Half of ``width``, or of one image pixel where that is more: thin things stay visible."""
        return max(0.5 * width, 0.5 * _OVERSAMPLE * z / (self.street.focal * self.scale))


def _paint_sky(canvas, draws):
    weather, street = canvas.weather, canvas.street
    scale, offset = draws.between(0.5, 1.1), 10.0 * draws.uniform(2)
    rows = slice(0, int(street.horizon * canvas.scale) + 1)
    elevation = _clip01(-canvas.v[rows] / street.horizon)
    base = _mix(weather.horizon, weather.zenith, elevation * (2.0 - elevation))
    distance = scale / (0.12 + 0.5 * elevation)
    x, y = canvas.u * (2.2 * distance) + offset[0], 2.0 * distance + offset[1]
    clouds = 0.65 * _value_noise(canvas.lattice, x, y) + 0.35 * _value_noise(canvas.lattice, 2.7 * x, 2.7 * y)
    cover = _clip01((clouds - 0.75 + 0.55 * weather.cover) * 4.0) * 0.85
    shade = 1.12 - 0.35 * clouds
    canvas.rgb[:, rows] = _mix(base, weather.cloud * shade, cover)


def _shadows(canvas, things, x, z):
    """How much of the sun and how much of the ambient light reaches the ground points (x, z): two in 0..1."""
    street, sun = canvas.street, canvas.weather.sun
    side = 0 if sun[0] < 0 else 1
    run = np.abs(x - street.wall[side])
    slope = max(abs(sun[0]), 0.05)
    cell = np.floor((z + run * (sun[2] / slope)) / _CELL).astype(np.int64)
    roof = street.facades.roof[side].take(np.minimum(np.maximum(cell, 0), _NUM_CELLS - 1))
    visible = _clip01((run * (sun[1] / slope) - roof) * 2.0 + 0.5)
    open_sky = np.ones(x.shape)
    depth = z[:, 0]
    for thing in things:
        for shadow in thing.shadows(sun):
            rows = np.flatnonzero(np.abs(depth - shadow.z) < shadow.reach_z)
            if rows.size == 0:
                continue
            rows = slice(rows[0], rows[-1] + 1)
            scale = street.focal / depth[rows]
            low, high = (shadow.x - shadow.reach_x) * scale, (shadow.x + shadow.reach_x) * scale
            columns = canvas.along(low.min(), high.max(), canvas.u[0])
            dx = (x[rows, columns] - shadow.x) / shadow.reach_x
            dz = (z[rows] - shadow.z) / shadow.reach_z
            dx, dz = dx * dx, dz * dz
            blob = 1.0 - shadow.strength * _clip01((1.0 - dx * dx - dz * dz) * 2.0)
            target = open_sky if shadow.contact else visible
            target[rows, columns] *= blob
    return visible, open_sky


def _paint_ground(canvas, draws, things):
    street, weather, lattice = canvas.street, canvas.weather, canvas.lattice
    asphalt = draws.between(0.30, 0.46)
    wet = draws.uniform() if draws.chance(0.25) else 0.0
    paving = draws.color(((0.66, 0.61, 0.55), (0.70, 0.66, 0.62), (0.72, 0.60, 0.52)), 0.04)
    solid, edges, phase = draws.chance(0.3), draws.chance(0.5), draws.between(0.0, 9.0)
    zebra = draws.between(6.0, 20.0) if draws.chance(0.22) else None
    paint = draws.between(0.80, 0.98)

    first = int(street.horizon * canvas.scale) + 1
    v = canvas.v[first:]
    v = np.maximum(v, street.focal * street.camera / 200.0)
    z = street.focal * street.camera / v
    x = canvas.u * (z / street.focal)
    near = 1.0 / (1.0 + z / 12.0)

    patches = _value_noise(lattice, 0.7 * x, 0.25 * z)
    grain = _cells(lattice, 9.0 * x, 5.0 * z)
    texture = 1.0 + 0.22 * (patches - 0.5) + near * 0.35 * (grain - 0.5)

    label = np.full(x.shape, ROAD, np.uint8)
    rgb = np.empty((3, *x.shape))
    rgb[:] = _mix(_rgb(1.0, 1.0, 1.03) * asphalt, weather.horizon, 0.2 * wet * (v / v[-1]))

    pavement = (x < street.kerb[0]) | (x > street.kerb[1])
    joints = ((x - np.floor(x / 1.2) * 1.2) < 0.14) | ((z - np.floor(z / 1.2) * 1.2) < 0.16)
    np.copyto(rgb, paving, where=pavement)
    texture = np.where(joints & pavement & (z < 14.0), texture * 0.8, texture)
    label[pavement] = SIDEWALK
    edge = np.minimum(np.abs(x - street.kerb[0]), np.abs(x - street.kerb[1]))
    np.copyto(rgb, paving * 1.15, where=pavement & (edge < 0.22))
    grass = (x < street.wall[0]) | (x > street.wall[1])
    if street.verge:
        grass |= pavement & (edge > 0.22) & (edge < 1.1)
    np.copyto(rgb, _GRASS, where=grass)
    label[grass] = VEGETATION
    texture = np.where(grass, texture + 0.5 * (grain - 0.5), texture)

    dash = (z + phase - np.floor((z + phase) / 9.0) * 9.0) < 4.5
    marking = (np.abs(x - street.center_line) < 0.13) & (dash | solid)
    if street.lanes == 2:
        marking |= (np.abs(x - street.center_line + _LANE) < 0.11) & dash
    if edges:
        for side, inward in ((0, 1.0), (1, -1.0)):
            border = street.kerb[side] + inward * (2.2 if street.parking[side] else 0.3)
            marking |= np.abs(x - border) < 0.10
    marking &= z < 28.0
    if zebra is not None:
        crossing = (z > zebra) & (z < zebra + 3.0)
        marking = np.where(crossing, (x - np.floor(x) < 0.5) & ~pavement & (edge > 0.3), marking)
    np.copyto(rgb, paint, where=marking)
    label[marking] = MARKING

    visible, open_sky = _shadows(canvas, things, x, z)
    light = weather.ambient + weather.direct * (weather.sun[1] * visible)
    rgb *= light * (texture * open_sky)
    canvas.rgb[:, first:] = _mix(rgb, weather.horizon, canvas.haze(z))
    canvas.label[first:] = label


def _paint_facades(canvas):
    street, weather, lattice, facades = canvas.street, canvas.weather, canvas.lattice, canvas.street.facades
    u = canvas.u[0]
    side = (u > 0).astype(np.int64)
    wall = np.abs(np.array(street.wall))[side]
    along = np.minimum(street.focal * wall / np.maximum(np.abs(u), 1e-9), street.end)
    cell = np.minimum((along / _CELL).astype(np.int64), _NUM_CELLS - 1)
    at_end = along >= street.end
    facade = np.where(at_end, 0, facades.facade[side, cell])
    front = np.where(at_end, street.end, facades.front[side, cell])
    facing = front > 0.0
    z = np.where(facing, np.minimum(front, street.end), along)
    position = np.where(facing, u * z / street.focal, z)
    light = np.where(
        facing, weather.light(0.0, 0.0, -1.0), np.where(side == 0, weather.light(1.0, 0.0, 0.0), weather.light(-1.0, 0.0, 0.0))
    )

    reach = street.focal * street.camera / z.min()
    rows = slice(0, canvas.along(0.0, reach, canvas.v[:, 0]).stop)
    y = street.camera - canvas.v[rows] * (z / street.focal)
    hedge = facades.hedge[facade]
    coarse = _value_noise(lattice, 0.9 * position, 0.9 * y)
    fine = _cells(lattice, 5.0 * position, 7.0 * y)
    height = facades.height[facade]
    ragged = 0.55 + 0.9 * _value_noise(lattice, 0.6 * position, np.full_like(position, 7.5))
    top = np.where(hedge, height * ragged, height)
    mask = (y > 0.0) & (y < top)

    # Detail finer than a pixel would alias: it fades with the metres that one pixel covers.
    metres = np.where(facing, z, z * z / wall) / (street.focal * canvas.scale / _OVERSAMPLE)
    sharp = _clip01(1.6 - metres / facades.period[facade])
    amplitude = np.where(hedge, 0.9, 0.28) * _clip01(1.3 - 0.8 * metres)
    texture = 1.0 + np.where(hedge, 0.5, 0.25) * (coarse - 0.5) + amplitude * (fine - 0.5)
    texture = texture * _clip01(0.72 + 0.12 * y)

    storey = y / facades.storey[facade]
    floor = np.floor(storey)
    column = position / facades.period[facade]
    bay = np.floor(column)
    margin = 0.5 - 0.5 * facades.window[facade]
    across = column - bay
    shop = floor < 1.0
    inside = storey - floor
    window = (across > margin) & (across < 1.0 - margin) & (inside > 0.24) & (inside < 0.78)
    window = np.where(shop, (across > 0.08) & (inside > 0.12) & (inside < 0.70), window)
    window &= y < height - 0.7
    awning = shop & (inside > 0.74) & (inside < 0.95)
    pane = _cells(lattice, bay + 3.0 * facade, floor + 5.0 * facade)
    reflection = 0.08 + 0.30 * pane + 0.16 * inside
    glass = reflection * _mix(weather.zenith, _rgb(0.7, 0.8, 0.9), 0.5)
    lit = pane > 1.05 - 0.5 * weather.dusk

    solid = ~hedge
    texture = np.where((y > height - 0.45) & solid, 0.68 * texture, texture)
    rgb = facades.color[:, :, facade] * texture
    np.copyto(rgb, facades.awning[:, :, facade], where=awning & solid)
    rgb *= light
    np.copyto(glass, _rgb(0.98, 0.83, 0.48), where=lit)
    rgb = _mix(rgb, glass, np.where(window & solid, 0.25 + 0.75 * sharp, 0.0))
    rgb = _mix(rgb, weather.horizon, canvas.haze(z))
    np.copyto(canvas.rgb[:, rows], rgb, where=mask)
    np.copyto(canvas.label[rows], np.where(hedge, VEGETATION, BUILDING).astype(np.uint8), where=mask)


_CAR_COLORS = (
    (0.88, 0.88, 0.90),
    (0.12, 0.12, 0.14),
    (0.55, 0.57, 0.60),
    (0.75, 0.10, 0.10),
    (0.12, 0.22, 0.60),
    (0.85, 0.65, 0.10),
    (0.15, 0.42, 0.48),
    (0.60, 0.62, 0.66),
)


class _Shadow(NamedTuple):
    """A soft dark patch of the ground; a contact shadow, under its thing, also keeps ambient light out."""

    x: float
    z: float
    reach_x: float
    reach_z: float
    strength: float
    contact: bool


@dataclass(frozen=True)
class _Car:
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
            draws.color(_CAR_COLORS, 0.05),
        )

    def shadows(self, sun):
        center = self.z + 0.5 * self.length
        yield _Shadow(self.x, center, 0.6 * self.width, 0.5 * self.length + 0.5, 0.72, contact=True)
        lean = 0.5 * self.height / max(sun[1], 0.3)
        yield _Shadow(
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
        roof = _clip01(np.minimum((t + 0.02) / 0.14, (1.02 - self.bonnet / self.length - t) / 0.22 + 0.4))
        top = body * _clip01(1.25 - 0.3 * t) + (self.height - body) * roof
        mask = (t > 0.0) & (t < 1.0) & (y < top) & (y > 0.22)
        shine = 0.72 + 0.40 * _clip01(y / self.height)
        light = canvas.weather.light(inward, 0.0, 0.0)
        rgb = (self.color * light) * shine
        pillar = np.abs(t - 0.36) > 0.02
        glass = (y > body + 0.06) & (y < top - 0.12) & pillar & (roof > 0.3)
        np.copyto(rgb, _GLASS * canvas.weather.light(0.0, 0.7, 0.0), where=glass)
        canvas.fill((rows, columns), mask, rgb, self.z, CAR)
        for axle in (0.18, 0.82):
            along = (t - axle) * self.length
            wheel = along * along + (y - 0.32) * (y - 0.32)
            canvas.fill((rows, columns), wheel < 0.33 * 0.33, _rgb(0.07, 0.07, 0.08), self.z, CAR)
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
        rgb = (self.color * light) * (0.62 + 0.45 * _clip01(y / self.height))
        if cabin:
            glass = (across < taper - 0.13) & (y > body + 0.02) & (y < top - 0.13)
            sheen = 0.8 + 0.9 * (y - body) / self.height
            rgb = np.where(glass, _GLASS * canvas.weather.light(0.0, 0.7, 0.0) * sheen, rgb)
        canvas.fill(window, mask, rgb, z, CAR)
        if cabin:
            return
        lamp = _rgb(1.0, 0.96, 0.82) if self.oncoming else _rgb(0.85, 0.08, 0.06)
        lights = (across > half - 0.42) & (across < half - 0.06) & (y > 0.66 * body) & (y < 0.9 * body)
        canvas.fill(window, lights, lamp, z)
        plate = (across < 0.30) & (y > 0.42 * body) & (y < 0.60 * body)
        plate_color = self.color * 0.3 if self.oncoming else _rgb(0.9, 0.9, 0.85)
        canvas.fill(window, plate, plate_color * light, z)
        dark = _rgb(0.06, 0.06, 0.07)
        canvas.fill(window, (across < half) & (y > 0.18) & (y < 0.34), dark * 2.0, z, CAR)
        canvas.fill(window, (across < half - 0.05) & (across > half - 0.32) & (y < 0.30), dark, z, CAR)


_GLASS = _rgb(0.16, 0.20, 0.26)


@dataclass(frozen=True)
class _Tree:
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
        leaves = ((0.58, 0.42, 0.12), (0.55, 0.28, 0.10)) if draws.chance(0.12) else _LEAVES
        return cls(
            x, z, draws.between(2.0, 3.2), radius, draws.color(leaves, 0.04), draws.uniform(4, 3), 32.0 * draws.uniform(2)
        )

    def shadows(self, sun):
        height = (self.trunk + self.radius) / max(sun[1], 0.3)
        yield _Shadow(
            self.x - sun[0] * height, self.z - sun[2] * height, 1.15 * self.radius, 1.3 * self.radius, 0.8, contact=False
        )

    def paint(self, canvas):
        weather, radius, crown = canvas.weather, self.radius, self.trunk + self.radius
        half = canvas.half_width(0.3, self.z)
        window = canvas.window(self.x - half, self.x + half, 0.0, crown, self.z)
        x, y = canvas.plane(window, self.z)
        mask = (np.abs(x - self.x) < half) & (y > 0.0) & (y < crown)
        canvas.fill(window, mask, _rgb(0.34, 0.25, 0.17) * weather.light(0.0, 0.5, -0.5), self.z, VEGETATION)

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
        clumps = _value_noise(canvas.lattice, coarse * x + first, coarse * y + second)
        leaves = _cells(canvas.lattice, fine * x + second, fine * y + first)
        mask = distance + 0.7 * (clumps - 0.5) + 0.5 * (leaves - 0.5) < 1.0
        sunny = _clip01(0.55 + 0.45 * (x * weather.sun[0] + y * weather.sun[1]) - 0.25 * weather.sun[2])
        texture = 0.35 + 0.65 * clumps + 0.55 * leaves
        rgb = (weather.ambient + weather.direct * sunny) * (self.color * texture)
        canvas.fill(window, mask, rgb, self.z, VEGETATION)


def _paint_post(canvas, x, z, height, width, color, label=POLE):
    half = canvas.half_width(width, z)
    window = canvas.window(x - half, x + half, 0.0, height, z)
    px, py = canvas.plane(window, z)
    mask = (np.abs(px - x) <= half) & (py >= 0.0) & (py <= height)
    rounded = 1.0 + 0.35 * ((px - x) / half) * np.sign(canvas.weather.sun[0])
    rgb = (color * canvas.weather.light(0.0, 0.2, -0.6)) * rounded
    canvas.fill(window, mask, rgb, z, label)


@dataclass(frozen=True)
class _Lamp:
    x: float
    z: float
    height: float
    arm: float
    color: np.ndarray

    @classmethod
    def draw(cls, draws, x, z, height, color):
        return cls(x, z, height, draws.between(1.0, 1.8), color)

    def shadows(self, sun):
        yield _Shadow(self.x, self.z, 0.3, 0.3, 0.4, contact=True)

    def paint(self, canvas):
        _paint_post(canvas, self.x, self.z, self.height, 0.17, self.color)
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
        glow = _mix(_rgb(0.75, 0.75, 0.72), _rgb(1.0, 0.9, 0.6), canvas.weather.dusk)
        canvas.fill(window, head, glow, self.z, POLE)


@dataclass(frozen=True)
class _Sign:
    x: float
    z: float
    height: float
    radius: float
    kind: int

    @classmethod
    def draw(cls, draws, x, z):
        return cls(x, z, draws.between(2.0, 2.6), draws.between(0.42, 0.60), draws.count(5))

    def shadows(self, sun):
        yield _Shadow(self.x, self.z, 0.25, 0.25, 0.4, contact=True)

    def paint(self, canvas):
        _paint_post(canvas, self.x, self.z, self.height, 0.1, _rgb(0.55, 0.56, 0.58))
        radius, height = self.radius, self.height
        window = canvas.window(self.x - radius, self.x + radius, height - radius, height + radius, self.z)
        x, y = canvas.plane(window, self.z)
        x, y = (x - self.x) / radius, (y - height) / radius
        light = 0.35 + 0.75 * canvas.weather.light(0.0, 0.3, -0.7)
        outline, inner, rim, face = self._shape(x, y)
        canvas.fill(window, outline, _rgb(*rim) * light, self.z, SIGN)
        canvas.fill(window, outline & inner, _rgb(*face) * light, self.z)

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
class _Pedestrian:
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
        yield _Shadow(self.x, self.z, 0.4, 0.35, 0.6, contact=True)
        lean = 0.5 * self.height / max(sun[1], 0.3)
        yield _Shadow(
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
        torso = (across < 0.15 - 0.05 * _clip01((y - 0.72) * 8.0)) & (y > 0.45) & (y < 0.84)
        head = x * x + (y - 0.92) * (y - 0.92) < 0.078 * 0.078
        canvas.fill(window, legs, self.trousers * light, self.z, PEDESTRIAN)
        canvas.fill(window, torso, self.coat * light, self.z, PEDESTRIAN)
        canvas.fill(window, torso & (across > 0.105), 0.75 * self.coat * light, self.z)
        canvas.fill(window, head, self.skin * light, self.z, PEDESTRIAN)
        canvas.fill(window, head & (y > 0.945), 0.25 * self.skin * light, self.z)


@dataclass(frozen=True)
class _Box:
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
        yield _Shadow(self.x, self.z + 0.3, 0.6 * self.width, 0.6, 0.6, contact=True)

    def paint(self, canvas):
        _paint_post(canvas, self.x, self.z, self.height, self.width, self.color, VOID)


def _draw_things(draws, street):
    """Everything that stands on the street, the nearest last."""
    things = []
    for side, outward in ((0, -1.0), (1, 1.0)):
        kerb, pavement = street.kerb[side], street.pavement[side]
        if draws.chance(0.55):
            spacing, z = draws.between(7.0, 14.0), draws.between(6.0, 14.0)
            while z < 45.0:
                things.append(_Tree.draw(draws, kerb + outward * draws.between(0.9, 1.4), z))
                z += spacing * draws.between(0.8, 1.3)
        if draws.chance(0.6):
            spacing, z = draws.between(12.0, 22.0), draws.between(5.0, 16.0)
            height = draws.between(4.5, 7.5)
            color = draws.color(((0.30, 0.32, 0.33), (0.50, 0.52, 0.54), (0.22, 0.28, 0.25)), 0.03)
            while z < 50.0:
                things.append(_Lamp.draw(draws, kerb + outward * 0.5, z, height, color))
                z += spacing
        if street.parking[side]:
            z = draws.between(3.5, 9.0)
            while z < 45.0:
                if draws.chance(0.62):
                    things.append(_Car.draw(draws, kerb - outward * 1.1, z, oncoming=side == 0))
                z += draws.between(5.6, 7.5)
        if draws.chance(0.35):
            z = draws.between(5.0, 14.0)
            things.append(_Box.draw(draws, kerb + outward * draws.between(0.6, 0.9) * pavement, z))
    if draws.chance(0.6):
        x = street.center_line + _LANE / 2
        things.append(_Car.draw(draws, x, draws.between(6.5, 30.0), oncoming=False))
    for lane in range(street.lanes):
        if draws.chance(0.45):
            x = street.center_line - _LANE * (lane + 0.5)
            things.append(_Car.draw(draws, x, draws.between(6.0, 35.0), oncoming=True))
    if draws.chance(0.42):
        for _ in range(draws.count(3)):
            side, outward = (0, -1.0) if draws.chance(0.4) else (1, 1.0)
            x = street.kerb[side] + outward * draws.between(0.3, 0.9) * street.pavement[side]
            if draws.chance(0.3):
                x = draws.between(street.kerb[0], street.kerb[1])
            things.append(_Pedestrian.draw(draws, x, draws.between(4.5, 12.0)))
    if draws.chance(0.42):
        for _ in range(draws.count(2)):
            side, outward = (0, -1.0) if draws.chance(0.35) else (1, 1.0)
            x = street.kerb[side] + 0.45 * outward
            things.append(_Sign.draw(draws, x, draws.between(5.5, 15.0)))
    return sorted(things, key=lambda thing: -thing.z)


def _paint_bonnet(canvas, draws):
    present, height, color = draws.chance(0.6), draws.between(0.03, 0.08), draws.color(_CAR_COLORS, 0.05)
    if not present:
        return
    rows = slice(int(0.9 * canvas.scale), canvas.scale)
    bottom = canvas.v[-1, 0] - canvas.v[rows]
    center = canvas.u - 0.5 * (canvas.u[0, 0] + canvas.u[0, -1])
    across = center / (0.5 * (canvas.u[0, -1] - canvas.u[0, 0]))
    edge = height * (1.0 - 0.6 * across * across)
    mask = bottom < edge
    reflected = _clip01(bottom / np.maximum(edge, 1e-9))
    rgb = _mix(0.6 * color, 0.55 * color + 0.4 * canvas.weather.zenith, reflected)
    np.copyto(canvas.rgb[:, rows], rgb * canvas.weather.light(0.0, 1.0, 0.0), where=mask)
    canvas.label[rows][mask] = VOID


def _render(draws, height, width):
    """``(image, label_map)``. No draw before the sensor noise depends on the size: one scene at any size."""
    weather, street = _Weather(draws), _Street(draws)
    things = _draw_things(draws, street)
    canvas = _Canvas(street, weather, draws.uniform(_LATTICE * _LATTICE), height, width)
    _paint_sky(canvas, draws)
    _paint_ground(canvas, draws, things)
    _paint_facades(canvas)
    for thing in things:
        thing.paint(canvas)
    _paint_bonnet(canvas, draws)

    rgb = canvas.rgb
    rgb = (rgb[:, 0::2, 0::2] + rgb[:, 0::2, 1::2]) + (rgb[:, 1::2, 0::2] + rgb[:, 1::2, 1::2])
    noise = draws.uniform(3, height, width) + draws.uniform(3, height, width) - 1.0
    image = _clip01(0.25 * rgb + 2.4 * weather.sensor_noise * noise)
    image = np.floor(255.0 * image + 0.5).astype(np.uint8).transpose(1, 2, 0)
    return np.ascontiguousarray(image), np.ascontiguousarray(canvas.label[1::2, 1::2])
