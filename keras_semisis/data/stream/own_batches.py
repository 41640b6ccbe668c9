"""Data sets of the user's own as `fit` and `evaluate` read them: of several forms, checked and converted."""

import itertools
import sys
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from typing import Any

import keras
import numpy as np

from keras_semisis.data.data_error import DataError
from keras_semisis.data.sources.source import Source
from keras_semisis.data.stream.array_batches import ArrayBatches
from keras_semisis.data.stream.batch_rule import BatchRule, host_array, not_a_batch
from keras_semisis.data.stream.batch_stream import BatchStream
from keras_semisis.data.stream.optional_tensorflow import numpy_function, optional_tensorflow
from keras_semisis.distribution import check_batch_size, number_of_devices
from keras_semisis.processes import own_rows

ACCEPTED = (
    "what paired_dataset or unpaired_dataset returns, a tf.data.Dataset, a keras.utils.PyDataset, a PyTorch DataLoader "
    "or another iterable of (images, label_maps) batches, or two arrays (images, label_maps)"
)


class OwnBatches:
    """Batches ``(image, label_map)`` of a data set that is not ours, checked by a `BatchRule`.

    Photos come out float32 in [-1, 1], label maps, and instance maps where the rule wants them, int32. It repeats without end
    in `stream`; iterating is one pass.

    Args:
        dataset: A `tf.data.Dataset`, a `keras.utils.PyDataset`, a `torch.utils.data.DataLoader` (whose photos may have the
            channels first), a list of batches, another iterable of them, or two arrays ``(images, label_maps)``.
        rule: What a batch must be.
        name: What the user knows it by, for messages.
        batch_size: Of arrays.
        training: Whether arrays are taken in random order, in whole batches.
        paired: Whether photos and label maps of arrays belong together; else each have an order of their own.
        kept: Of an iterator, which can be read once alone, so many label maps are kept for `label_maps`.

    Attributes:
        error: What reading it raised last, or None: tf.data wraps an exception into one of its own.
        is_tf_data: Whether it is a `tf.data.Dataset`.

    Raises:
        TypeError: If it is none of these.
        DataError: If arrays do not fit together, or the data set holds nothing.
    """

    def __init__(
        self,
        dataset: Any,
        rule: BatchRule,
        name: str,
        batch_size: int = 8,
        training: bool = True,
        paired: bool = True,
        kept: int = 0,
    ):
        self.error: Exception | None = None
        self._rule = rule
        self._name = name
        self._training = training
        # asked here, as threads may load the batches
        self._rows, self._devices = own_rows(), number_of_devices()
        self._kept: list[tuple[np.ndarray, ...]] | None = [] if isinstance(dataset, Iterator) else None
        self._most_kept = kept
        self._load: Callable[[int], Any] | None = None
        tf = optional_tensorflow()
        self.is_tf_data = tf is not None and isinstance(dataset, tf.data.Dataset)
        if _are_arrays(dataset):
            if len(dataset) != rule.parts:
                raise not_a_batch(dataset, name, rule.instances)
            dataset = ArrayBatches([host_array(part) for part in dataset], rule, name, batch_size, training, paired)
        if self.is_tf_data:
            self._check_structure(dataset)
        elif isinstance(dataset, ArrayBatches):
            self._load = dataset.__getitem__  # every pass has an order of its own
        elif isinstance(dataset, keras.utils.PyDataset):
            self._load = by_number(dataset, dataset.num_batches)
        elif isinstance(dataset, Sequence) and not isinstance(dataset, str):
            self._load = by_number(dataset, len(dataset))
        elif isinstance(dataset, Source) or not isinstance(dataset, Iterable):
            raise TypeError(f"{name} is a {type(dataset).__name__}. Give {ACCEPTED}.")
        self._dataset = dataset
        self._channels_first = is_torch_loader(dataset)
        if self._length() == 0:
            raise DataError(f"{name}: the data set is empty.")

    def _check_structure(self, dataset):
        spec = dataset.element_spec
        if not isinstance(spec, tuple | list) or len(spec) != self._rule.parts:
            raise not_a_batch(spec, self._name, self._rule.instances)

    def _length(self):
        """Number of batches; None where nobody knows it, or where there is no end."""
        if isinstance(self._dataset, keras.utils.PyDataset):
            return self._dataset.num_batches
        try:
            return len(self._dataset)
        except TypeError:
            return None

    def __len__(self) -> int:
        length = self._length()
        if length is None:
            raise TypeError(f"Nobody knows how many batches {self._name} has.")
        return length

    def __iter__(self) -> Iterator[tuple[np.ndarray, ...]]:
        for number, element in enumerate(self._elements()):
            yield self._checked(element, number == 0)

    def _elements(self):
        if self._load is None:
            return iter(self._dataset)
        length = self._length()
        return map(self._load, itertools.count() if length is None else range(length))

    def label_maps(self) -> Iterator[tuple[np.ndarray, ...] | DataError]:
        """The label maps of the batches in one pass; the error in place of a batch that does not fit.

        Each is a tuple of one, or, where the rule wants them, of label maps and instance maps. Of an iterator those that
        ``kept`` names, as far as they have been read.
        """
        if self._kept is not None:
            yield from self._kept
            return
        for element in self._elements():
            try:
                yield self._checked(element, False)[1:]
            except DataError as error:
                yield error

    def end_epoch(self) -> None:
        """Tells a `keras.utils.PyDataset` that an epoch has ended, as Keras does."""
        if isinstance(self._dataset, keras.utils.PyDataset) and not isinstance(self._dataset, ArrayBatches):
            self._dataset.on_epoch_end()

    def stream(self, start_step: int = 0, total_steps: int | None = None):
        """The steps from ``start_step`` on as a `tf.data.Dataset`, where TensorFlow is installed; it has no end.

        Warns:
            UserWarning: If it starts over where the others go on.
        """
        tf = optional_tensorflow()
        self.error = None
        if self.is_tf_data:
            if start_step > 0:
                warnings.warn(
                    f"{self._name}: a tf.data.Dataset starts over instead of going on at step {start_step}: this "
                    "resume is not exact. Use paired_dataset and unpaired_dataset for one that is.",
                    stacklevel=3,
                )
            numbered = self._dataset.repeat().enumerate()
        else:
            load = self.loader(start_step)
            numbered = tf.data.Dataset.counter(start_step).map(lambda step: (step, ()))

        def batch(number, *element):
            try:
                return self._own_rows(self._checked(element, number == 0)) if self.is_tf_data else load(int(number))
            except Exception as error:
                # of several that are read ahead, the first to fail is the one that is told
                self.error = self.error or error
                raise

        def with_shapes(number, element):
            image, *maps = numpy_function(batch, [number, *element], [tf.float32, tf.int32] + [tf.int32] * self._rule.instances)
            image.set_shape((None, *self._rule.image_size, 3))
            for part in maps:
                part.set_shape((None, *self._rule.image_size))
            return image, *maps

        return numbered.map(with_shapes).prefetch(2)

    def loader(self, start_step: int = 0) -> Callable[[int], tuple[np.ndarray, ...]]:
        """Step → this process's rows of its batch, which is read whole.

        May be called from threads; of an iterable the steps are in order from ``start_step`` on.

        Warns:
            UserWarning: If the data set can be read from its beginning alone.
        """
        load = self._load
        if load is None:
            warnings.warn(
                f"{self._name}: a {type(self._dataset).__name__} is read from its beginning whenever fit is called, "
                "so a resume is not exact. Use paired_dataset and unpaired_dataset, a keras.utils.PyDataset, or a "
                "list of batches for one that is.",
                stacklevel=3,
            )
            load = _InOrder(self._repeated(), start_step)
        checked = threading.Event()

        def batch(step):
            loaded = self._checked(load(step), not checked.is_set())
            checked.set()
            return self._own_rows(loaded)

        return batch

    def _repeated(self):
        while True:
            empty = True
            for element in self._dataset:
                empty = False
                yield element
            if empty or self._kept is not None:
                raise DataError(
                    f"{self._name}: this {type(self._dataset).__name__} has no batches any more, and cannot be "
                    "read again. Give one without end, a list of batches, or a keras.utils.PyDataset."
                )

    def _own_rows(self, batch):
        rows = self._rows(len(batch[0]))
        return tuple(array[rows] for array in batch)

    def _checked(self, element, first):
        if self._channels_first and isinstance(element, tuple | list) and len(element) == self._rule.parts:
            element = _channels_last(*map(host_array, element))
        image, *maps = self._rule.batch(element, self._name, first, self.is_tf_data)
        if first and self._training:
            check_batch_size(self._name, len(image), self._devices)
        if self._kept is not None and len(self._kept) < self._most_kept:
            self._kept.append(tuple(maps))
        return image, *maps


