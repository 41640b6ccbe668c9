"""Standard deviation over a group of images, as one more channel."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_semisis")
class MinibatchStdDev(keras.layers.Layer):
    """Appends the standard deviation over a group of images, averaged over pixels and channels, as a last channel.

    The group is the largest divisor of the batch up to ``group_size``; a batch B holds B/group groups, and images with
    equal index modulo B/group are in one group. The published code refuses batches that its group of 4 does not
    divide; here any batch goes.

    Args:
        group_size: Largest number of images in a group.

    Input shape: ``(B, H, W, C)``. Output shape: ``(B, H, W, C + 1)``.

    Reference: Karras et al., "Progressive Growing of GANs", ICLR 2018, section 3.

    Example:

    >>> tuple(MinibatchStdDev()(keras.random.normal((6, 4, 4, 2))).shape)
    (6, 4, 4, 3)
    """

    def __init__(self, group_size: int = 4, **kwargs):
        super().__init__(**kwargs)
        self.group_size = group_size

    def call(self, x):
        batch = ops.shape(x)[0]
        sizes = range(1, self.group_size + 1)
        if isinstance(batch, int):
            group = max(n for n in sizes if batch % n == 0)
        else:
            group = ops.max(ops.stack([ops.where(batch % n == 0, n, 1) for n in sizes]))
        groups = ops.reshape(ops.cast(x, "float32"), (group, batch // group, *x.shape[1:]))
        deviation = ops.mean(ops.sqrt(ops.var(groups, axis=0) + 1e-8), axis=(1, 2, 3))
        channel = ops.reshape(ops.tile(deviation, (group,)), (batch, 1, 1, 1))
        channel = ops.broadcast_to(ops.cast(channel, x.dtype), (batch, *x.shape[1:-1], 1))
        return ops.concatenate([x, channel], axis=-1)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], input_shape[-1] + 1)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"group_size": self.group_size}
