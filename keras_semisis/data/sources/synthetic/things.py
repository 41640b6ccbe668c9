"""What stands on the street."""

from keras_semisis.data.sources.synthetic.box import Box
from keras_semisis.data.sources.synthetic.car import Car
from keras_semisis.data.sources.synthetic.lamp import Lamp
from keras_semisis.data.sources.synthetic.pedestrian import Pedestrian
from keras_semisis.data.sources.synthetic.sign import Sign
from keras_semisis.data.sources.synthetic.street import LANE
from keras_semisis.data.sources.synthetic.tree import Tree


def draw_things(draws, street):
    """Everything that stands on the street, the nearest last."""
    things = []
    for side, outward in ((0, -1.0), (1, 1.0)):
        kerb, pavement = street.kerb[side], street.pavement[side]
        if draws.chance(0.55):
            spacing, z = draws.between(7.0, 14.0), draws.between(6.0, 14.0)
            while z < 45.0:
                things.append(Tree.draw(draws, kerb + outward * draws.between(0.9, 1.4), z))
                z += spacing * draws.between(0.8, 1.3)
        if draws.chance(0.6):
            spacing, z = draws.between(12.0, 22.0), draws.between(5.0, 16.0)
            height = draws.between(4.5, 7.5)
            color = draws.color(((0.30, 0.32, 0.33), (0.50, 0.52, 0.54), (0.22, 0.28, 0.25)), 0.03)
            while z < 50.0:
                things.append(Lamp.draw(draws, kerb + outward * 0.5, z, height, color))
                z += spacing
        if street.parking[side]:
            z = draws.between(3.5, 9.0)
            while z < 45.0:
                if draws.chance(0.62):
                    things.append(Car.draw(draws, kerb - outward * 1.1, z, oncoming=side == 0))
                z += draws.between(5.6, 7.5)
        if draws.chance(0.35):
            z = draws.between(5.0, 14.0)
            things.append(Box.draw(draws, kerb + outward * draws.between(0.6, 0.9) * pavement, z))
    if draws.chance(0.6):
        x = street.center_line + LANE / 2
        things.append(Car.draw(draws, x, draws.between(6.5, 30.0), oncoming=False))
    for lane in range(street.lanes):
        if draws.chance(0.45):
            x = street.center_line - LANE * (lane + 0.5)
            things.append(Car.draw(draws, x, draws.between(6.0, 35.0), oncoming=True))
    if draws.chance(0.42):
        for _ in range(draws.count(3)):
            side, outward = (0, -1.0) if draws.chance(0.4) else (1, 1.0)
            x = street.kerb[side] + outward * draws.between(0.3, 0.9) * street.pavement[side]
            if draws.chance(0.3):
                x = draws.between(street.kerb[0], street.kerb[1])
            things.append(Pedestrian.draw(draws, x, draws.between(4.5, 12.0)))
    if draws.chance(0.42):
        for _ in range(draws.count(2)):
            side, outward = (0, -1.0) if draws.chance(0.35) else (1, 1.0)
            x = street.kerb[side] + 0.45 * outward
            things.append(Sign.draw(draws, x, draws.between(5.5, 15.0)))
    return sorted(things, key=lambda thing: -thing.z)