def own_batches(dataset: Any, rule: BatchRule, name: str, **options) -> BatchStream | OwnBatches:
    """A data set for `fit` or `evaluate`: one of ours as it is, any other as `OwnBatches`, which takes ``options``.

    Raises:
        DataError: If one of ours has another size than the rule, another number of classes, or no instance maps, which the rule
            wants, or some, which it does not.
        TypeError: If it is no data set.
    """
    if not isinstance(dataset, BatchStream):
        return OwnBatches(dataset, rule, name, **options)
    if any(expected not in (None, size) for expected, size in zip(rule.image_size, dataset.image_size, strict=True)):
        raise DataError(
            f"{name}: its batches are of {dataset.image_size} (height, width), but the model takes "
            f"{rule.image_size}. Give image_size={rule.image_size} where the data set is made."
        )
    rule.require_classes(dataset.label_space, name)
    if dataset.instances != rule.instances:
        lacks, does = ("lack", "reads") if rule.instances else ("have", "does not read")
        raise DataError(
            f"{name}: its batches {lacks} instance maps, and the model {does} edges between instances. Give "
            f"instances={rule.instances} where the data set is made."
        )
    return dataset


def by_number(dataset: Any, length: int | None) -> Callable[[int], Any]:
    """Step → batch of a PyDataset or a sequence, over and over where it has a length.

    It may be called from threads; the data set is called by one at a time, unless it is a PyDataset that asks for workers.
    """
    asks = isinstance(dataset, keras.utils.PyDataset) and dataset.workers > 1
    one_at_a_time = nullcontext() if asks else threading.Lock()

    def load(step):
        with one_at_a_time:
            return dataset[step if length is None else step % length]

    return load


