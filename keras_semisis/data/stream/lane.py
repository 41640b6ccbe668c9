"""Items that share one order and one augmentation."""

import functools

import numpy as np

from keras_semisis.data.bad_files import BadFiles
from keras_semisis.data.data_error import DataError
from keras_semisis.data.eight_bit import from_8_bit
from keras_semisis.data.stream import batch_memory
from keras_semisis.data.stream.draws import (
    draw_key,
    gather_blocks,
    permutation,
    random_bits,
    random_integers,
    uniform_draws,
)
from keras_semisis.data.stream.optional_tensorflow import numpy_function
from keras_semisis.data.stream.prepared_items import PreparedItems
from keras_semisis.data.stream.rejection import rejection_draws, rejection_sample

# Items are drawn for many steps at once: the sampler then costs next to nothing.
_DRAWS_A_BLOCK = 256


class Lane:
    """Items that share one order and one augmentation: pairs, unpaired images, or unpaired label maps.

    Args:
        items: The prepared items.
        image_size: (height, width) of a batch; smaller than the items where they are cropped.
        seed: Seed of this lane alone.
        training: Draw in random order, crop and flip; else take the items one after the other as they are.
        probabilities: p_i of rare-class sampling, or None if this lane never uses it.
        bad_files: Takes note of items that cannot be read.
    """

    def __init__(
        self,
        items: PreparedItems,
        image_size: tuple[int, int],
        seed: int,
        training: bool,
        probabilities: np.ndarray | None = None,
        bad_files: BadFiles | None = None,
    ):
        self.items = items
        self._image_size = image_size
        self._seed = seed
        self._training = training
        self._probabilities = probabilities
        self._bad_files = bad_files or BadFiles()
        self._bad: set[int] = set()
        self._rare_block = functools.lru_cache(maxsize=4)(self._draw_rare_block)
        self._keys = [draw_key(seed, purpose) for purpose in ("flip", "crop rows", "crop columns")]

    def indices(self, draws: np.ndarray, rare: bool) -> np.ndarray:
        """The item of each draw."""
        if not self._training:
            return draws % len(self.items)
        if rare:
            return gather_blocks(draws, _DRAWS_A_BLOCK, self._rare_block)
        return uniform_draws(len(self.items), self._seed, draws)

    def _draw_rare_block(self, number):
        draws = np.arange(number * _DRAWS_A_BLOCK, (number + 1) * _DRAWS_A_BLOCK)
        return rejection_draws(self._probabilities, self._seed, draws)

    def index_dataset(self, tf, draws, rare: bool):
        """A `tf.data.Dataset` of draws to one of their items."""
        if rare:
            return draws.apply(rejection_sample(self._probabilities, self._seed))

        def with_shape(numbers):
            indices = numpy_function(lambda k: self.indices(k, False), [numbers], tf.int64)
            indices.set_shape(numbers.shape)
            return indices

        return draws.map(with_shape)

    def batch(self, draws: np.ndarray, indices: np.ndarray) -> list[np.ndarray]:
        """Crops, flips and stacks items: float32 images in [-1, 1], int32 label maps and instance maps."""
        items = [self._item(int(draw), int(index)) for draw, index in zip(draws, indices, strict=True)]
        batch = [_room(len(draws), self._image_size, array) for array in items[0]]
        windows = self._windows(draws, np.array([item[0].shape[:2] for item in items]))
        for place, (item, window) in enumerate(zip(items, windows, strict=True)):
            for whole, array in zip(batch, item, strict=True):
                _put(whole[place], array, *window)
        return batch

    def _item(self, draw, index):
        """The item at ``index``; if it is bad, the first good one in an order that depends on seed and draw alone."""
        item = self._good(index)
        if item is not None:
            return item
        for other in permutation(len(self.items), self._seed, "instead of", draw):
            item = self._good(int(other))
            if item is not None:
                return item
        raise DataError(f"None of the {len(self.items)} items can be used:", listed=self._bad_files.errors)

    def _good(self, index):
        if index in self._bad:
            return None
        try:
            return self.items.get(index)
        except DataError as error:
            self._bad_files.add(error)
            self._bad.add(index)
            return None

    def _windows(self, draws, sizes):
        """The crop and flip of each draw, as a pair of slices, in an item of its (height, width)."""
        height, width = self._image_size
        room = sizes - self._image_size
        if not self._training:  # the middle
            yield from [(slice(top, top + height), slice(left, left + width)) for top, left in room // 2]
            return
        flips, rows, columns = (random_bits(key, draws) for key in self._keys)
        tops = random_integers(rows, room[:, 0] + 1)
        lefts = random_integers(columns, room[:, 1] + 1)
        flips = flips >> np.uint64(63)
        for flip, top, left in zip(flips, tops, lefts, strict=True):
            across = slice(left, left + width)
            if flip:
                across = slice(left + width - 1, left - 1 if left else None, -1)
            yield slice(top, top + height), across


def _room(length, size, array):
    """A batch to be filled: of float32 images if the array is an image, else of int32 label maps."""
    return batch_memory.empty((length, *size, *array.shape[2:]), np.int32 if array.ndim == 2 else np.float32)


def _put(target, array, rows, columns):
    """A window of a uint8 image as float32 in [-1, 1], of a label map as int32."""
    if array.ndim == 2 or columns.step is None:
        target[...] = array[rows, columns]
    else:  # NumPy mirrors a channel many times faster than pixels of three bytes
        for channel in range(array.shape[2]):
            target[..., channel] = array[rows, columns, channel]
    if array.ndim == 3:
        from_8_bit(target, out=target)
