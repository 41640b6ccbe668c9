"""Noise of one's own: vectors, maps, and other noise in one region."""

from types import SimpleNamespace

import numpy as np
import pytest
from keras import ops

from keras_semisis import models
from keras_semisis.data import LabelSpace
from keras_semisis.gans import Sampler
from keras_semisis.gans.noise import between
from keras_semisis.layers import SemanticConv2D
from tests.gans.test_any_size import BUILDERS, CLASSES, maps, oasis  # noqa: F401  # a fixture

pytestmark = pytest.mark.usefixtures("eager_tensorflow")


def test_a_convolution_of_a_map_of_noise_is_that_of_the_vector_where_it_is_the_same():
    random = np.random.default_rng(0)
    layer, label_map = SemanticConv2D(5, CLASSES), random.integers(0, CLASSES, (2, 4, 6))
    noise = random.standard_normal((2, 3)).astype("float32")
    expected = ops.convert_to_numpy(layer([label_map, noise]))
    spread = np.broadcast_to(noise[:, None, None], (2, 8, 12, 3))
    np.testing.assert_allclose(ops.convert_to_numpy(layer([label_map, spread])), expected, atol=1e-5)
    # by hand: at a pixel, noise and class of the nine pixels around it
    differing = random.standard_normal((2, 4, 6, 3)).astype("float32")
    inputs = np.concatenate([differing, np.eye(CLASSES)[label_map]], axis=-1)[0, 1:4, 2:5]
    found = ops.convert_to_numpy(layer([label_map, differing]))[0, 2, 3]
    kernel = np.asarray(layer.get_weights()[0])
    np.testing.assert_allclose(found, np.einsum("klz,klzf->f", inputs, kernel), atol=1e-5)


@pytest.mark.parametrize("size", [(16, 32), (23, 18)])
def test_noise_that_is_given_is_drawn(oasis, size):  # noqa: F811
    label_maps = maps(size, 2)
    expected = oasis.generate(label_maps, seed=4, first=7).astype(int)
    noise = oasis.noise_of_seed(4, 2, first=7)
    assert np.abs(oasis.generate(label_maps, noise=noise) - expected).max() <= 1
    assert np.abs(oasis.generate(label_maps[1], noise=noise[1]) - expected[1]).max() <= 1
    spread = np.broadcast_to(noise[:, None, None], (2, *size, 4))
    assert np.abs(oasis.generate(label_maps, noise=spread) - expected).max() <= 1
    # everywhere the noise of another seed
    assert np.abs(oasis.generate(label_maps, resample=[(np.ones(size, bool), 4)], first=7) - expected).max() <= 1


@pytest.mark.parametrize("draws", [1, 2])
def test_what_is_scored_is_what_generate_draws(oasis, draws):  # noqa: F811
    """Batch by batch, the maps numbered through; of several draws by successive seeds."""
    label_maps, seen = maps((16, 32), 5), []
    metric = SimpleNamespace(name="drawn", draws=draws, reset_state=seen.clear, result=dict)
    metric.update_state = lambda label_map, image, generated: seen.append(generated if draws > 1 else generated[None])
    oasis.evaluate(np.zeros((5, 16, 32, 3), "uint8"), label_maps, metrics=[metric], seed=3, batch_size=2, verbose=0)
    expected = np.stack([oasis.generate_floats(label_maps, seed=3 + draw) for draw in range(draws)])
    np.testing.assert_allclose(np.concatenate(seen, axis=1), expected, atol=1e-4)


def test_beyond_the_reach_of_a_region_nothing_changes(oasis):  # noqa: F811
    label_maps = maps((16, 96), 2)
    mask = np.zeros((16, 96), bool)
    mask[:, :31] = True
    before, after = (oasis.generate(label_maps, resample=region).astype(int) for region in (None, [(mask, 9)]))
    reach = oasis.tile_reach() + oasis.size_multiple() - 1
    change = np.abs(after - before).max((0, 1, 3))
    assert change[31 + reach :].max() <= 1 < change[:31].min() and change[31 : 31 + reach].max() > 1
    # in tiles as whole, and over noise that is a map
    tiled = oasis.generate(label_maps, resample=[(mask, 9)], tile_size=(16, 32), batch_size=3)
    assert np.abs(tiled - after).max() <= 1
    spread = np.broadcast_to(oasis.noise_of_seed(0, 2)[:, None, None], (2, 16, 96, 4))
    assert np.abs(oasis.generate(label_maps, noise=spread, resample=[(mask, 9)]) - after).max() <= 1


def test_a_region_is_a_class_by_name_or_id_and_the_last_counts():
    space = LabelSpace(("sky", "road", "car", "tree"), tuple((i, i, i) for i in range(CLASSES)))
    sampler, label_map = Sampler(BUILDERS["oasis"]((16, 32)), label_space=space), maps((16, 32))[0]

    def drawn(*resample):
        return sampler.generate(label_map, resample=resample)

    np.testing.assert_array_equal(drawn(("road", 3)), drawn((label_map == 1, 3)))
    np.testing.assert_array_equal(drawn((1, 3)), drawn((label_map == 1, 3)))
    np.testing.assert_array_equal(drawn(("car", 2), ("road", 3), ("car", 4)), drawn(("road", 3), ("car", 4)))
    noise = np.random.default_rng(0).standard_normal((16, 32, 4)).astype("float32")
    before = noise.copy()
    several, last = (sampler.generate(label_map, noise=noise, resample=r) for r in ([("car", 2), ("car", 4)], [("car", 4)]))
    np.testing.assert_array_equal(several, last)
    np.testing.assert_array_equal(noise, before)
    for resample, words in (
        (("bus", 1), "'bus' is no class; there are sky, road, car, tree"),
        ((label_map, 1), r"a mask is \(16, 32\) uint8; a boolean one of \(16, 32\)"),
    ):
        with pytest.raises(ValueError, match=words):
            drawn(resample)
    with pytest.raises(ValueError, match=r"noise: its shape is \(1, 3\); \(1, 4\) is expected, or \(1, 16, 32, 4\)"):
        sampler.generate(label_map, noise=np.zeros(3))


def test_a_generator_without_noise_or_of_a_style_says_so():
    with pytest.raises(ValueError, match="takes no noise"):
        Sampler(BUILDERS["oasis without noise"]((16, 32))).generate(maps((16, 32)), resample=[(1, 2)])
    styled = Sampler(models.spade_generator(CLASSES, (32, 32), base_channels=1, latent_channels=4, hidden_channels=4))
    with pytest.raises(ValueError, match="one vector, its style, which cannot differ between pixels"):
        styled.generate(maps((32, 32)), resample=[(1, 2)])


def test_between_two_noises_their_length_stays():
    start, end = np.random.default_rng(0).standard_normal((2, 64))
    way = between(start, end * np.linalg.norm(start) / np.linalg.norm(end), 5)
    np.testing.assert_allclose(np.linalg.norm(way, axis=1), np.linalg.norm(start), rtol=1e-5)
    np.testing.assert_allclose(way[0], start, rtol=1e-5)
    steps = np.linalg.norm(np.diff(way, axis=0), axis=1)
    np.testing.assert_allclose(steps, steps[0], rtol=1e-4)
    np.testing.assert_allclose(between(start, start, 3), np.repeat(start[None], 3, 0), rtol=1e-5)