def is_torch_loader(dataset: Any) -> bool:
    """Whether this is a `torch.utils.data.DataLoader`; PyTorch is not imported to know it."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(dataset, torch.utils.data.DataLoader)


def _channels_last(images, *maps):
    """A batch of PyTorch's, whose photos have the channels before the rows; any other as it is."""
    if images.ndim == 4 and images.shape[1] == 3 and images.shape[3] != 3:
        images = np.ascontiguousarray(np.moveaxis(images, 1, 3))
    return images, *maps


def _are_arrays(dataset):
    return (
        isinstance(dataset, tuple | list)
        and len(dataset) > 0
        and all(hasattr(part, "__array__") or keras.ops.is_tensor(part) for part in dataset)
    )


class _InOrder:
    """The elements of an iterator by number, whichever thread asks first."""

    def __init__(self, elements: Iterator, first: int):
        self._elements = elements
        self._next = first
        self._ready: dict[int, Any] = {}
        self._error: Exception | None = None
        self._lock = threading.Lock()

    def __call__(self, number):
        with self._lock:
            if number < self._next and number not in self._ready:  # the stream was begun once more
                number = self._next
            while number not in self._ready:
                if self._error is not None:  # a generator that has raised an error has ended
                    raise self._error
                try:
                    self._ready[self._next] = next(self._elements)
                except Exception as error:
                    self._error = error
                    raise
                self._next += 1
            return self._ready.pop(number)
