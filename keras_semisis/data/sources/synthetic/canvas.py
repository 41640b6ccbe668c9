"""What scenes are painted on."""

import numpy as np

from keras_semisis.data.sources.synthetic.classes import SKY
from keras_semisis.data.sources.synthetic.colors import mix

OVERSAMPLE = 2


class Canvas:
    """The oversampled image and label map, and the world coordinates of their pixels."""

    def __init__(self, street, weather, lattice, height, width):
        self.street, self.weather, self.lattice = street, weather, lattice
        self.scale = height * OVERSAMPLE
        columns = width * OVERSAMPLE
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
        np.copyto(self.rgb[:, rows, columns], mix(color, self.weather.horizon, self.haze(z)), where=mask)
        if label is not None:
            np.copyto(self.label[rows, columns], np.uint8(label), where=mask)

    def half_width(self, width, z):
        """Half of ``width``, or of one image pixel where that is more: thin things stay visible."""
        return max(0.5 * width, 0.5 * OVERSAMPLE * z / (self.street.focal * self.scale))
