"""The rounding to 8 bits and the way back, and that no other file has a rounding of its own."""

import re
from pathlib import Path

import numpy as np

import keras_semisis
from keras_semisis.data.eight_bit import from_8_bit, to_8_bit

EVERY = np.arange(256, dtype=np.uint8)


def test_there_and_back():
    np.testing.assert_array_equal(to_8_bit(from_8_bit(EVERY)), EVERY)
    assert to_8_bit(np.array([-1.004, 0.0, 1.004], "float32")).tolist() == [0, 128, 255]


def test_values_are_those_of_float32_division():
    expected = np.array([np.float32(np.float32(value) / np.float32(127.5)) - np.float32(1) for value in range(256)])
    found = from_8_bit(EVERY)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, expected)
    room = EVERY.astype(np.float32)
    assert from_8_bit(room, out=room) is room
    np.testing.assert_array_equal(room, expected)


def test_there_is_one_rounding_in_the_package():
    """Beside the first layers of networks, which are Rescaling, and what errors advise."""
    package = Path(keras_semisis.__file__).parent
    computes = re.compile(r"[*/,] *(np\.float32\()?127\.5|127\.5\)? *[*/]")
    found = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        for line in path.read_text().splitlines()
        if computes.search(line) and "Rescaling" not in line and '"' not in line
    }
    # segformer's Rescaling has its arguments in lines of their own
    assert found <= {"data/eight_bit.py", "metrics/generation_metric.py", "models/segformers.py"}, found
