"""Sampling of images with rare classes: class statistics, the probabilities p_i, the samplers."""

import contextlib
import hashlib
import os
import warnings
import zipfile
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from keras_semisis.data.draws import GOLDEN_GAMMA, draw_key, mix, random_bits
from keras_semisis.data.label_space import DataError
from keras_semisis.data.optional_tensorflow import optional_tensorflow
from keras_semisis.data.sources.source import Source

_MAX_BLOCK = 1024
_TWO_32 = 2**32


def class_statistics(source: Source, cache: str | Path | None = None,
                     progress: Callable[[int, int], None] | None = None) -> np.ndarray:
    """Pixels of each class in each label map, in one streaming pass.

    Args:
        source: A source with label maps.
        cache: An `.npz` file to keep the counts in. It is used again while the fingerprint of the data
            (names, file sizes and modification times, order, label space) is the same, and replaced when it
            is not. Nothing is kept for a source that gives no fingerprints.
        progress: Called with (label maps read, label maps in all).

    Returns:
        int64 ``(len(source), num_classes)``: n_i^c, at the label maps' own size.

    Raises:
        DataError: If a label map cannot be read or holds a stray id.

    Warns:
        UserWarning: If the counts cannot be kept, because the disk is full or read-only.

    Example:

    >>> from keras_semisis.data import SyntheticScenes
    >>> counts = class_statistics(SyntheticScenes(num_scenes=3))
    >>> counts.shape[0]
    3
    """
    fingerprint = None if cache is None else _fingerprint(source)
    if fingerprint is not None:
        counts = _read_cache(Path(cache), fingerprint)
        if counts is not None:
            return counts
    counts = np.zeros((len(source), source.label_space.num_classes), np.int64)
    for i, row in enumerate(_count_in_order(source)):
        counts[i] = row
        if progress is not None:
            progress(i + 1, len(source))
    if fingerprint is not None:
        _write_cache(Path(cache), fingerprint, counts)
    return counts


def _count_in_order(source: Source):
    """Yields the class counts of each label map; threads, since decoding releases the interpreter's lock."""
    def count(index):
        return np.bincount(source.load_label_map(index).reshape(-1), minlength=source.label_space.num_classes)

    pool = ThreadPoolExecutor(os.cpu_count() or 1)
    try:
        yield from pool.map(count, range(len(source)))
    finally:
        pool.shutdown(cancel_futures=True)


def _fingerprint(source: Source) -> str | None:
    digest = hashlib.blake2b(repr((source.label_space, source.label_space.palette)).encode(), digest_size=16)
    for index in range(len(source)):
        item = source.fingerprint(index)
        if item is None:
            return None
        digest.update(item.encode() + b"\n")
    return digest.hexdigest()


def _read_cache(path: Path, fingerprint: str) -> np.ndarray | None:
    try:
        with np.load(path) as stored:
            return stored["counts"] if str(stored["fingerprint"]) == fingerprint else None
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error):
        return None  # missing, cut short or another file altogether: count again


def _write_cache(path: Path, fingerprint: str, counts: np.ndarray) -> None:
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(unfinished, "wb") as file:
            np.savez_compressed(file, counts=counts, fingerprint=fingerprint)
        os.replace(unfinished, path)
    except OSError as error:  # a full or read-only disk: what took long to count is still there for this run
        with contextlib.suppress(OSError):
            unfinished.unlink()
        warnings.warn(f"{path}: the class statistics cannot be kept ({error.strerror or error}); the next run will count "
                      "again. Free the disk, or name another file by statistics_cache=.", stacklevel=3)


def missing_classes(paired: Source, whole: Source) -> list[str]:
    """Names of the classes that ``whole`` has and ``paired`` has not, the don't-care class left out.

    Reads every label map of ``paired``, and of ``whole`` as many as it takes to find the missing classes.

    Args:
        paired: A source with label maps.
        whole: The source that it was taken from.

    Returns:
        Class names, in the order of their ids.
    """
    space = paired.label_space
    absent = np.ones(space.num_classes, bool)
    if space.ignore_class is not None:
        absent[space.ignore_class] = False
    for counts in _count_in_order(paired):
        absent &= counts == 0
        if not absent.any():
            return []
    found = np.zeros(space.num_classes, bool)
    for counts in _count_in_order(whole):
        found |= absent & (counts > 0)
        if (found == absent).all():
            break
    return [space.class_names[c] for c in np.flatnonzero(found)]


def _scores(counts: np.ndarray, totals: np.ndarray, ignore_class: int | None) -> np.ndarray:
    """p̂_i = Σ_c n_i^c / n^c, over the classes that occur."""
    shares = np.divide(counts, totals, out=np.zeros(counts.shape, np.float64), where=np.asarray(totals) > 0)
    if ignore_class is not None:
        shares[..., ignore_class] = 0.0
    return shares.sum(axis=-1)


