"""Sources in, batches out: paired and unpaired data sets, and the stream that `fit` reads."""

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_semisis.data.argument_error import ArgumentError
from keras_semisis.data.bad_files import BadFiles, bad_files
from keras_semisis.data.data_error import DataError
from keras_semisis.data.data_warning import DataWarning
from keras_semisis.data.remedy import Remedy
from keras_semisis.data.sources.source import Source
from keras_semisis.data.statistics.counting import class_statistics
from keras_semisis.data.statistics.rare_classes import rare_class_probabilities
from keras_semisis.data.statistics.to_be_counted import to_be_counted
from keras_semisis.data.stream.batch_stream import BatchStream
from keras_semisis.data.stream.draws import draw_key
from keras_semisis.data.stream.lane import Lane
from keras_semisis.data.stream.optional_tensorflow import numpy_function, optional_tensorflow, without_autotuning
from keras_semisis.data.stream.own_batches import OwnBatches, by_number
from keras_semisis.data.stream.prepared_items import PreparedItems
from keras_semisis.data.stream.step_dataset import StepDataset

FITS = ("stretch", "crop")
# Photos whose sizes are looked at, and by how much their proportions may differ
_LOOKED_AT, MIXED = 32, 1.1
SAMPLERS = ("uniform", "rare_classes", "rare_classes_second_half")


def paired_dataset(
    source: Source,
    image_size: tuple[int, int],
    batch_size: int,
    sampler: str = "uniform",
    seed: int = 0,
    training: bool = True,
    statistics_cache: str | Path | None = None,
    load_size: tuple[int, int] | None = None,
    skip_bad: int | BadFiles = 0,
    progress: Callable[[int, int], None] | None = None,
    fit: str | None = None,
    instances: bool = False,
) -> BatchStream:
    """Batches of images with their label maps.

    Images are resized with Pillow's bicubic filter, label maps with nearest neighbor, to ``image_size``
    whatever their aspect ratio, unless ``fit="crop"``. In training an image and its label map are cropped and flipped together.

    Args:
        source: A source of pairs.
        image_size: (height, width) of a batch.
        batch_size: Items a batch.
        sampler: "uniform"; "rare_classes": images with rare classes are preferred in the first half of
            training; "rare_classes_second_half": in the second half (ablation F of the paper).
        seed: Seed of order, crops and flips.
        training: False takes the items in order, uncropped and unflipped, and keeps an incomplete last batch.
            In training every batch is whole, and a source smaller than one batch repeats in it.
        statistics_cache: File for the class statistics of rare-class sampling, see `class_statistics`.
        load_size: (height, width) that items are resized to in training before a random crop of
            ``image_size``; None for no crop. The paper's (286, 286) with an image size of (256, 256).
        skip_bad: Number of files that may be damaged, hold stray ids or have gone since they were listed. Instead of an item
            with one another is taken, which depends on the seed and the number of the draw alone. `BatchStream.bad_files`
            lists them. A `BadFiles` counts those of several data sets together.
        progress: Called while label maps are counted for rare-class sampling, see `class_statistics`.
        fit: What is done with other proportions than those of ``image_size`` (or ``load_size``): "stretch", as published work
            has it, or "crop": the shorter side is scaled and the longer one cropped, at random in training and in the middle
            else. None is "stretch", with a warning if the photos' proportions are mixed.
        instances: Whether batches have instance maps as well, which are resized, cropped and flipped as their label maps:
            ``(image, label_map, instances)``, as a system with ``instance_edges=True`` takes them.

    Returns:
        A `BatchStream`.

    Raises:
        DataError: If the source is empty, or instance maps are asked for and it has none; and, while the label maps are counted
            or batches are read, if more files than ``skip_bad`` cannot be used.
        ValueError: If an argument is none of the above.

    Example:

    >>> from keras_semisis.data import SyntheticScenes
    >>> batches = paired_dataset(SyntheticScenes(num_scenes=5), image_size=(16, 24), batch_size=2)
    >>> len(batches)
    2
    >>> image, label_map = next(iter(batches))
    >>> image.shape, label_map.shape
    ((2, 16, 24, 3), (2, 16, 24))
    """
    if sampler not in SAMPLERS:
        raise ValueError(f"sampler={sampler!r} is none of {', '.join(map(repr, SAMPLERS))}.")
    size, prepared_size = _sizes(image_size, load_size, batch_size, training)
    if not len(source):
        raise DataError(
            "The paired source is empty (a ratio of 0 leaves no pairs). Use a larger ratio, or a "
            "method that needs no pairs (USIS) with unpaired_dataset alone."
        )
    if source.label_space is None:
        raise ValueError(
            "source= has no label maps (its label_space is None). Give a source of pairs, or put it into "
            "unpaired_dataset as images=."
        )
    if instances and not source.has_instances:
        raise DataError(
            "The paired source has no instance maps, which are asked for (the model reads edges between instances). Put a PNG "
            "of each label map's name, in which every thing has a number or a color of its own, into a folder instances beside "
            "that of the label maps, or train without instance edges."
        )
    bad = bad_files(skip_bad)
    probabilities = None
    if training and sampler != "uniform":
        counts = class_statistics(to_be_counted(source, bad), statistics_cache, progress)
        probabilities = rare_class_probabilities(counts, source.label_space.ignore_class)
    items = PreparedItems(
        source, prepared_size, image=True, label_map=True, instances=instances, fit=chosen_fit(fit, source, size, training)
    )
    lane = Lane(items, size, draw_key(seed, "pairs"), training, probabilities, bad)
    sampler = sampler if training else "uniform"
    return BatchStream([lane], batch_size, size, source.label_space, training, sampler, bad, instances)


