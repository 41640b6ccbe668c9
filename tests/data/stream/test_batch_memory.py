import gc

import keras
import numpy as np
import pytest

from keras_semisis.data.stream import batch_memory


def address(array):
    return array.__array_interface__["data"][0]


@pytest.mark.parametrize(("shape", "dtype"), [((2, 3, 5), np.float32), ((7,), np.int32), ((1, 4), np.uint8)])
def test_an_ordinary_aligned_array(shape, dtype):
    array = batch_memory.empty(shape, dtype)
    array[...] = 3
    assert array.shape == shape and array.dtype == dtype and array.flags.c_contiguous and array.flags.writeable
    assert address(array) % 64 == 0 and (array == 3).all()


def test_memory_is_used_again_when_the_last_view_is_gone():
    array = batch_memory.empty((1009, 3), np.float32)
    first = address(array)
    array[...] = 1
    view = array.T[1:].view(np.uint32)
    del array
    gc.collect()
    other = batch_memory.empty((1009, 3), np.float32)
    assert address(other) != first
    other[...] = 2
    assert (view == np.float32(1).view(np.uint32)).all()
    del view
    gc.collect()
    assert address(batch_memory.empty((1009, 3), np.float32)) == first


def test_arrays_of_a_size_are_different_memory_while_they_live():
    arrays = [batch_memory.empty((1013,), np.float32) for _ in range(20)]
    assert len({address(array) for array in arrays}) == 20
    kept = {address(array) for array in arrays}
    del arrays
    gc.collect()
    # some of them are kept for later, not all
    again = [batch_memory.empty((1013,), np.float32) for _ in range(batch_memory._KEPT)]
    assert {address(array) for array in again} <= kept
    assert sum(len(free) for free in batch_memory._free.values() if free and len(free[0]) == 4 * 1013 + 64) == 0


def test_a_tensor_keeps_its_values():
    array = batch_memory.empty((64, 64, 3), np.float32)
    array[...] = 1
    tensor = keras.ops.convert_to_tensor(array)
    del array
    gc.collect()
    others = [batch_memory.empty((64, 64, 3), np.float32) for _ in range(10)]
    for other in others:
        other[...] = 2
    assert (keras.ops.convert_to_numpy(tensor) == 1).all()
