"""Light of one scene."""

import numpy as np

from keras_semisis.data.sources.synthetic.colors import clip01, color_of, mix


class Weather:
    """Sun, sky colors, haze and camera noise of one scene. Axes: x right, y up, z ahead."""

    def __init__(self, draws):
        sun = np.array([draws.between(-1.0, 1.0), draws.between(0.22, 1.1), draws.between(-1.0, 0.8)])
        self.sun = sun / np.sqrt(sun[0] * sun[0] + sun[1] * sun[1] + sun[2] * sun[2])
        self.cover = draws.uniform()
        overcast = clip01((self.cover - 0.6) * 4.0)
        self.dusk = clip01((0.55 - self.sun[1]) * 2.5) * draws.uniform()
        gain = draws.between(0.9, 1.12) * (1.0 - 0.3 * self.dusk)
        direct = mix(color_of(0.80, 0.76, 0.68), color_of(0.95, 0.58, 0.30), self.dusk)
        ambient = mix(color_of(0.40, 0.44, 0.52), color_of(0.38, 0.36, 0.46), self.dusk)
        self.direct = gain * direct * (1.0 - 0.88 * overcast)
        self.ambient = gain * mix(ambient, color_of(0.60, 0.62, 0.65), 0.8 * overcast)
        zenith = mix(color_of(0.22, 0.45, 0.82), color_of(0.36, 0.37, 0.58), self.dusk)
        horizon = mix(color_of(0.76, 0.86, 0.95), color_of(0.99, 0.74, 0.52), self.dusk)
        self.zenith = mix(zenith, color_of(0.68, 0.70, 0.74), overcast)
        self.horizon = mix(horizon, color_of(0.80, 0.81, 0.83), overcast)
        self.cloud = mix(self.horizon, color_of(1.0, 1.0, 1.0), 0.6) * (1.0 - 0.25 * overcast)
        self.haze_distance = 90.0 + 500.0 * draws.uniform()
        self.sensor_noise = draws.between(0.008, 0.028)

    def light(self, x, y, z):
        """Light on a surface with the unit normal (x, y, z)."""
        return self.ambient + self.direct * max(0.0, x * self.sun[0] + y * self.sun[1] + z * self.sun[2])
