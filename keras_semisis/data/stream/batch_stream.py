"""What `fit` and `evaluate` read: batches, and the stream of training steps."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from keras_semisis.ahead import in_order
from keras_semisis.data.bad_files import BadFiles
from keras_semisis.data.data_error import DataError
from keras_semisis.data.labels.label_space import LabelSpace
from keras_semisis.data.stream.lane import Lane
from keras_semisis.data.stream.optional_tensorflow import numpy_function, optional_tensorflow, without_autotuning
from keras_semisis.data.stream.step_dataset import WORKERS, StepDataset
from keras_semisis.processes import own_rows

_STEPS_A_CHUNK = 32


class BatchStream:
    """Batches ``(image, label_map)`` of a data set. Made by `paired_dataset` and `unpaired_dataset`.

    Iterating is one pass of NumPy batches: images float32 ``(B, H, W, 3)`` in [-1, 1], label maps int32 ``(B, H, W)``,
    and, with ``instances``, instance maps of the same form. In training, draw k = step · batch_size + j depends on the seed and
    k alone, so that `stream` can start anywhere.

    Attributes:
        batch_size: B.
        image_size: (H, W).
        label_space: The `LabelSpace` of the label maps.
        training: Whether batches are shuffled, flipped and always whole.
        error: What loading raised last, or None: tf.data wraps an exception into one of its own.
        bad_files: The `BadFiles` that were met so far.
        instances: Whether batches have instance maps, too.
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
        instances: bool = False,
    ):
        self.batch_size = batch_size
        self.image_size = image_size
        self.label_space = label_space
        self.training = training
        self.error: Exception | None = None
        self.bad_files = bad_files or BadFiles()
        self.instances = instances
        self._lanes = lanes
        self._sampler = sampler

    def __len__(self) -> int:
        """Batches in one pass (over the longer of unpaired images and label maps)."""
        longest = max(len(lane.items) for lane in self._lanes)
        if self.training:
            return max(1, longest // self.batch_size)
        return (longest + self.batch_size - 1) // self.batch_size

    def __iter__(self) -> Iterator[tuple[np.ndarray, ...]]:
        self.error = None
        steps = StepDataset(self.load_step, 0, len(self))
        return (steps[step] for step in range(len(self)))

    def stream(self, start_step: int = 0, total_steps: int | None = None) -> Any:
        """The steps ``start_step..total_steps - 1`` of training.

        With ``sampler="rare_classes"`` the steps before ``total_steps / 2`` draw by rare classes, those after
        it uniformly; "rare_classes_second_half" is the reverse. Without ``total_steps`` there is no half, and
        every step is one of the first.

        Args:
            start_step: The first step; a stream that starts later is the tail of one that starts at 0.
            total_steps: Steps of the whole training, those before ``start_step`` included; None for no end.

        Returns:
            A `tf.data.Dataset` where TensorFlow is installed, else a `keras.utils.PyDataset`; of
            ``(image, label_map)`` batches. With ``training=False`` it ends after one pass. Where several processes train
            (`keras_semisis.distribute`), it has this one's rows of every batch, and no others are read.

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
            return StepDataset(self.own_rows_loader(total_steps), start_step, stop)
        return self._tf_stream(tf, start_step, stop, total_steps)

    def load_step(self, step: int, total_steps: int | None = None) -> tuple[np.ndarray, ...]:
        """The NumPy batch of one step of a training of ``total_steps``."""
        return self._load_rows(step, total_steps, slice(None))

    def _load_rows(self, step, total_steps, rows):
        draws = np.arange(step * self.batch_size, self._draws_end(step + 1))[rows]
        rare = self._is_rare(step, total_steps)
        return self._load(draws, *(lane.indices(draws, rare) for lane in self._lanes))

    def own_rows_loader(self, total_steps: int | None = None) -> Callable[[int], tuple[np.ndarray, ...]]:
        """Step → what this process trains on of the batch that `load_step` gives; may be called from threads."""
        rows = self._own_rows()
        return lambda step: self._load_rows(step, total_steps, rows)

    def label_maps(self) -> Iterator[tuple[np.ndarray, ...] | DataError]:
        """The label maps of one pass, in batches, whatever the sampler; the error in place of a batch that cannot be read.

        Each is a tuple of one, or, with ``instances``, of label maps and instance maps.

        Unlike a step, a batch that cannot be read is no `error`: training may never draw it, or not yet.
        """
        lane = self._lanes[-1]

        def label_maps(step):
            draws = np.arange(step * self.batch_size, self._draws_end(step + 1))
            try:
                return tuple(lane.batch(draws, lane.indices(draws, False))[-1 - self.instances :])
            except DataError as error:
                return error

        return in_order(label_maps, 0, len(self))

    def _own_rows(self):
        return own_rows()(self.batch_size) if self.training else slice(None)

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
            # of several that are read ahead, the first to fail is the one that is told
            self.error = self.error or error
            raise
        return tuple(arrays)

    def _tf_stream(self, tf, start, stop, total_steps):
        half = None if total_steps is None else (total_steps + 1) // 2
        if half is None or start >= half or stop <= half:
            parts = [(start, stop)]
        else:
            parts = [(start, half), (half, stop)]
        indices: Any = None
        for first, end in parts:
            part = self._tf_indices(tf, first, end, self._is_rare(first, total_steps))
            indices = part if indices is None else indices.concatenate(part)

        def load(draws, *chosen):
            dtypes = [tf.float32, tf.int32] + [tf.int32] * self.instances
            image, *maps = numpy_function(self._load, [draws, *chosen], dtypes)
            image.set_shape((draws.shape[0], *self.image_size, 3))
            for part in maps:
                part.set_shape((draws.shape[0], *self.image_size))
            return image, *maps

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
        rows = self._own_rows()
        draws = draws.batch(self.batch_size, drop_remainder=self.training).map(lambda numbers: numbers[rows])
        if not self.training:  # the last batch may be smaller: no two of them stack
            return self._with_indices(tf, draws, rare)
        return self._with_indices(tf, draws.batch(_STEPS_A_CHUNK), rare).unbatch()

    def _with_indices(self, tf, draws, rare):
        return tf.data.Dataset.zip((draws, *(lane.index_dataset(tf, draws, rare) for lane in self._lanes)))
