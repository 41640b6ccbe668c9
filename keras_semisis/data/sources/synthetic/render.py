"""A scene in pixels."""

import numpy as np

from keras_semisis.data.sources.synthetic.bonnet import paint_bonnet
from keras_semisis.data.sources.synthetic.canvas import Canvas
from keras_semisis.data.sources.synthetic.colors import LATTICE, clip01
from keras_semisis.data.sources.synthetic.facades import paint_facades
from keras_semisis.data.sources.synthetic.ground import paint_ground
from keras_semisis.data.sources.synthetic.sky import paint_sky
from keras_semisis.data.sources.synthetic.street import Street
from keras_semisis.data.sources.synthetic.things import draw_things
from keras_semisis.data.sources.synthetic.weather import Weather


def render(draws, height, width):
    """``(image, label_map)``. No draw before the sensor noise depends on the size: one scene at any size."""
    weather, street = Weather(draws), Street(draws)
    things = draw_things(draws, street)
    canvas = Canvas(street, weather, draws.uniform(LATTICE * LATTICE), height, width)
    paint_sky(canvas, draws)
    paint_ground(canvas, draws, things)
    paint_facades(canvas)
    for thing in things:
        thing.paint(canvas)
    paint_bonnet(canvas, draws)

    rgb = canvas.rgb
    rgb = (rgb[:, 0::2, 0::2] + rgb[:, 0::2, 1::2]) + (rgb[:, 1::2, 0::2] + rgb[:, 1::2, 1::2])
    noise = draws.uniform(3, height, width) + draws.uniform(3, height, width) - 1.0
    image = clip01(0.25 * rgb + 2.4 * weather.sensor_noise * noise)
    image = np.floor(255.0 * image + 0.5).astype(np.uint8).transpose(1, 2, 0)
    return np.ascontiguousarray(image), np.ascontiguousarray(canvas.label[1::2, 1::2])