def unpaired_dataset(
    images: Source,
    labels: Source,
    image_size: tuple[int, int],
    batch_size: int,
    seed: int = 0,
    training: bool = True,
    load_size: tuple[int, int] | None = None,
    skip_bad: int | BadFiles = 0,
    fit: str | None = None,
) -> BatchStream:
    """Batches of images and label maps that do not belong together.

    The two are drawn, cropped and flipped independently of each other. They may differ in number: one pass is
    a pass over the more numerous, and the others repeat.

    Args:
        images: A source with images; label maps that it may have are not read.
        labels: A source with label maps; images that it may have are not read.
        image_size: (height, width) of a batch.
        batch_size: Items a batch.
        seed: Seed of orders, crops and flips.
        training: As in `paired_dataset`.
        load_size, skip_bad, fit: As in `paired_dataset`.

    Returns:
        A `BatchStream`.

    Raises:
        DataError: If a source is empty; and, while batches are read, if more files than ``skip_bad`` cannot be used.
        ValueError: If an argument is none of the above.

    Example:

    >>> from keras_semisis.data import SyntheticScenes
    >>> scenes = SyntheticScenes(num_scenes=6)
    >>> image, label_map = next(iter(unpaired_dataset(scenes, scenes, image_size=(16, 24), batch_size=3)))
    >>> image.dtype, label_map.dtype
    (dtype('float32'), dtype('int32'))
    """
    size, prepared_size = _sizes(image_size, load_size, batch_size, training)
    for what, source in (("images", images), ("labels", labels)):
        if not len(source):
            raise DataError(
                f"The source of unpaired {what} is empty. Name a folder that holds some, or train on the pairs alone (OASIS)."
            )
    if labels.label_space is None:
        raise ValueError("labels= has no label maps (its label_space is None). Give a source of label maps.")
    bad = bad_files(skip_bad)
    fit = chosen_fit(fit, images, size, training)
    lanes = [
        Lane(
            PreparedItems(images, prepared_size, image=True, fit=fit), size, draw_key(seed, "images"), training, bad_files=bad
        ),
        Lane(
            PreparedItems(labels, prepared_size, label_map=True, fit=fit),
            size,
            draw_key(seed, "label maps"),
            training,
            bad_files=bad,
        ),
    ]
    return BatchStream(lanes, batch_size, size, labels.label_space, training, bad_files=bad)


def chosen_fit(fit: str | None, source: Source, size: tuple[int, int], training: bool = True) -> str:
    """How photos are brought to a size: as is said, else "stretch".

    Args:
        fit: One of `FITS`, or None.
        source: The photos.
        size: (height, width).
        training: Whether they are trained on.

    Warns:
        DataWarning: If nothing is said and photos of several proportions would be stretched for a training.
    """
    if fit not in (None, *FITS):
        raise ValueError(f"fit={fit!r} is none of {', '.join(map(repr, FITS))}.")
    if fit is not None or not training or source.published_image_size == size:
        return fit or "stretch"
    looked_at = np.unique(np.linspace(0, len(source) - 1, _LOOKED_AT).round().astype(int))
    sizes = {int(i): found for i in looked_at if (found := source.photo_size(int(i))) is not None}
    if sizes:
        widest, narrowest = (choose(sizes, key=lambda i: sizes[i][1] / sizes[i][0]) for choose in (max, min))
        shown = [(source.location(i), sizes[i]) for i in (narrowest, widest)]
        ratios = [width / height for _, (height, width) in shown]
        if ratios[1] > MIXED * ratios[0]:
            listed = " and ".join(f"{where} is {height}×{width}" for where, (height, width) in shown)
            warnings.warn(
                DataWarning(
                    f"The photos have several proportions ({listed}, height×width), and all are stretched to "
                    f"{size[0]}×{size[1]}.",
                    Remedy(
                        'Give {} to scale the shorter side and crop the longer one, or "stretch" there to be told no more.',
                        {"fit": "crop"},
                    ),
                ),
                stacklevel=3,
            )
    return "stretch"


def _sizes(image_size, load_size, batch_size, training):
    size = tuple(int(v) for v in image_size)
    loaded = tuple(int(v) for v in load_size) if load_size is not None else size
    if len(size) != 2 or min(size) < 1:
        raise ArgumentError("{} must be (height, width), both at least 1.", {"image_size": image_size})
    if len(loaded) != 2 or loaded[0] < size[0] or loaded[1] < size[1]:
        raise ArgumentError(
            f"{{}} must be (height, width), neither below the image size, {size}: the crop is taken from it.",
            {"load_size": load_size},
        )
    if batch_size < 1:
        raise ValueError(f"batch_size={batch_size} must be at least 1.")
    return size, loaded if training else size


