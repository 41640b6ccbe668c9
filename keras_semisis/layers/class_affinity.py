"""The classes of one label space as mixtures of those of another."""

from typing import Any

import keras
from keras import ops

from keras_semisis.layers.class_map import class_map


@keras.saving.register_keras_serializable(package="keras_semisis")
class ClassAffinity(keras.layers.Layer):
    """First layer of a generator that learned other classes: each id becomes the mixture of them that its row says.

    ``one_hot(label_map) @ affinity``, which the convolutions of the label map take in place of ``one_hot(label_map)``. The
    matrix ``affinity``, ``(num_classes, former_classes)``, is a weight and learns with the others. Every class begins as the
    mean of all.

    Args:
        num_classes: Number of label ids, the don't-care class included.
        former_classes: Number of classes that the layers behind it know.

    Input shape: Integer ``(B, H, W)``; or float ``(B, H, W, num_classes)`` behind another of these.
    Output shape: ``(B, H, W, former_classes)``.

    Reference: Careil et al., "Few-shot Semantic Image Synthesis with Class Affinity Transfer", CVPR 2023 (arXiv 2304.02321),
    section 3.

    Example:

    >>> import numpy as np
    >>> layer = ClassAffinity(num_classes=2, former_classes=3)
    >>> layer.build((None, 1, 2))
    >>> layer.set_weights([np.array([[0.0, 0.5, 0.5], [1.0, 0.0, 0.0]])])
    >>> ops.convert_to_numpy(layer(np.array([[[1, 0]]])))[0, 0].tolist()
    [[1.0, 0.0, 0.0], [0.0, 0.5, 0.5]]
    """

    def __init__(self, num_classes: int, former_classes: int, **kwargs):
        super().__init__(**kwargs)
        self.num_classes = num_classes
        self.former_classes = former_classes

    def build(self, input_shape) -> None:
        self.affinity = self.add_weight(
            name="affinity",
            shape=(self.num_classes, self.former_classes),
            initializer=keras.initializers.Constant(1 / self.former_classes),
        )

    def call(self, label_map):
        return ops.matmul(class_map(label_map, self.num_classes, self.compute_dtype), self.affinity)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:3], self.former_classes)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"num_classes": self.num_classes, "former_classes": self.former_classes}
