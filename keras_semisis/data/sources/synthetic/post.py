"""Posts, of lamps and signs and others."""

import numpy as np

from keras_semisis.data.sources.synthetic.classes import POLE


def paint_post(canvas, x, z, height, width, color, label=POLE):
    """Paints an upright post that stands at (x, z)."""
    half = canvas.half_width(width, z)
    window = canvas.window(x - half, x + half, 0.0, height, z)
    px, py = canvas.plane(window, z)
    mask = (np.abs(px - x) <= half) & (py >= 0.0) & (py <= height)
    rounded = 1.0 + 0.35 * ((px - x) / half) * np.sign(canvas.weather.sun[0])
    rgb = (color * canvas.weather.light(0.0, 0.2, -0.6)) * rounded
    canvas.fill(window, mask, rgb, z, label)
