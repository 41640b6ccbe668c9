"""torchvision's VGG19: which entry goes where, and that the classifier is never touched."""

import numpy as np
import pytest
import scipy.signal
from keras import ops

from keras_semisis.checkpoints import CheckpointError, load_reference_weights
from keras_semisis.checkpoints.entries import Unused, Weight
from keras_semisis.checkpoints.reference_weights import reference_entries
from keras_semisis.models.vgg19 import vgg19_features
from keras_semisis.models.vgg_trunk import vgg_trunk

# channels of torchvision's `vgg19().features`, by position
WIDTHS = {
    0: 64,
    2: 64,
    5: 128,
    7: 128,
    10: 256,
    12: 256,
    14: 256,
    16: 256,
    19: 512,
    21: 512,
    23: 512,
    25: 512,
    28: 512,
    30: 512,
    32: 512,
    34: 512,
}
CLASSIFIER = {0: (4096, 25088), 3: (4096, 4096), 6: (1000, 4096)}


class NeverRead:
    """Stands for an array that is too large to be touched without need."""

    def __init__(self, shape):
        self.shape = shape

    def __array__(self, *args, **kwargs):
        raise AssertionError(f"an unused entry of the shape {self.shape} was turned into an array")


@pytest.fixture(scope="module")
def state_dict():
    random, state, channels = np.random.default_rng(0), {}, 3
    for position, width in WIDTHS.items():
        key, shape = f"features.{position}", (width, channels, 3, 3)
        used = position <= 28
        state[f"{key}.weight"] = random.standard_normal(shape, "float32") if used else NeverRead(shape)
        state[f"{key}.bias"] = random.standard_normal(width, "float32") if used else NeverRead((width,))
        channels = width
    for position, shape in CLASSIFIER.items():
        state[f"classifier.{position}.weight"] = NeverRead(shape)
        state[f"classifier.{position}.bias"] = NeverRead(shape[:1])
    return state


@pytest.fixture(scope="module")
def loaded(state_dict):
    return load_reference_weights(vgg19_features(weights=None), state_dict, family="torchvision")


def test_entries_are_those_of_torchvision_and_come_back_bit_for_bit(loaded, state_dict):
    """What `save_reference_weights` writes, without writing the unused half gigabyte."""
    entries = {entry.name: entry for entry in reference_entries(loaded, "torchvision")}
    assert {name: entry.shape for name, entry in entries.items()} == {n: tuple(a.shape) for n, a in state_dict.items()}
    for name, array in state_dict.items():
        if isinstance(array, NeverRead):
            assert isinstance(entries[name], Unused), name
        else:
            assert isinstance(entries[name], Weight), name
            np.testing.assert_array_equal(entries[name].value(), array, err_msg=name)


def test_first_feature_is_the_convolution_of_the_file(loaded, state_dict):
    image = np.random.default_rng(1).uniform(-1, 1, (1, 16, 16, 3)).astype("float32")
    feature = ops.convert_to_numpy(loaded(image)[0])[0]
    weight, bias = state_dict["features.0.weight"], state_dict["features.0.bias"]
    for channel in (0, 31, 63):
        expected = sum(scipy.signal.correlate2d(image[0, ..., i], weight[channel, i], "same") for i in range(3))
        np.testing.assert_allclose(feature[..., channel], np.maximum(expected + bias[channel], 0), rtol=1e-4, atol=1e-4)


def test_what_does_not_fit_is_refused(loaded, state_dict):
    wrong = dict(state_dict, **{"features.28.weight": np.zeros((512, 256, 3, 3), "float32")})
    del wrong["features.5.bias"]
    with pytest.raises(CheckpointError, match=r"(?s)missing: features\.5\.bias \(128,\).*shape: features\.28\.weight"):
        load_reference_weights(loaded, wrong, family="torchvision")


def test_vgg16_is_no_network_of_the_family():
    with pytest.raises(ValueError, match=r"'vgg16' is no network of the family 'torchvision'"):
        reference_entries(vgg_trunk((2, 2, 3, 3, 3), "vgg16"), "torchvision")
