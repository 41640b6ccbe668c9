"""What `fit` and `evaluate` read: batches, and the stream of training steps."""

import functools
import gc
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np

from keras_semisis.data.bad_files import BadFiles
from keras_semisis.data.data_error import DataError
from keras_semisis.data.eight_bit import from_8_bit
from keras_semisis.data.labels.label_space import LabelSpace
from keras_semisis.data.statistics.counting import in_order
from keras_semisis.data.stream import batch_memory
from keras_semisis.data.stream.draws import (
    draw_key,
    gather_blocks,
    permutation,
    random_bits,
    random_integers,
    uniform_draws,
)
from keras_semisis.data.stream.optional_tensorflow import numpy_function, optional_tensorflow, without_autotuning
from keras_semisis.data.stream.prepared_items import PreparedItems
from keras_semisis.data.stream.rare_classes import rejection_draws, rejection_sample
from keras_semisis.data.stream.step_dataset import WORKERS, StepDataset

# Items are drawn for many steps at once: the sampler then costs next to nothing.
_DRAWS_A_BLOCK = 256
_STEPS_A_CHUNK = 32


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
        """Crops, flips and stacks items: float32 images in [-1, 1] and/or int32 label maps."""
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


class BatchStream:
    """Batches ``(image, label_map)`` of a data set. Made by `paired_dataset` and `unpaired_dataset`.

    Iterating is one pass of NumPy batches: images float32 ``(B, H, W, 3)`` in [-1, 1], label maps int32 ``(B,
    H, W)``. In training, draw k = step · batch_size + j depends on the seed and k alone, so that `stream` can
    start anywhere.

    Attributes:
        batch_size: B.
        image_size: (H, W).
        label_space: The `LabelSpace` of the label maps.
        training: Whether batches are shuffled, flipped and always whole.
        error: What loading raised last, or None: tf.data wraps an exception into one of its own.
        bad_files: The `BadFiles` that were met so far.
    """

    def __init__(
        self,
        lanes: list[Lane],
        batch_size: int,
        image_size: tuple[int, int],
        label_space: LabelSpace,
        training: bool,
        sampler: str = "uniform",
        bad_files: BadFiles | None = None,
    ):
        self.batch_size = batch_size
        self.image_size = image_size
        self.label_space = label_space
        self.training = training
        self.error: Exception | None = None
        self.bad_files = bad_files or BadFiles()
        self._lanes = lanes
        self._sampler = sampler

    def __len__(self) -> int:
        """Batches in one pass (over the longer of unpaired images and label maps)."""
        longest = max(len(lane.items) for lane in self._lanes)
        if self.training:
            return max(1, longest // self.batch_size)
        return -(-longest // self.batch_size)

    def __iter__(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        self.error = None
        steps = StepDataset(self.load_step, 0, len(self))
        return (steps[step] for step in range(len(self)))

    def stream(self, start_step: int = 0, total_steps: int | None = None):
        """The steps ``start_step..total_steps - 1`` of training.

        With ``sampler="rare_classes"`` the steps before ``total_steps / 2`` draw by rare classes, those after
        it uniformly; "rare_classes_second_half" is the reverse. Without ``total_steps`` there is no half, and
        every step is one of the first.

        Args:
            start_step: The first step; a stream that starts later is the tail of one that starts at 0.
            total_steps: Steps of the whole training, those before ``start_step`` included; None for no end.

        Returns:
            A `tf.data.Dataset` where TensorFlow is installed, else a `keras.utils.PyDataset`; of
            ``(image, label_map)`` batches. With ``training=False`` it ends after one pass.

        Raises:
            ValueError: If ``start_step`` is negative or after the last step.
        """
        stop = total_steps if self.training else min(len(self), total_steps or len(self))
        if start_step < 0 or (stop is not None and start_step >= stop):
            last = "" if stop is None else stop - 1
            raise ValueError(f"start_step={start_step} is not one of the steps 0..{last}.")
        self.error = None
        tf = optional_tensorflow()
        if tf is None:
            return StepDataset(lambda step: self.load_step(step, total_steps), start_step, stop)
        return self._tf_stream(tf, start_step, stop, total_steps)

    def load_step(self, step: int, total_steps: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """The NumPy batch of one step of a training of ``total_steps``."""
        draws = np.arange(step * self.batch_size, self._draws_end(step + 1))
        rare = self._is_rare(step, total_steps)
        return self._load(draws, *(lane.indices(draws, rare) for lane in self._lanes))

    def label_maps(self) -> Iterator[np.ndarray | DataError]:
        """The label maps of the batches in one pass, as it begins; the error in place of a batch that cannot be read.

        Unlike a step, a batch that cannot be read is no `error`: training may never draw it, or not yet.
        """
        lane = self._lanes[-1]

        def label_maps(step):
            draws = np.arange(step * self.batch_size, self._draws_end(step + 1))
            try:
                return lane.batch(draws, lane.indices(draws, self._is_rare(step, None)))[-1]
            except DataError as error:
                return error

        return in_order(label_maps, 0, len(self))

    def _draws_end(self, stop):
        if self.training:
            return stop * self.batch_size
        return min(stop * self.batch_size, max(len(lane.items) for lane in self._lanes))

    def _is_rare(self, step, total_steps):
        first_half = total_steps is None or 2 * step < total_steps
        return self._sampler == ("rare_classes" if first_half else "rare_classes_second_half")

    def _load(self, draws, *indices):
        try:
            arrays = [array for lane, chosen in zip(self._lanes, indices, strict=True) for array in lane.batch(draws, chosen)]
        except Exception as error:
            self.error = error
            raise
        return tuple(arrays)

    def _tf_stream(self, tf, start, stop, total_steps):
        half = None if total_steps is None else (total_steps + 1) // 2
        if half is None or start >= half or stop <= half:
            parts = [(start, stop)]
        else:
            parts = [(start, half), (half, stop)]
        indices = None
        for first, end in parts:
            part = self._tf_indices(tf, first, end, self._is_rare(first, total_steps))
            indices = part if indices is None else indices.concatenate(part)

        def load(draws, *chosen):
            dtypes = [tf.float32, tf.int32]
            image, label_map = numpy_function(self._load, [draws, *chosen], dtypes)
            image.set_shape((draws.shape[0], *self.image_size, 3))
            label_map.set_shape((draws.shape[0], *self.image_size))
            return image, label_map

        steps = tf.data.INFINITE_CARDINALITY if stop is None else stop - start
        batches = indices.map(load, num_parallel_calls=WORKERS, deterministic=True)
        return without_autotuning(batches.apply(tf.data.experimental.assert_cardinality(steps)).prefetch(2))

    def _tf_indices(self, tf, first, stop, rare):
        """Elements (draws, indices of each lane), one a step."""
        begin = first * self.batch_size
        if stop is None:
            draws = tf.data.Dataset.counter(begin)
        else:
            draws = tf.data.Dataset.range(begin, self._draws_end(stop))
        draws = draws.batch(self.batch_size, drop_remainder=self.training)
        if not self.training:  # the last batch may be smaller: no two of them stack
            return self._with_indices(tf, draws, rare)
        return self._with_indices(tf, draws.batch(_STEPS_A_CHUNK), rare).unbatch()

    def _with_indices(self, tf, draws, rare):
        return tf.data.Dataset.zip((draws, *(lane.index_dataset(tf, draws, rare) for lane in self._lanes)))


@contextmanager
def original_errors(datasets: Iterable[Any]):
    """Raises what loading a batch raised in place of the error into which tf.data wraps it.

    The iterator that has ended so is deleted here. Errors of TensorFlow and Keras's loop are in cycles with it: else Python
    would delete it where it happens to collect garbage. In a thread that tf.data calls back in, the deletion waits for threads
    that wait for this one, and the program hangs.

    Args:
        datasets: Those that are read meanwhile: each a `BatchStream`, or `OwnBatches`.
    """
    try:
        yield
    except Exception as error:
        original = next((dataset.error for dataset in datasets if dataset.error is not None), error)
        if original is error:
            raise
        for wrapped in (error, error.__context__):
            _clear_frames(wrapped)
        gc.collect()
        raise original from None


def _clear_frames(error):
    """Lets go of what the functions held that an error has ended, those as well that Keras leaves out of the traceback."""
    traceback = None if error is None else error.__traceback__
    while traceback is not None:
        frame = traceback.tb_frame
        with suppress(RuntimeError):  # a function that still runs, as do those that have called it
            while frame is not None:
                frame.clear()
                frame = frame.f_back
        traceback = traceback.tb_next
