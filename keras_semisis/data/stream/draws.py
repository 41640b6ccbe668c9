"""Random draws by number: the k-th one depends on a seed, a purpose and k alone.

A counter goes through SplitMix64's finalizer (Steele, Lea, Flood, "Fast Splittable Pseudorandom Number
Generators", OOPSLA 2014): a handful of integer operations, exact and alike in NumPy and TensorFlow. So a run
that resumes on another machine, with or without TensorFlow, draws the same items. (The streams of
`numpy.random` and `tf.random` differ from each other, and neither is promised to survive a new version.)
"""

import functools
import hashlib
from collections.abc import Callable

import numpy as np

GOLDEN_GAMMA = 0x9E3779B97F4A7C15
_MULTIPLIERS = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
_SHIFTS = (np.uint64(30), np.uint64(27), np.uint64(31))


def draw_key(seed: int, *purpose: str | int) -> int:
    """A 64-bit key for one purpose of one seed; other purposes draw independently of it."""
    text = "/".join(str(part) for part in (seed, *purpose))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def mix(x, right_shift=np.right_shift):
    """SplitMix64's finalizer, of a uint64 array or (with ``right_shift=tf.bitwise.right_shift``) tensor."""
    x = (x ^ right_shift(x, _SHIFTS[0])) * _MULTIPLIERS[0]
    x = (x ^ right_shift(x, _SHIFTS[1])) * _MULTIPLIERS[1]
    return x ^ right_shift(x, _SHIFTS[2])


def random_bits(key: int, counters) -> np.ndarray:
    """64 random bits for each counter.

    Args:
        key: From `draw_key`.
        counters: Non-negative integers, any shape.

    Returns:
        uint64 array of the counters' shape.

    Example:

    >>> bits = random_bits(draw_key(0, "flip"), np.arange(1000))
    >>> bool(abs((bits & np.uint64(1)).mean() - 0.5) < 0.05)
    True
    """
    counters = np.asarray(counters)
    spread = counters.reshape(-1).astype(np.uint64) * np.uint64(GOLDEN_GAMMA)
    return mix(spread + np.uint64(key)).reshape(counters.shape)


def random_integers(bits: np.ndarray, bound) -> np.ndarray:
    """Integers in ``0..bound-1`` (int64) from the upper 32 of 64 random bits; ``bound`` is below 2^31."""
    return ((bits >> np.uint64(32)).astype(np.int64) * np.asarray(bound, np.int64)) >> 32


def permutation(num_items: int, seed: int, *purpose: str | int) -> np.ndarray:
    """A random order of ``0..num_items-1`` (int64).

    Example:

    >>> sorted(permutation(4, 0, "split").tolist())
    [0, 1, 2, 3]
    """
    return np.argsort(random_bits(draw_key(seed, *purpose), np.arange(num_items)), kind="stable")


@functools.lru_cache(maxsize=8)
def _pass_order(num_items: int, seed: int, number: int) -> np.ndarray:
    return permutation(num_items, seed, "pass", number)


def uniform_draws(num_items: int, seed: int, draws) -> np.ndarray:
    """The items of uniform draws: every pass takes each item once, in an order of its own.

    Args:
        num_items: Items to draw from.
        seed: The seed.
        draws: Draw numbers k, any shape. Draw k is item ``k mod num_items`` of pass ``k div num_items``.

    Returns:
        int64 indices of the shape of ``draws``.

    Example:

    >>> sorted(uniform_draws(5, 0, np.arange(5, 10)).tolist())
    [0, 1, 2, 3, 4]
    """
    return gather_blocks(draws, num_items, functools.partial(_pass_order, num_items, seed))


def gather_blocks(draws, block_size: int, block: Callable[[int], np.ndarray]) -> np.ndarray:
    """Element ``k mod block_size`` of ``block(k div block_size)``, for each draw number k.

    Args:
        draws: Draw numbers k, any shape.
        block_size: Elements of a block.
        block: Block number → int64 ``(block_size,)``.

    Returns:
        int64 array of the shape of ``draws``.
    """
    numbers, positions = np.divmod(np.asarray(draws, np.int64), block_size)
    elements = np.empty(numbers.shape, np.int64)
    for number in np.unique(numbers):
        chosen = numbers == number
        elements[chosen] = block(int(number))[positions[chosen]]
    return elements
