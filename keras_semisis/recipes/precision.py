"""The precision of a training: some processors compute in bfloat16 faster than in float32, others far more slowly."""

import functools
import time

import keras
import numpy as np
from keras import ops

from keras_semisis.gans.engines import engine
from keras_semisis.options.train import check_precision
from keras_semisis.processes import of_first_process
from keras_semisis.recipes.notices import warn

# Faster is about half the time; without instructions for bfloat16 it is five to fifty times as long
_SLOW = 2.0
_TURNS = 6


def use_precision(precision: str) -> None:
    """Sets the dtype policy of the networks that are built from now on. Warns where the device has no use for it.

    Args:
        precision: ``"float32"`` or ``"mixed_bfloat16"``.

    Raises:
        ValueError: If it is another.
    """
    check_precision(precision)
    if precision == "mixed_bfloat16" and (slowdown := bfloat16_slowdown()) > _SLOW:
        warn(
            f"A convolution in bfloat16 takes {slowdown:.0f} times as long as in float32 on this device, by "
            f"{keras.backend.backend()}: --precision float32 is faster."
        )
    keras.config.set_dtype_policy(precision)


def fastest_precision() -> str:
    """The precision for training on this device: ``"mixed_bfloat16"``, unless a convolution takes longer in bfloat16.

    On GPUs, TPUs and processors with instructions for bfloat16 (AVX512-BF16, AMX) that halves the time of a step, or more, and
    the memory of what layers compute. Other processors emulate it; TensorFlow and PyTorch then need many times as long.

    Returns:
        ``"mixed_bfloat16"`` or ``"float32"``, as `keras.config.set_dtype_policy` takes it: the same in all processes of a
        training.

    Example:

    >>> fastest_precision() in ("mixed_bfloat16", "float32")
    True
    """
    return "float32" if bfloat16_slowdown() > _SLOW else "mixed_bfloat16"


@functools.cache
def bfloat16_slowdown() -> float:
    """How many times as long a convolution and its gradients take in bfloat16 as in float32.

    It is measured once, a second at most, and in several processes it is what the first has measured.
    """
    photos, kernel = (keras.Variable(np.ones(shape, "float32")) for shape in ((4, 32, 32, 32), (3, 3, 32, 32)))

    def seconds(dtype):
        def loss(values):
            convolved = ops.conv(*(ops.cast(value, dtype) for value in values), padding="same", data_format="channels_last")
            return ops.sum(ops.square(ops.cast(convolved, "float32"))), ()

        begin = time.perf_counter()
        for gradient in engine.value_and_gradients(loss, [photos, kernel])[-1]:
            ops.convert_to_numpy(gradient)
        return time.perf_counter() - begin

    # in turns, the first of which compile; the shortest are those that nothing else has delayed
    turns = np.array([[seconds("bfloat16"), seconds("float32")] for _ in range(_TURNS)])
    fast = turns[1:].min(axis=0)
    return of_first_process(fast[0] / fast[1])