def rare_class_probabilities(statistics: np.ndarray, ignore_class: int | None = None) -> np.ndarray:
    """The probability of each image under rare-class sampling: p_i = p̂_i / Σ_j p̂_j, p̂_i = Σ_c n_i^c / n^c.

    A class that no image has contributes nothing; neither does the don't-care class.

    Args:
        statistics: n_i^c, ``(images, classes)``, from `class_statistics`.
        ignore_class: The don't-care class, or None.

    Returns:
        float64 ``(images,)``, of sum 1.

    Raises:
        DataError: If no pixel counts at all.

    Example:

    >>> rare_class_probabilities(np.array([[90, 10], [10, 0]])).tolist()
    [0.95, 0.05]

    Reference:
        Eskandar et al., "A Semi-Paired Approach for Label-to-Image Translation", arXiv 2306.13585,
        section 3.4.
    """
    statistics = np.asarray(statistics)
    scores = _scores(statistics, statistics.sum(axis=0), ignore_class)
    if not scores.sum() > 0:
        raise DataError(f"The {len(statistics)} label maps hold no pixel of any class but don't-care, so "
                        "no image can be preferred. Check ignore_class and the labels, or use "
                        'sampler="uniform".')
    return scores / scores.sum()


def _acceptance(probabilities, seed: int) -> tuple[np.ndarray, int, int]:
    """Acceptance thresholds out of 2^32, candidates a block, and the key of the draws."""
    probabilities = np.asarray(probabilities, np.float64)
    if probabilities.ndim != 1 or not (probabilities >= 0).all() or not probabilities.sum() > 0:
        raise ValueError("probabilities must be a vector of non-negative numbers with a positive sum, got "
                         f"{probabilities!r:.100}.")
    thresholds = np.round(probabilities / probabilities.max() * _TWO_32).astype(np.int64)
    # Twice the mean number of candidates, so that most draws end in their first block.
    block = int(np.ceil(2 * len(thresholds) * _TWO_32 / thresholds.sum()))
    return thresholds, min(block, _MAX_BLOCK), draw_key(seed, "rare classes")


def rejection_draws(probabilities, seed: int, draws) -> np.ndarray:
    """Indices drawn with the given probabilities, by rejection; `rejection_sample` without TensorFlow.

    Draw k tries one candidate after the other, a uniform index i with a uniform number u, until u < p_i / max
    p. It depends on ``seed`` and k alone.

    Args:
        probabilities: p_i, ``(items,)``; need not sum to 1.
        seed: The seed.
        draws: Draw numbers k, any shape.

    Returns:
        int64 indices of the shape of ``draws``; the same that `rejection_sample` gives.

    Example:

    >>> rejection_draws([0.0, 1.0, 0.0], seed=0, draws=np.arange(4)).tolist()
    [1, 1, 1, 1]
    """
    thresholds, block, key = _acceptance(probabilities, seed)
    draws = np.asarray(draws)
    states = random_bits(key, draws.reshape(-1))
    drawn = np.zeros(states.shape, np.int64)
    open_draws = np.arange(len(states))
    first = 0
    while len(open_draws):
        attempts = np.arange(first, first + block).astype(np.uint64) * np.uint64(GOLDEN_GAMMA)
        bits = mix(states[open_draws, None] + attempts)
        indices = ((bits >> np.uint64(32)).astype(np.int64) * len(thresholds)) >> 32
        accepted = (bits & np.uint64(_TWO_32 - 1)).astype(np.int64) < thresholds[indices]
        rows = np.flatnonzero(accepted.any(axis=1))
        drawn[open_draws[rows]] = indices[rows, accepted[rows].argmax(axis=1)]
        open_draws = np.delete(open_draws, rows)
        first += block
    return drawn.reshape(draws.shape)


