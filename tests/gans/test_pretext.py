"""Pretext tasks against the same in NumPy."""

from types import SimpleNamespace

import numpy as np
import pytest
from keras import ops

from keras_semisis.gans.pretext import Cycle, Diversity
from keras_semisis.losses import CycleLoss

DRAWN = np.random.default_rng(0)
LABEL_MAP = DRAWN.integers(0, 3, (2, 4, 4)).astype("int32")
LOGITS = 3 * DRAWN.standard_normal((2, 4, 4, 4)).astype("float32")


def cycling():
    """A system whose D returns `LOGITS`."""
    return SimpleNamespace(
        reverse=None,
        cycle_loss=CycleLoss(class_balancing=False),
        discriminator=lambda image, training: LOGITS,
        augmented=lambda image, label_map: (image, label_map),
    )


def test_an_unsure_pixel_does_not_count_in_the_cycle():
    shifted = np.exp(LOGITS[..., 1:] - LOGITS[..., 1:].max(-1, keepdims=True))
    probabilities = shifted / shifted.sum(-1, keepdims=True)
    entropy = -np.log(np.take_along_axis(probabilities, LABEL_MAP[..., None], -1)[..., 0])
    sure = probabilities.max(-1) >= 0.8
    assert 5 < sure.sum() < sure.size - 5
    for confidence, counted in ((0.0, np.ones_like(sure)), (0.8, sure)):
        value = Cycle(confidence=confidence)(cycling(), ops.convert_to_tensor(LABEL_MAP), None, None)
        np.testing.assert_allclose(ops.convert_to_numpy(value), (entropy * counted).mean(), rtol=1e-5)


@pytest.mark.parametrize("confidence", [-0.1, 1.0])
def test_a_confidence_that_is_no_probability(confidence):
    with pytest.raises(ValueError, match=f"cycle_confidence={confidence} is not a probability"):
        Cycle(confidence=confidence)


@pytest.mark.parametrize(("scale", "differs"), [(0.0, False), (0.05, True), (10.0, True)])
def test_diversity_is_the_share_that_photos_differ_by(scale, differs):
    noise, other = DRAWN.standard_normal((2, 3, 8)).astype("float32")
    photos = {id(z): scale * np.tile(z[:, None, None, :3], (1, 4, 4, 1)) for z in (noise, other)}
    gan = SimpleNamespace(draw_noise=lambda label_map: other, generate_from=lambda label_map, z: photos[id(z)])
    value = float(ops.convert_to_numpy(Diversity(limit=0.2)(gan, LABEL_MAP, noise, photos[id(noise)])))
    apart = np.abs(photos[id(noise)] - photos[id(other)]).mean((1, 2, 3)) / np.abs(noise - other).mean(1)
    assert value == pytest.approx(0.2 - np.minimum(apart, 0.2).mean(), abs=1e-6)
    assert (value < 0.2 - 1e-6) == differs


def test_without_noise_there_is_no_diversity():
    with pytest.raises(ValueError, match=r"pretext\.Diversity: the generator takes no noise"):
        Diversity()(SimpleNamespace(draw_noise=lambda label_map: None), LABEL_MAP, None, None)


def test_they_are_written_and_read():
    for task in (Cycle(2.0, 0.5), Diversity(3.0, 0.1)):
        assert vars(type(task).from_config(task.get_config())) == vars(task)
    assert Cycle.from_config({"weight": None}).confidence == 0  # of a file before there was a threshold


def test_photos_beyond_the_limit_do_not_make_up_for_one_that_is_alike():
    noise, other = DRAWN.standard_normal((2, 3, 8)).astype("float32")
    scale = np.array([0.01, 10.0, 10.0], "float32")[:, None, None, None]
    photos = {id(z): scale * np.tile(z[:, None, None, :3], (1, 4, 4, 1)) for z in (noise, other)}
    gan = SimpleNamespace(draw_noise=lambda label_map: other, generate_from=lambda label_map, z: photos[id(z)])
    value = float(ops.convert_to_numpy(Diversity(limit=0.2)(gan, LABEL_MAP, noise, photos[id(noise)])))
    apart = np.abs(photos[id(noise)] - photos[id(other)]).mean((1, 2, 3)) / np.abs(noise - other).mean(1)
    assert apart[0] < 0.2 < apart[1:].min() and value == pytest.approx((0.2 - apart[0]) / 3, rel=1e-4)
