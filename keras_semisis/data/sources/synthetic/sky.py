"""Sky and clouds."""

from keras_semisis.data.sources.synthetic.colors import clip01, mix, value_noise


def paint_sky(canvas, draws):
    """Paints what is above the horizon."""
    weather, street = canvas.weather, canvas.street
    scale, offset = draws.between(0.5, 1.1), 10.0 * draws.uniform(2)
    rows = slice(0, int(street.horizon * canvas.scale) + 1)
    elevation = clip01(-canvas.v[rows] / street.horizon)
    base = mix(weather.horizon, weather.zenith, elevation * (2.0 - elevation))
    distance = scale / (0.12 + 0.5 * elevation)
    x, y = canvas.u * (2.2 * distance) + offset[0], 2.0 * distance + offset[1]
    clouds = 0.65 * value_noise(canvas.lattice, x, y) + 0.35 * value_noise(canvas.lattice, 2.7 * x, 2.7 * y)
    cover = clip01((clouds - 0.75 + 0.55 * weather.cover) * 4.0) * 0.85
    shade = 1.12 - 0.35 * clouds
    canvas.rgb[:, rows] = mix(base, weather.cloud * shade, cover)
