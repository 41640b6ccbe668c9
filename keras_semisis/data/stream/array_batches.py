"""Arrays of photos and of label maps, and of instance maps, in batches."""

from collections.abc import Sequence

import numpy as np

from keras_semisis.data.data_error import DataError
from keras_semisis.data.stream.batch_rule import BatchRule
from keras_semisis.data.stream.draws import draw_key, uniform_draws

_BLOCK = 64


class ArrayBatches:
    """Batches of arrays; which items batch k holds depends on k alone. All ids are checked at the beginning.

    Args:
        arrays: Photos ``(N, H, W, 3)``, uint8, or floats in [-1, 1]; label maps ``(N, H, W)``, of any integer type; and, where
            the rule wants them, instance maps.
        rule: What a batch must be.
        name: What the user knows them by, for messages.
        batch_size: Items a batch.
        training: Whether they are taken in random order, in whole batches; else one after the other, and the last batch may
            be smaller.
        paired: Whether the two belong together. Otherwise each has an order of its own, and they may differ in number.

    Attributes:
        num_batches: Batches in one pass.

    Raises:
        DataError: If the rule refuses them, there are none, or those that belong together differ in number.
    """

    def __init__(
        self,
        arrays: Sequence[np.ndarray],
        rule: BatchRule,
        name: str,
        batch_size: int,
        training: bool,
        paired: bool,
    ):
        images, label_maps, *instances = arrays
        if paired and len(images) != len(label_maps):
            raise DataError(
                f"{name}: {len(images)} photos, but {len(label_maps)} label maps. Give one label map for each photo."
            )
        if not len(images) or not len(label_maps):
            raise DataError(f"{name}: the data set is empty.")
        if batch_size < 1:
            raise ValueError(f"batch_size={batch_size} must be at least 1.")
        rule.photos(images[:batch_size], name)
        for first in range(0, len(label_maps), _BLOCK):
            rule.label_maps(label_maps[first : first + _BLOCK], name)
        for part in instances:
            rule.instance_maps(part, label_maps, name)
        self._arrays = arrays
        self._batch_size = batch_size
        self._training = training
        self._seeds = [draw_key(0, "pairs" if paired else "images"), draw_key(0, "pairs" if paired else "label maps")]
        self._seeds += self._seeds[1:] * len(instances)
        longest = max(len(images), len(label_maps))
        self.num_batches = max(1, longest // batch_size) if training else -(-longest // batch_size)

    def __len__(self) -> int:
        return self.num_batches

    def __getitem__(self, number: int) -> tuple[np.ndarray, ...]:
        draws = np.arange(number * self._batch_size, (number + 1) * self._batch_size)
        return tuple(
            array[uniform_draws(len(array), seed, draws)] if self._training else array[draws[0] : draws[-1] + 1]
            for array, seed in zip(self._arrays, self._seeds, strict=True)
        )
