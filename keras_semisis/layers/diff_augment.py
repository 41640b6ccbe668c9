"""Differentiable augmentation of what a discriminator sees."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

POLICIES = ("color", "translation", "cutout")
# Random numbers of each policy
_NUM_RANDOM = {"color": 3, "translation": 2, "cutout": 2}


@keras.saving.register_keras_serializable(package="keras_semisis")
class DiffAugment(keras.layers.Layer):
    """Changes colors, shifts, and blanks out a rectangle, by random numbers that the caller draws.

    Real and generated images undergo the same kind of change on their way to the discriminator, which therefore cannot learn
    the few real ones by heart; the gradient goes through to the generator. What is given the same numbers undergoes the same
    change. A label map moves with its image; its pixels that are shifted in or blanked out become ``fill_class``. So does a map
    of one channel, such as that of edges, which has no colors, and zeros there.

    Args:
        policy: Any of ``"color"`` (brightness by ±0.5, saturation by 0 to 2, contrast by 0.5 to 1.5), ``"translation"``
            (by up to an eighth of each side, zeros outside) and ``"cutout"`` (a rectangle of half of each side, set to
            zero).
        fill_class: Don't-care id for label maps; needed by translation and cutout where there are label maps.

    Input shape: ``[image, random]`` or ``[label_map, random]``: float ``(B, H, W, 3)`` in [-1, 1] or ``(B, H, W, 1)``, or
        integer ``(B, H, W)``; and float ``(B, num_random)`` in [0, 1), as of ``keras.random.uniform``.

    Output shape: That of the image or label map.

    Raises:
        ValueError: If a policy is unknown, or label maps are to be filled without ``fill_class``.

    Reference: Zhao et al., "Differentiable Augmentation for Data-Efficient GAN Training", NeurIPS 2020, section 4 and
    appendix.

    Example:

    >>> import numpy as np
    >>> augment = DiffAugment(("translation",), fill_class=9)
    >>> down_right = np.full((1, 2), 0.999, "float32")
    >>> ops.convert_to_numpy(augment([np.ones((1, 8, 8), "int32"), down_right]))[0, :3, :3].tolist()
    [[9, 9, 9], [9, 1, 1], [9, 1, 1]]
    """

    def __init__(self, policy: Sequence[str] = POLICIES, fill_class: int | None = None, **kwargs):
        super().__init__(autocast=False, **kwargs)
        unknown = [name for name in policy if name not in POLICIES]
        if unknown or not policy or isinstance(policy, str):
            raise ValueError(f"DiffAugment: policy={policy!r}: expected a tuple of {', '.join(map(repr, POLICIES))}.")
        self.policy = tuple(policy)
        self.fill_class = fill_class

    @property
    def num_random(self) -> int:
        """How many random numbers an image takes."""
        return sum(_NUM_RANDOM[name] for name in self.policy)

    def check_fill_class(self, ignore_class: int | None) -> None:
        """Raises ValueError where pixels that D is asked to segment would come to have no class."""
        if self.policy != ("color",) and (self.fill_class is None or self.fill_class != ignore_class):
            raise ValueError(
                f"DiffAugment: fill_class={self.fill_class} with ignore_class={ignore_class}: translation and cutout make "
                'pixels that must not count. Give both the don\'t-care id, or take policy=("color",).'
            )

    def call(self, inputs):
        x, random = inputs
        is_label_map = len(x.shape) == 3
        if is_label_map and self.policy != ("color",) and self.fill_class is None:
            raise ValueError('DiffAugment: label maps need fill_class, or policy=("color",).')
        x, first = x if is_label_map else ops.cast(x, self.compute_dtype), 0
        for name in self.policy:
            numbers = random[:, first : first + _NUM_RANDOM[name]]
            first += _NUM_RANDOM[name]
            if name == "color":
                x = _recolored(x, numbers) if not is_label_map and x.shape[-1] == 3 else x
            else:
                fill = ops.cast(self.fill_class if is_label_map else 0, x.dtype)
                x = {"translation": _translated, "cutout": _cut_out}[name](x, numbers, fill)
        return x

    def compute_output_shape(self, input_shape):
        return input_shape[0]

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"policy": self.policy, "fill_class": self.fill_class}


def _recolored(x, numbers):
    brightness, saturation, contrast = (ops.cast(part, x.dtype)[:, :, None, None] for part in ops.split(numbers, 3, axis=1))
    x = x + (brightness - 0.5)
    gray = ops.mean(x, axis=-1, keepdims=True)
    x = (x - gray) * (2.0 * saturation) + gray
    mean = ops.mean(x, axis=(1, 2, 3), keepdims=True)
    return (x - mean) * (contrast + 0.5) + mean


def _translated(x, numbers, fill):
    for axis in (1, 2):
        size = x.shape[axis]
        most = size // 8
        shift = ops.floor(numbers[:, axis - 1] * (2 * most + 1)) - most
        source = ops.arange(size, dtype="float32")[None] - shift[:, None]
        exists = (source >= 0) & (source <= size - 1)
        index = ops.cast(ops.clip(source, 0, size - 1), "int32")
        shape = [-1, size] if axis == 1 else [-1, 1, size]
        ones = [1] * (len(x.shape) - len(shape))
        index, exists = (ops.reshape(a, shape + ones) for a in (index, exists))
        target = [ops.shape(x)[0], *x.shape[1:]]
        x = ops.where(exists, ops.take_along_axis(x, ops.broadcast_to(index, target), axis=axis), fill)
    return x


def _cut_out(x, numbers, fill):
    inside = True
    for axis in (1, 2):
        size = x.shape[axis]
        length = size // 2
        center = ops.floor(numbers[:, axis - 1] * (size + (1 - length % 2)))
        offset = ops.arange(size, dtype="float32")[None] - (center - length // 2)[:, None]
        along = (offset >= 0) & (offset < length)
        shape = ([-1, size] if axis == 1 else [-1, 1, size]) + [1] * (len(x.shape) - 1 - axis)
        inside = inside & ops.reshape(along, shape)
    return ops.where(inside, fill, x)