def rejection_sample(probabilities, seed: int = 0):
    """Rare-class sampling as a transformation of a `tf.data.Dataset` of draw numbers, before any image is
    read.

    Draw k tries one candidate after the other, a uniform index i with a uniform number u, until u < p_i / max
    p. It depends on ``seed`` and k alone, whatever the batching, so that ``Dataset.range(k, ...)`` goes on
    where a stream that began at 0 would be.

    Args:
        probabilities: p_i, ``(items,)``; need not sum to 1.
        seed: The seed.

    Returns:
        A function for `tf.data.Dataset.apply`: elements are int64 draw numbers of any shape, and become int64
        indices of that shape. `rejection_draws` is the same without TensorFlow.

    Raises:
        ValueError: If the probabilities are no such vector.
        ImportError: If TensorFlow is not installed.

    Example:

    >>> import tensorflow as tf
    >>> p = [0.1, 0.2, 0.7]
    >>> whole = tf.data.Dataset.range(0, 100).apply(rejection_sample(p, seed=1))
    >>> tail = tf.data.Dataset.range(60, 100).apply(rejection_sample(p, seed=1))
    >>> list(whole.as_numpy_iterator())[60:] == list(tail.as_numpy_iterator())
    True

    Reference:
        Eskandar et al., "A Semi-Paired Approach for Label-to-Image Translation", arXiv 2306.13585,
        section 3.4.
    """
    tf = _require_tensorflow("rejection_sample", "rejection_draws")
    thresholds, block, key = _acceptance(probabilities, seed)

    def draw(draws):
        states = _random_bits_tf(tf, key, tf.reshape(draws, [-1, 1]))

        def some_open(first, drawn):
            return tf.reduce_any(drawn < 0)

        def next_block(first, drawn):
            attempts = tf.cast(tf.range(first, first + block), tf.uint64) * np.uint64(GOLDEN_GAMMA)
            bits = mix(states + attempts, tf.bitwise.right_shift)
            upper = tf.cast(tf.bitwise.right_shift(bits, np.uint64(32)), tf.int64)
            indices = tf.bitwise.right_shift(upper * len(thresholds), np.int64(32))
            lower = tf.cast(tf.bitwise.bitwise_and(bits, np.uint64(_TWO_32 - 1)), tf.int64)
            accepted = lower < tf.gather(tf.constant(thresholds), indices)
            position = tf.reduce_min(tf.where(accepted, tf.range(block), block), axis=1)
            chosen = tf.gather(indices, tf.minimum(position, block - 1), axis=1, batch_dims=1)
            return first + block, tf.where((drawn < 0) & (position < block), chosen, drawn)

        nothing = tf.fill([tf.size(draws)], tf.constant(-1, tf.int64))
        _, drawn = tf.while_loop(some_open, next_block, (tf.constant(0, tf.int64), nothing))
        return tf.reshape(drawn, tf.shape(draws))

    def transform(dataset):
        def with_shape(draws):
            indices = draw(draws)
            indices.set_shape(draws.shape)
            return indices

        return dataset.map(with_shape)

    return transform


def stream_rejection_sample(class_totals, largest_score: float, ignore_class: int | None = None,
                            seed: int = 0):
    """Rare-class sampling for data that can only be read in order: a filter of ``(image, label_map)``
    elements.

    Each element passes with probability p̂_i / ``largest_score``, p̂_i = Σ_c n_i^c / n^c from its own label
    map, so that over many passes (``dataset.repeat()`` before it) the images appear in proportion to p_i.
    Unlike `rejection_sample` it reads every element, and keeps the order of the data: shuffle before it.

    Args:
        class_totals: n^c, ``(classes,)``: the column sums of `class_statistics`, or one pass over the stream.
        largest_score: The largest p̂_i of the data, or any bound above it (fewer elements pass). An element
            that exceeds it passes always, which is less often than its due.
        ignore_class: The don't-care class, or None.
        seed: The seed; whether the element at position k passes depends on it, on k and on the label map.

    Returns:
        A function for `tf.data.Dataset.apply`, on elements ``(image, label_map)`` with an integer ``(H, W)``
        label map.

    Raises:
        ImportError: If TensorFlow is not installed.

    Example:

    >>> import tensorflow as tf
    >>> maps = np.array([[[0, 0]], [[0, 1]]])
    >>> stream = tf.data.Dataset.from_tensor_slices((np.zeros((2, 1, 2, 3)), maps)).repeat(300)
    >>> kept = stream.apply(stream_rejection_sample([3, 1], largest_score=4 / 3))
    >>> sum(1 for _, label_map in kept if int(label_map[0, 1]) == 1)  # the largest score always passes
    300
    """
    tf = _require_tensorflow("stream_rejection_sample", "rejection_draws")
    # Σ_c n_i^c / n^c is the sum over the pixels of 1 / n^c of their class.
    weights = _scores(np.eye(len(class_totals)), np.asarray(class_totals), None)
    if ignore_class is not None:
        weights[ignore_class] = 0.0
    key = draw_key(seed, "rare classes of a stream")

    def passes(position, element):
        score = tf.reduce_sum(tf.gather(tf.constant(weights), tf.cast(element[1], tf.int32)))
        bits = _random_bits_tf(tf, key, tf.reshape(position, [1]))[0]
        uniform = tf.cast(tf.bitwise.right_shift(bits, np.uint64(11)), tf.float64) / 2.0**53
        # The sum over pixels rounds: the image with the largest score must not fall short of it.
        return uniform * largest_score < score * (1 + 1e-9)

    def transform(dataset):
        return dataset.enumerate().filter(passes).map(lambda position, element: element)

    return transform


def _random_bits_tf(tf, key: int, counters):
    """`draws.random_bits` as a TensorFlow graph."""
    spread = tf.cast(counters, tf.uint64) * np.uint64(GOLDEN_GAMMA) + np.uint64(key)
    return mix(spread, tf.bitwise.right_shift)


def _require_tensorflow(function: str, alternative: str):
    tf = optional_tensorflow()
    if tf is None:
        raise ImportError(f"{function} is a tf.data transformation and needs TensorFlow (pip install "
                          f'"keras-semisis[tensorflow]"). Without it use {alternative}, or paired_dataset, '
                          "which does so by itself.")
    return tf
