"""The ground, and the shadows on it."""

import numpy as np

from keras_semisis.data.sources.synthetic.classes import MARKING, ROAD, SIDEWALK, VEGETATION
from keras_semisis.data.sources.synthetic.colors import cells, clip01, color_of, mix, value_noise
from keras_semisis.data.sources.synthetic.facades import CELL, NUM_CELLS
from keras_semisis.data.sources.synthetic.street import LANE

_GRASS = color_of(0.38, 0.50, 0.20)


def _shadows(canvas, things, x, z):
    """How much of the sun and how much of the ambient light reaches the ground points (x, z): two in 0..1."""
    street, sun = canvas.street, canvas.weather.sun
    side = 0 if sun[0] < 0 else 1
    run = np.abs(x - street.wall[side])
    slope = max(abs(sun[0]), 0.05)
    cell = np.floor((z + run * (sun[2] / slope)) / CELL).astype(np.int64)
    roof = street.facades.roof[side].take(np.minimum(np.maximum(cell, 0), NUM_CELLS - 1))
    visible = clip01((run * (sun[1] / slope) - roof) * 2.0 + 0.5)
    open_sky = np.ones(x.shape)
    depth = z[:, 0]
    for thing in things:
        for shadow in thing.shadows(sun):
            reached = np.flatnonzero(np.abs(depth - shadow.z) < shadow.reach_z)
            if reached.size == 0:
                continue
            rows = slice(reached[0], reached[-1] + 1)
            scale = street.focal / depth[rows]
            low, high = (shadow.x - shadow.reach_x) * scale, (shadow.x + shadow.reach_x) * scale
            columns = canvas.along(low.min(), high.max(), canvas.u[0])
            dx = (x[rows, columns] - shadow.x) / shadow.reach_x
            dz = (z[rows] - shadow.z) / shadow.reach_z
            dx, dz = dx * dx, dz * dz
            blob = 1.0 - shadow.strength * clip01((1.0 - dx * dx - dz * dz) * 2.0)
            target = open_sky if shadow.contact else visible
            target[rows, columns] *= blob
    return visible, open_sky


def paint_ground(canvas, draws, things):
    """Paints what is below the horizon: road, markings, pavement and grass, in sun and shadow."""
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

    patches = value_noise(lattice, 0.7 * x, 0.25 * z)
    grain = cells(lattice, 9.0 * x, 5.0 * z)
    texture = 1.0 + 0.22 * (patches - 0.5) + near * 0.35 * (grain - 0.5)

    label = np.full(x.shape, ROAD, np.uint8)
    rgb = np.empty((3, *x.shape))
    rgb[:] = mix(color_of(1.0, 1.0, 1.03) * asphalt, weather.horizon, 0.2 * wet * (v / v[-1]))

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
        marking |= (np.abs(x - street.center_line + LANE) < 0.11) & dash
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
    canvas.rgb[:, first:] = mix(rgb, weather.horizon, canvas.haze(z))
    canvas.label[first:] = label
