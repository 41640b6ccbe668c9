"""A padding that is no number is refused by all layers that have one, and the number that is advised is Keras's word."""

import re

import keras
import numpy as np
import pytest

from keras_semisis import layers

LAYERS = {
    "Blur": lambda size, strides, padding: layers.Blur(padding, strides),
    "EqualizedConv2D": lambda size, strides, padding: layers.EqualizedConv2D(2, size, strides, padding),
    "SpectralConv2D": lambda size, strides, padding: layers.SpectralConv2D(2, size, strides, padding),
}
CASES = [
    (name, size, strides) for name in LAYERS for size in ((4,) if name == "Blur" else (1, 2, 3, 4, 5)) for strides in (1, 2, 3)
]


def length_of(layer):
    return layer.compute_output_shape((1, 12, 12, 3))[1]


@pytest.mark.parametrize(("name", "size", "strides"), CASES)
def test_the_number_of_a_word_is_that_of_keras(name, size, strides):
    for word in ("same", "valid"):
        with pytest.raises(ValueError, match=f"^{name}: padding='{word}': a whole number is expected") as raised:
            LAYERS[name](size, strides, word)
        advised = {told: int(number) for number, told in re.findall(r'padding=(\d+) is "(\w+)"', str(raised.value))}
    for word in ("same", "valid"):
        expected = length_of(keras.layers.Conv2D(2, size, strides, padding=word))
        found = {padding for padding in range(6) if length_of(LAYERS[name](size, strides, padding)) == expected}
        assert advised[word] in found if word in advised else not found


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("padding", [-1, 1.0, True, (1, 1), "1"])
def test_what_is_no_whole_number_is_refused(name, padding):
    with pytest.raises(ValueError, match=re.escape(f"{name}: padding={padding!r}: a whole number is expected, 0 or more")):
        LAYERS[name](3, 1, padding)
    assert LAYERS[name](3, 1, np.int64(1)).get_config()["padding"] == 1


def test_where_no_number_is_same_the_nearest_are_told():
    with pytest.raises(ValueError, match='none is "same": padding=1 leaves out a row and a column, padding=2 adds one'):
        layers.SpectralConv2D(2, 4, padding="same")
    assert [length_of(layers.SpectralConv2D(2, 4, padding=padding)) for padding in (1, 2)] == [11, 13]
