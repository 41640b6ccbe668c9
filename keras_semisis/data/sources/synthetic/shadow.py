"""What a thing keeps of the light from the ground."""

from typing import NamedTuple


class Shadow(NamedTuple):
    """A soft dark patch of the ground; a contact shadow, under its thing, also keeps ambient light out."""

    x: float
    z: float
    reach_x: float
    reach_z: float
    strength: float
    contact: bool
