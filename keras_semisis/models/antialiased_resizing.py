"""The size at which a network of ImageNet takes photos."""

from typing import Any

import keras

from keras_semisis.layers.resize import resize_antialiased


@keras.saving.register_keras_serializable(package="keras_semisis")
class AntialiasedResizing(keras.layers.Layer):
    """Resizes images ``(B, H, W, C)`` of any size by `resize_antialiased`.

    Args:
        size: ``(height, width)``.

    Example:

    >>> AntialiasedResizing((4, 6))(keras.ops.ones((1, 9, 5, 3))).shape[1:3] == (4, 6)
    True
    """

    def __init__(self, size: tuple[int, int], **kwargs):
        super().__init__(**kwargs)
        self.size = (size[0], size[1])

    def call(self, images: Any) -> Any:
        return resize_antialiased(images, self.size)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], *self.size, input_shape[3])

    def get_config(self):
        return super().get_config() | {"size": self.size}
