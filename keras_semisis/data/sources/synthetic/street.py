"""Camera and street of one scene."""

from keras_semisis.data.sources.synthetic.facades import draw_facades

LANE = 3.4


class Street:
    """Camera, cross-section and facades of the street, in meters from the camera; index 0 is the left side."""

    def __init__(self, draws):
        self.focal = draws.between(0.75, 0.95)
        self.camera = draws.between(1.35, 1.9)
        self.horizon = draws.between(0.42, 0.52)
        self.vanishing_point = draws.between(0.38, 0.62)
        self.end = draws.between(55.0, 100.0)
        self.parking = (draws.chance(0.6), draws.chance(0.6))
        self.lanes = draws.count(2)
        drift = draws.between(-0.3, 0.3)
        right = LANE / 2 + drift + (2.2 if self.parking[1] else 0.4)
        left = LANE * (self.lanes + 0.5) - drift + (2.2 if self.parking[0] else 0.4)
        self.center_line = drift - LANE / 2
        self.kerb = (-left, right)
        self.pavement = (draws.between(2.5, 5.0), draws.between(2.5, 5.0))
        self.wall = (-left - self.pavement[0], right + self.pavement[1])
        self.verge = draws.chance(0.25)
        self.facades = draw_facades(draws, self.end)
