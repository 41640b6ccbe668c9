"""A label map with the edges between instances as one more channel."""

from typing import Any

import keras
from keras import ops

from keras_semisis.layers.class_map import class_map


@keras.saving.register_keras_serializable(package="keras_semisis")
class EdgeChannel(keras.layers.Layer):
    """First layer of a generator that reads edges between instances: they follow the channels of the classes.

    ``concat(one_hot(label_map), edges)``, which the convolutions of the label map take in place of ``one_hot(label_map)``.

    Args:
        num_classes: Number of label ids, the don't-care class included.

    Input shape: ``[label_map, edges]``: integer ``(B, H, W)``, or, of a `ClassAffinity`, float ``(B, H, W, num_classes)``; and
        float ``(B, H, W, 1)``, such as `instance_edges` makes.
    Output shape: ``(B, H, W, num_classes + 1)``.

    Reference: Wang et al. (pix2pixHD), CVPR 2018, section 3.3; Park et al. (SPADE), CVPR 2019.

    Example:

    >>> import numpy as np
    >>> layer = EdgeChannel(num_classes=2)
    >>> ops.convert_to_numpy(layer([np.array([[[1, 0]]]), np.array([[[[0.0], [1.0]]]])]))[0, 0].tolist()
    [[0.0, 1.0, 0.0], [1.0, 0.0, 1.0]]
    """

    def __init__(self, num_classes: int, **kwargs):
        super().__init__(**kwargs)
        self.num_classes = num_classes

    def build(self, input_shape) -> None:
        """Nothing is learned."""

    def call(self, inputs):
        label_map, edges = inputs
        classes = class_map(label_map, self.num_classes, self.compute_dtype)
        return ops.concatenate([classes, ops.cast(edges, self.compute_dtype)], axis=-1)

    def compute_output_shape(self, input_shape):
        return (*input_shape[0][:3], self.num_classes + 1)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"num_classes": self.num_classes}
