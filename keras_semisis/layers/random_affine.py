"""Rotation, translation and scaling of images and label maps by given random numbers."""

import math
from typing import Any

import keras
from keras import ops

# of a pixel: a sample point that rounding has moved over the border still counts as inside
_TOLERANCE = 1e-3


@keras.saving.register_keras_serializable(package="keras_semisis")
class RandomAffine(keras.layers.Layer):
    """Rotates, scales and shifts images and label maps by random numbers that the caller draws.

    What is given the same numbers undergoes the same transformation. Images are sampled bilinearly with zeros outside, label
    maps by nearest neighbor with ``fill_class`` outside. `inside` says which pixels of the result come from inside; only
    there does a comparison mean anything. The gradient with respect to the image is exact; the random numbers are constants.

    The image turns about (W/2, H/2), as in the published program on square images. (On others that takes the height for
    the width and the width for the height.)

    Args:
        max_rotation: Degrees, to either side.
        max_translation_x: Pixels, to either side.
        max_translation_y: Pixels, to either side.
        max_scaling: Percent: the factor lies between ``1 / (1 + max_scaling / 100)`` and ``1 + max_scaling / 100``,
            uniformly in its logarithm.
        fill_class: Label id of the pixels that come from outside, usually the don't-care class.

    Input shape: ``[image, random]`` or ``[label_map, random]``: float ``(B, H, W, C)`` or integer ``(B, H, W)``, and float
        ``(B, 4)`` in [0, 1), as of ``keras.random.uniform``: rotation, translation x, translation y, scaling, each 0.5 for
        none.

    Output shape: That of the image or label map; label maps keep their integer type.

    Raises:
        ValueError: If a maximum is negative, or what is given is neither image nor label map.

    Reference: Mustafa and Mantiuk, "Transformation Consistency Regularization - A Semi-Supervised Paradigm for Image-to-Image
    Translation", ECCV 2020.

    Example:

    >>> import numpy as np
    >>> warp = RandomAffine(max_rotation=0, max_translation_x=2, max_translation_y=0, max_scaling=0, fill_class=9)
    >>> one_to_the_right = np.array([[0.5, 0.75, 0.5, 0.5]], "float32")
    >>> ops.convert_to_numpy(warp([np.array([[[1, 2, 3, 4]]]), one_to_the_right])).tolist()
    [[[9, 1, 2, 3]]]
    >>> ops.convert_to_numpy(warp.inside(one_to_the_right, (1, 4))).tolist()
    [[[False, True, True, True]]]
    """

    def __init__(
        self,
        max_rotation: float,
        max_translation_x: float,
        max_translation_y: float,
        max_scaling: float,
        fill_class: int,
        **kwargs,
    ):
        # the random numbers and what follows from them stay float32 in every dtype policy
        super().__init__(autocast=False, **kwargs)
        limits = {
            "max_rotation": max_rotation,
            "max_translation_x": max_translation_x,
            "max_translation_y": max_translation_y,
            "max_scaling": max_scaling,
        }
        for name, value in limits.items():
            if value < 0:
                raise ValueError(f"RandomAffine: {name}={value}: expected 0 or more; it is taken to either side.")
        self.limits = limits
        self.fill_class = fill_class

    def call(self, inputs):
        x, random = inputs
        if len(x.shape) == 3 and "int" in keras.backend.standardize_dtype(x.dtype):
            return warp_label_map(x, self.matrix(random, x.shape[1:]), self.fill_class)
        if len(x.shape) == 4 and "float" in keras.backend.standardize_dtype(x.dtype):
            return warp_image(ops.cast(x, self.compute_dtype), self.matrix(random, x.shape[1:3]))
        raise ValueError(
            "RandomAffine: expected a float image (B, H, W, C) or an integer label map (B, H, W), got "
            f"{keras.backend.standardize_dtype(x.dtype)} {tuple(x.shape)}."
        )

    def matrix(self, random: Any, image_size: tuple[int, int]) -> Any:
        """`affine_matrix` of the random numbers, for images of ``(height, width)``."""
        height, width = image_size
        return affine_matrix(random, **self.limits, center=(width / 2, height / 2))

    def inside(self, random: Any, image_size: tuple[int, int]) -> Any:
        """Which pixels come from inside the image.

        Args:
            random: Float ``(B, 4)``, as given to the layer.
            image_size: ``(height, width)``.

        Returns:
            Boolean ``(B, height, width)``: False where the warped image is mixed with the zeros outside, or the warped
            label map is filled.
        """
        return comes_from_inside(self.matrix(random, image_size), image_size)

    def compute_output_shape(self, input_shape):
        return input_shape[0]

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | self.limits | {"fill_class": self.fill_class}


