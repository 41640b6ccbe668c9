import numpy as np
import pytest
from scipy import stats

from keras_semisis.data.stream.draws import (
    draw_key,
    gather_blocks,
    permutation,
    random_bits,
    random_integers,
    uniform_draws,
)

# Statistical tests fail by chance with this probability (they are deterministic: once, when written).
ERROR_RATE = 1e-4


def splitmix64(state):
    """The published generator, in Python's integers: next output and next state."""
    mask = 2**64 - 1
    state = (state + 0x9E3779B97F4A7C15) & mask
    z = state
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
    return z ^ (z >> 31), state


def test_random_bits_are_splitmix64():
    # Published first outputs for the seed 1234567.
    known = [6457827717110365317, 3203168211198807973, 9817491932198370423]
    assert splitmix64(1234567)[0] == known[0]
    np.testing.assert_array_equal(random_bits(1234567, np.arange(1, 4)), np.array(known, np.uint64))


def test_random_bits_are_even_in_every_bit():
    bits = random_bits(draw_key(0, "test"), np.arange(20_000))
    ones = np.array([int(((bits >> np.uint64(b)) & np.uint64(1)).sum()) for b in range(64)])
    p_values = stats.binomtest(int(ones.sum()), 64 * 20_000).pvalue, *(stats.binomtest(int(n), 20_000).pvalue for n in ones)
    assert min(p_values) > ERROR_RATE / len(p_values)


def test_keys_differ_by_seed_and_purpose():
    keys = {draw_key(seed, purpose) for seed in range(20) for purpose in ("flip", "split")}
    assert len(keys) == 40


@pytest.mark.parametrize("bound", [1, 3, 1000])
def test_random_integers_are_uniform(bound):
    drawn = random_integers(random_bits(draw_key(1, "integers"), np.arange(50_000)), bound)
    assert drawn.min() >= 0 and drawn.max() < bound
    if bound > 1:
        assert stats.chisquare(np.bincount(drawn, minlength=bound)).pvalue > ERROR_RATE


def test_permutations_of_three_are_equally_frequent():
    orders = [tuple(permutation(3, seed, "order").tolist()) for seed in range(6000)]
    counts = np.unique(orders, axis=0, return_counts=True)[1]
    assert len(counts) == 6 and stats.chisquare(counts).pvalue > ERROR_RATE


def test_every_pass_of_uniform_draws_is_a_new_permutation():
    drawn = uniform_draws(20, 3, np.arange(5 * 20)).reshape(5, 20)
    np.testing.assert_array_equal(np.sort(drawn, axis=1), np.tile(np.arange(20), (5, 1)))
    assert len({tuple(order) for order in drawn}) == 5


def test_uniform_draws_depend_on_the_draw_number_alone():
    whole = uniform_draws(7, 1, np.arange(100))
    np.testing.assert_array_equal(uniform_draws(7, 1, np.arange(60, 84).reshape(4, 6)).ravel(), whole[60:84])


def test_gather_blocks_by_brute_force():
    blocks = np.arange(40).reshape(10, 4)[:, ::-1]
    draws = np.array([[39, 0], [5, 17]])
    np.testing.assert_array_equal(gather_blocks(draws, 4, lambda n: blocks[n]), blocks.ravel()[draws])
