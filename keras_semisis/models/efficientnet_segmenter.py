"""A segmentation network on features that were learned elsewhere, for data sets too small to learn them from."""

import keras

from keras_semisis.models.efficientnet_lite0 import efficientnet_lite0_features

# The last block of the strides 4, 8, 16 and 32
_BLOCKS = ("blocks_2__add", "blocks_4__add", "blocks_10__add", "blocks_15__bn2")
_MULTIPLE = 32
# ImageNet's networks see little in images much smaller than those that they learned from
_LEAST_SIDE = 192


def efficientnet_lite0_segmenter(
    num_classes: int, image_size: tuple[int, int], weights: str | None = "imagenet", name: str = "segmenter"
) -> keras.Model:
    """A decoder on the frozen EfficientNet-Lite0: a judge of generated photos that is not of the discriminator's kind.

    Images are enlarged until their shorter side has 192 pixels, and to multiples of 32. The decoder brings the features of
    strides 8, 16 and 32 together at stride 8, adds those of stride 4, and its logits are resized to the images' size
    (bilinear). It alone trains, in the global dtype policy; the trunk stays float32 and as it is.

    Args:
        num_classes: Number of label ids, the don't-care class included.
        image_size: (height, width) of the images.
        weights: ``"imagenet"``, or None for random weights; see `efficientnet_lite0_features`.
        name: Name of the model.

    Returns:
        A model from images ``(B, H, W, 3)`` in [-1, 1] to logits float32 ``(B, H, W, num_classes)``.

    Raises:
        ValueError: ``weights`` is none of the above.
        ModuleNotFoundError: The package with the weights is not installed.

    Example:

    >>> model = efficientnet_lite0_segmenter(5, (48, 64), weights=None)
    >>> model.output_shape
    (None, 48, 64, 5)
    """
    scale = max(1.0, _LEAST_SIDE / min(image_size))
    height, width = (_MULTIPLE * -(-round(scale * side) // _MULTIPLE) for side in image_size)
    features = efficientnet_lite0_features(weights, (height, width))
    trunk = keras.Model(features.input, [features.get_layer(block).output for block in _BLOCKS], name="trunk")
    trunk.trainable = False

    image = keras.Input((*image_size, 3), dtype="float32", name="image")
    stride4, stride8, stride16, stride32 = trunk(image)
    x = keras.layers.Concatenate()(
        [_conv(stride8, 48, 1), _enlarged(_conv(stride16, 64, 1), 2), _enlarged(_conv(stride32, 64, 1), 4)]
    )
    x = keras.layers.SpatialDropout2D(0.1)(x)
    x = _enlarged(_conv(x, 96, 3), 2)
    x = keras.layers.Concatenate()([x, _conv(stride4, 32, 1)])
    x = keras.layers.Conv2D(num_classes, 1, dtype="float32", name="logits")(_conv(x, 64, 3))
    x = keras.layers.Resizing(*image_size, interpolation="bilinear", dtype="float32")(x)
    return keras.Model(image, x, name=name)


def _conv(x, channels, kernel_size):
    x = keras.layers.Conv2D(channels, kernel_size, padding="same", use_bias=False)(x)
    return keras.layers.ReLU()(keras.layers.BatchNormalization()(x))


def _enlarged(x, factor):
    return keras.layers.UpSampling2D(factor, interpolation="bilinear")(x)
