"""Edges between instances, against every pixel's neighbors looked at one by one."""

import numpy as np
import pytest
from keras import ops

from keras_semisis.layers import instance_edges


def looked_at(instances):
    edges = np.zeros((*instances.shape, 1), "float32")
    batch, height, width = instances.shape
    for b, i, j in np.ndindex(batch, height, width):
        for row, column in ((i - 1, j), (i + 1, j), (i, j - 1), (i, j + 1)):
            inside = 0 <= row < height and 0 <= column < width
            if inside and instances[b, row, column] != instances[b, i, j]:
                edges[b, i, j] = 1
    return edges


@pytest.mark.parametrize("size", [(5, 7), (1, 6), (6, 1), (1, 1)])
@pytest.mark.parametrize("dtype", ["int32", "uint8"])
def test_edges(size, dtype):
    instances = np.random.default_rng(0).choice([3, 7, 200], (3, *size), p=[0.7, 0.2, 0.1]).astype(dtype)
    found = ops.convert_to_numpy(instance_edges(instances))
    assert found.dtype == "float32"
    np.testing.assert_array_equal(found, looked_at(instances))


def test_both_sides_of_a_border_are_edges_and_the_border_of_the_image_is_none():
    instances = np.zeros((1, 4, 6), "int32")
    instances[:, :, 3:] = 26_001
    assert ops.convert_to_numpy(instance_edges(instances))[0, :, :, 0].tolist() == [[0, 0, 1, 1, 0, 0]] * 4
