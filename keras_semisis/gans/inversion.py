"""The noise whose image is nearest to a photo."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_semisis.gans.any_size import AnySize
from keras_semisis.gans.engines import engine


@dataclass(frozen=True)
class Inversion:
    """What `Sampler.invert` has found.

    Args:
        noise: Float32 ``(H, W, noise_channels)``, the map that ``generate(label_map, noise=...)`` takes; or
            ``(noise_channels,)``, a style.
        before: LPIPS of the photo and the image with which the search began.
        after: LPIPS of the photo and the image of the noise.
        photo: That image, uint8 ``(H, W, 3)``.

    Example:

    >>> found = Inversion(np.zeros((32, 32, 4), "float32"), before=0.5, after=0.125, photo=np.zeros((32, 32, 3), "uint8"))
    >>> found.gained
    0.75
    """

    noise: np.ndarray
    before: float
    after: float
    photo: np.ndarray

    @property
    def gained(self) -> float:
        """The share of the distance at the beginning that is gone: 0 where nothing was found."""
        return 1 - self.after / self.before if self.before else 0.0


def search_noise(
    network: AnySize,
    distance: keras.losses.Loss,
    label_map: np.ndarray,
    photo: np.ndarray,
    noise: np.ndarray,
    steps: int,
    learning_rate: float,
    progress: Callable[[int, int], Any] | None = None,
) -> tuple[np.ndarray, float, float]:
    """Descends the distance of a generator's image from a photo, by its noise.

    Args:
        network: The generator.
        distance: From ``(photos, images)`` to a number.
        label_map: int32 ``(1, H, W)``, sides that the network's strides divide.
        photo: float32 ``(1, H, W, 3)`` in [-1, 1].
        noise: Where the search begins, float32 with the batch in front.
        steps: Number of steps of Adam.
        learning_rate: Its rate.
        progress: Called with (steps done, steps in all).

    Returns:
        The noise of the least distance that was met, the distance at the beginning, and that.
    """
    generator = network.at(noise.shape[1:], label_map.shape[1:])
    variables = generator.variables
    found = keras.Variable(noise, dtype="float32", name="noise")
    optimizer = keras.optimizers.Adam(learning_rate)
    optimizer.build([found])

    def gradients(state, at, label_map, photo):
        def loss(values):
            with keras.StatelessScope(list(zip(variables, state, strict=True))):
                return distance(photo, generator([label_map, values[0]], training=False)), None

        value, _, (gradient,) = engine.value_and_gradients(loss, [_Value(at)])
        return value, gradient

    compiled = engine.compiled(gradients)
    state = [v.value for v in variables]
    inputs = [ops.convert_to_tensor(x) for x in (label_map, photo)]
    best, least, distances = noise, np.inf, []
    for step in range(steps + 1):
        value, gradient = compiled(state, ops.convert_to_tensor(found.value), *inputs)
        distances.append(float(ops.convert_to_numpy(value)))
        if distances[-1] < least:
            best, least = np.array(ops.convert_to_numpy(found.value)), distances[-1]
        if step < steps:
            _descend(optimizer, gradient, found)
            if progress is not None:
                progress(step + 1, steps)
    return best, distances[0], least


@dataclass
class _Value:
    """A tensor in the place of a variable."""

    value: Any


def _descend(optimizer, gradient, variable):
    engine.apply(
        ops.convert_to_tensor(True), lambda: engine.descend(optimizer, [gradient], [variable]), [variable, *optimizer.variables]
    )
