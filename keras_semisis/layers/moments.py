"""Mean and variance of maps."""

from keras import KerasTensor, ops


def moments(x: KerasTensor, axes: tuple[int, ...]) -> tuple[KerasTensor, KerasTensor]:
    """Mean and variance over some axes, which are kept with size 1.

    Squares are of what is left without the mean: `keras.ops.moments` subtracts the mean's square from that of ``x`` on PyTorch,
    and loses the variance of maps that lie far from 0.

    Args:
        x: Floats of any shape.
        axes: The axes.

    Example:

    >>> mean, variance = moments(ops.array([[1001.0, 1003.0]]), (1,))
    >>> float(mean[0, 0]), float(variance[0, 0])
    (1002.0, 1.0)
    """
    mean = ops.mean(x, axes, keepdims=True)
    return mean, ops.mean(ops.square(x - mean), axes, keepdims=True)