def training_stream(datasets: Sequence[Any], start_step: int = 0, total_steps: int | None = None) -> Any:
    """Zips data sets of any lengths into the one stream that Keras's `fit` reads.

    Args:
        datasets: Each a `BatchStream` in training form; or a `tf.data.Dataset` or `keras.utils.PyDataset` of
            ``(image, label_map)`` batches, which is taken as it is and repeated.
        start_step: The first step. Exact for a `BatchStream` and a PyDataset; a `tf.data.Dataset` starts
            over.
        total_steps: Steps of the whole training; None for no end.

    Returns:
        A `tf.data.Dataset` where TensorFlow is installed, else a `keras.utils.PyDataset`. An element is a
        tuple of the data sets' elements: ``((image, label_map), (image, label_map))`` of two, ``((image,
        label_map),)`` of one.

    Warns:
        UserWarning: If a `tf.data.Dataset` starts over where the others go on.

    Raises:
        TypeError: If a data set is none of these.
        ValueError: If a `BatchStream` was made with ``training=False``, or a step is out of range.

    Example:

    >>> from keras_semisis.data import SyntheticScenes, paired_dataset
    >>> batches = paired_dataset(SyntheticScenes(num_scenes=4), image_size=(16, 24), batch_size=2)
    >>> stream = training_stream([batches, batches], total_steps=3)
    >>> len(list(stream))
    3
    """
    if start_step < 0 or (total_steps is not None and start_step >= total_steps):
        raise ValueError(f"start_step={start_step} is not one of the steps 0..total_steps - 1 (total_steps={total_steps}).")
    tf = optional_tensorflow()
    for i, dataset in enumerate(datasets):
        _check_dataset(tf, dataset, i)
    if tf is None:
        loaders = [_step_loader(dataset, start_step, total_steps) for dataset in datasets]
        return StepDataset(lambda step: tuple(load(step) for load in loaders), start_step, total_steps)
    streams = tuple(_tf_stream(tf, dataset, start_step, total_steps) for dataset in datasets)
    # a tf.data.Dataset of the user's may have numbers that are found by autotuning
    zipped = without_autotuning(tf.data.Dataset.zip(streams), not any(_is_tf_data(tf, d) for d in datasets))
    if total_steps is None:
        return zipped
    steps = total_steps - start_step
    return zipped.take(steps).apply(tf.data.experimental.assert_cardinality(steps))


def _check_dataset(tf, dataset, position):
    if isinstance(dataset, BatchStream):
        if not dataset.training:
            raise ValueError(
                f"Data set {position} was made with training=False: its last batch may be "
                "incomplete. Make it with training=True."
            )
    elif not isinstance(dataset, OwnBatches | keras.utils.PyDataset) and not (tf and _is_tf_data(tf, dataset)):
        raise TypeError(
            f"Data set {position} is a {type(dataset).__name__}. Give what paired_dataset or "
            "unpaired_dataset returns, a tf.data.Dataset or a keras.utils.PyDataset of (image, "
            "label_map) batches."
        )


def _is_tf_data(tf, dataset):
    return dataset.is_tf_data if isinstance(dataset, OwnBatches) else isinstance(dataset, tf.data.Dataset)


def _step_loader(dataset, start_step, total_steps):
    """Step number → element, of a data set of ours or a PyDataset."""
    if isinstance(dataset, BatchStream):
        return dataset.own_rows_loader(total_steps)
    if isinstance(dataset, OwnBatches):
        return dataset.loader(start_step)
    load = by_number(dataset, dataset.num_batches)
    return lambda step: tuple(load(step))


def _tf_stream(tf, dataset, start_step, total_steps):
    if isinstance(dataset, BatchStream | OwnBatches):
        return dataset.stream(start_step, total_steps)
    if isinstance(dataset, tf.data.Dataset):
        if start_step > 0:
            warnings.warn(
                "A tf.data.Dataset starts over instead of going on at step "
                f"{start_step}: this resume is not exact. Use paired_dataset and "
                "unpaired_dataset for one that is.",
                stacklevel=3,
            )
        return dataset.repeat()
    load = _step_loader(dataset, start_step, total_steps)
    examples = [np.asarray(keras.ops.convert_to_numpy(array)) for array in load(start_step)]

    def arrays(step):
        return [np.asarray(keras.ops.convert_to_numpy(array)) for array in load(int(step))]

    def with_shapes(step):
        tensors = numpy_function(arrays, [step], [example.dtype for example in examples])
        for tensor, example in zip(tensors, examples, strict=True):
            tensor.set_shape((None, *example.shape[1:]))
        return tuple(tensors)

    return tf.data.Dataset.counter(start_step).map(with_shapes).prefetch(2)
