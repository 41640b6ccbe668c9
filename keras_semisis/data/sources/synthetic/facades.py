"""Buildings and hedges along the street."""

from dataclasses import dataclass

import numpy as np

from keras_semisis.data.sources.synthetic.canvas import OVERSAMPLE
from keras_semisis.data.sources.synthetic.classes import BUILDING, VEGETATION
from keras_semisis.data.sources.synthetic.colors import cells, clip01, color_of, mix, value_noise

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
LEAVES = ((0.26, 0.42, 0.14), (0.33, 0.48, 0.16), (0.20, 0.36, 0.16), (0.40, 0.46, 0.15))
CELL = 0.5
NUM_CELLS = 256


@dataclass(frozen=True)
class _Facades:
    """The surfaces that line the street: arrays indexed by facade, and per side which facade is where.

    The tables divide each side of the street along z into cells of `CELL` meters. ``front`` is the depth of
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


def draw_facades(draws, end):
    """Facade 0 closes the street at its end; the others line its sides."""
    columns: dict[str, list] = {name: [] for name in ("color", "awning", "height", "storey", "period", "window", "hedge")}

    def add(hedge, low, high):
        height = draws.between(1.0, 4.0) if hedge else draws.between(low, high)
        color = draws.color(LEAVES, 0.04) if hedge else draws.color(_PLASTER, 0.06)
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
    facade = np.full((2, NUM_CELLS), closing)
    front, roof = np.zeros((2, NUM_CELLS)), np.zeros((2, NUM_CELLS))
    low = draws.between(3.5, 6.5)
    for side in range(2):
        greenery = draws.between(0.0, 0.5)
        z = 0.0
        while z < end:
            gap = draws.between(2.0, 7.0) if draws.chance(0.35) else 0.0
            length = draws.between(7.0, 18.0)
            current = add(draws.chance(greenery), low, low + 8.5)
            start, stop = int((z + gap) / CELL), int((z + gap + length) / CELL)
            facade[side, int(z / CELL) : stop] = current
            front[side, int(z / CELL) : start] = z + gap
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


def paint_facades(canvas):
    """Paints what lines the street and closes it."""
    street, weather, lattice, facades = canvas.street, canvas.weather, canvas.lattice, canvas.street.facades
    u = canvas.u[0]
    side = (u > 0).astype(np.int64)
    wall = np.abs(np.array(street.wall))[side]
    along = np.minimum(street.focal * wall / np.maximum(np.abs(u), 1e-9), street.end)
    cell = np.minimum((along / CELL).astype(np.int64), NUM_CELLS - 1)
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
    coarse = value_noise(lattice, 0.9 * position, 0.9 * y)
    fine = cells(lattice, 5.0 * position, 7.0 * y)
    height = facades.height[facade]
    ragged = 0.55 + 0.9 * value_noise(lattice, 0.6 * position, np.full_like(position, 7.5))
    top = np.where(hedge, height * ragged, height)
    mask = (y > 0.0) & (y < top)

    # Detail finer than a pixel would alias: it fades with the meters that one pixel covers.
    meters = np.where(facing, z, z * z / wall) / (street.focal * canvas.scale / OVERSAMPLE)
    sharp = clip01(1.6 - meters / facades.period[facade])
    amplitude = np.where(hedge, 0.9, 0.28) * clip01(1.3 - 0.8 * meters)
    texture = 1.0 + np.where(hedge, 0.5, 0.25) * (coarse - 0.5) + amplitude * (fine - 0.5)
    texture = texture * clip01(0.72 + 0.12 * y)

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
    pane = cells(lattice, bay + 3.0 * facade, floor + 5.0 * facade)
    reflection = 0.08 + 0.30 * pane + 0.16 * inside
    glass = reflection * mix(weather.zenith, color_of(0.7, 0.8, 0.9), 0.5)
    lit = pane > 1.05 - 0.5 * weather.dusk

    solid = ~hedge
    texture = np.where((y > height - 0.45) & solid, 0.68 * texture, texture)
    rgb = facades.color[:, :, facade] * texture
    np.copyto(rgb, facades.awning[:, :, facade], where=awning & solid)
    rgb *= light
    np.copyto(glass, color_of(0.98, 0.83, 0.48), where=lit)
    rgb = mix(rgb, glass, np.where(window & solid, 0.25 + 0.75 * sharp, 0.0))
    rgb = mix(rgb, weather.horizon, canvas.haze(z))
    np.copyto(canvas.rgb[:, rows], rgb, where=mask)
    np.copyto(canvas.label[rows], np.where(hedge, VEGETATION, BUILDING).astype(np.uint8), where=mask)