def affine_matrix(
    random: Any, max_rotation: float, max_translation_x: float, max_translation_y: float, max_scaling: float, center
):
    """The transformations of `RandomAffine` as matrices from source to destination pixel.

    A pixel is (x to the right, y downwards, 1), its center at integers. With p = 2 random - 1, the rotation is p₀
    max_rotation, the translation (p₁ max_translation_x, p₂ max_translation_y), the factor (1 + max_scaling / 100)^p₃.

    Args:
        random: Float ``(B, 4)`` in [0, 1): rotation, translation x, translation y, scaling.
        max_rotation: Degrees.
        max_translation_x: Pixels.
        max_translation_y: Pixels.
        max_scaling: Percent.
        center: Point ``(x, y)`` about which to rotate and scale.

    Returns:
        Float32 ``(B, 2, 3)``.
    """
    limits = [math.radians(max_rotation), max_translation_x, max_translation_y, math.log1p(max_scaling / 100)]
    parameters = (2.0 * ops.cast(random, "float32") - 1.0) * ops.convert_to_tensor(limits, "float32")
    rotation, shift_x, shift_y, log_scale = ops.unstack(parameters, 4, axis=1)
    scale = ops.exp(log_scale)
    cos, sin = scale * ops.cos(rotation), scale * ops.sin(rotation)
    x, y = center
    rows = [cos, -sin, shift_x + x - cos * x + sin * y, sin, cos, shift_y + y - sin * x - cos * y]
    return ops.reshape(ops.stack(rows, axis=1), (-1, 2, 3))


def warp_image(image: Any, matrix):
    """Samples ``(B, H, W, C)`` bilinearly where ``matrix`` (from source to destination) takes each pixel from; zeros outside.

    `keras.ops.image.affine_transform` is not used: its gradient on TensorFlow is another warp, not the transpose of this one.
    """
    height, width = image.shape[1:3]
    x, y = _source(matrix, (height, width))
    left, top = ops.floor(x), ops.floor(y)
    right_share, bottom_share = x - left, y - top
    total = 0.0
    for row, row_share in ((top, 1.0 - bottom_share), (top + 1.0, bottom_share)):
        for column, column_share in ((left, 1.0 - right_share), (left + 1.0, right_share)):
            exists = (row >= 0) & (row <= height - 1) & (column >= 0) & (column <= width - 1)
            share = ops.where(exists, row_share * column_share, 0.0)
            total = total + ops.cast(share, image.dtype)[..., None] * _pick(image, row, column)
    return total


def warp_label_map(label_map: Any, matrix, fill_class: int):
    """Samples integer ``(B, H, W)`` at the nearest pixel where ``matrix`` takes each pixel from; ``fill_class`` outside."""
    height, width = label_map.shape[1:]
    x, y = _source(matrix, (height, width))
    column, row = ops.floor(x + 0.5), ops.floor(y + 0.5)
    exists = (row >= 0) & (row <= height - 1) & (column >= 0) & (column <= width - 1)
    return ops.where(exists, _pick(label_map, row, column), ops.cast(fill_class, label_map.dtype))


def comes_from_inside(matrix, image_size: tuple[int, int]):
    """Where ``matrix`` takes a pixel from between the centers of the image's outermost pixels: boolean ``(B, H, W)``."""
    height, width = image_size
    x, y = _source(matrix, image_size)
    return (x >= -_TOLERANCE) & (x <= width - 1 + _TOLERANCE) & (y >= -_TOLERANCE) & (y <= height - 1 + _TOLERANCE)


def _source(matrix, image_size):
    """The point that each destination pixel comes from: x and y, float32 ``(B, H, W)``."""
    matrix = ops.stop_gradient(ops.cast(matrix, "float32"))[:, None, None]
    height, width = image_size
    x = ops.arange(width, dtype="float32") - matrix[..., 0, 2]
    y = ops.arange(height, dtype="float32")[:, None] - matrix[..., 1, 2]
    a, b, c, d = matrix[..., 0, 0], matrix[..., 0, 1], matrix[..., 1, 0], matrix[..., 1, 1]
    determinant = a * d - b * c
    return (d * x - b * y) / determinant, (a * y - c * x) / determinant


def _pick(x, row, column):
    """``x[b, row, column]``, of the nearest pixel where that is outside; float rows and columns ``(B, H, W)``."""
    batch, (height, width) = ops.shape(x)[0], x.shape[1:3]
    row = ops.cast(ops.clip(row, 0, height - 1), "int32")
    column = ops.cast(ops.clip(column, 0, width - 1), "int32")
    index = (ops.reshape(ops.arange(batch, dtype="int32"), (-1, 1, 1)) * height + row) * width + column
    return ops.take(ops.reshape(x, (-1, *x.shape[3:])), index, axis=0)
