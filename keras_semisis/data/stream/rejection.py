"""Sampling of images with given probabilities, as rare-class sampling has them, by rejection."""

from collections.abc import Callable
from typing import Any

import numpy as np

from keras_semisis.data.statistics.rare_classes import rare_class_scores
from keras_semisis.data.stream.draws import GOLDEN_GAMMA, draw_key, mix, random_bits
from keras_semisis.data.stream.optional_tensorflow import optional_tensorflow

_MAX_BLOCK = 1024
_TWO_32 = 2**32


def _acceptance(probabilities, seed: int) -> tuple[np.ndarray, int, int]:
    """Acceptance thresholds out of 2^32, candidates a block, and the key of the draws."""
    probabilities = np.asarray(probabilities, np.float64)
    if probabilities.ndim != 1 or not (probabilities >= 0).all() or not probabilities.sum() > 0:
        raise ValueError(
            f"probabilities must be a vector of non-negative numbers with a positive sum, got {probabilities!r:.100}."
        )
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


def rejection_sample(probabilities: Any, seed: int = 0) -> Callable[[Any], Any]:
    """Rare-class sampling as a transformation of a `tf.data.Dataset` of draw numbers, before any image is read.

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


def stream_rejection_sample(
    class_totals: Any, largest_score: float, ignore_class: int | None = None, seed: int = 0
) -> Callable[[Any], Any]:
    """Rare-class sampling for data that can only be read in order: a filter of ``(image, label_map)`` elements.

    Each element passes with probability p̂_i / ``largest_score``, p̂_i = Σ_c n_i^c / n^c from its own label
    map, so that over many passes (``dataset.repeat()`` before it) the images appear in proportion to p_i.
    Unlike `rejection_sample` it reads every element, and keeps the order of the data: shuffle before it.

    Args:
        class_totals: n^c, ``(classes,)``: the ``totals`` of `class_statistics`, or of one pass over the stream.
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
    weights = rare_class_scores(np.eye(len(class_totals)), np.asarray(class_totals), None)
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
        raise ImportError(
            f"{function} is a tf.data transformation and needs TensorFlow (pip install "
            f'"keras-semisis[tensorflow]"). Without it use {alternative}, or paired_dataset, '
            "which does so by itself."
        )
    return tf
