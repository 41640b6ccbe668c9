"""The bonnet of the car that the camera is in."""

import numpy as np

from keras_semisis.data.sources.synthetic.car import CAR_COLORS
from keras_semisis.data.sources.synthetic.classes import VOID
from keras_semisis.data.sources.synthetic.colors import clip01, mix


def paint_bonnet(canvas, draws):
    """Paints it over the lowest rows, in most scenes."""
    present, height, color = draws.chance(0.6), draws.between(0.03, 0.08), draws.color(CAR_COLORS, 0.05)
    if not present:
        return
    rows = slice(int(0.9 * canvas.scale), canvas.scale)
    bottom = canvas.v[-1, 0] - canvas.v[rows]
    center = canvas.u - 0.5 * (canvas.u[0, 0] + canvas.u[0, -1])
    across = center / (0.5 * (canvas.u[0, -1] - canvas.u[0, 0]))
    edge = height * (1.0 - 0.6 * across * across)
    mask = bottom < edge
    reflected = clip01(bottom / np.maximum(edge, 1e-9))
    rgb = mix(0.6 * color, 0.55 * color + 0.4 * canvas.weather.zenith, reflected)
    np.copyto(canvas.rgb[:, rows], rgb * canvas.weather.light(0.0, 1.0, 0.0), where=mask)
    canvas.label[rows][mask] = VOID
