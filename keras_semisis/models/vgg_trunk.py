"""The convolutions of VGG networks."""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from keras_semisis.models.image_size import check_channels_last

# What keras.applications subtracts, in the order blue, green, red, for images in 0..255
CAFFE_MEAN = (103.939, 116.779, 123.68)
_FILTERS = (64, 128, 256, 512, 512)
RELU_1 = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")


def vgg_trunk(
    convolutions: tuple[int, ...],
    name: str,
    preprocessing: Callable | None = None,
    taps: tuple[str, ...] = RELU_1,
    dtype: Any = None,
) -> keras.Model:
    """The convolutions of a VGG network up to the deepest of its taps, without weights.

    It computes in the global dtype policy's compute dtype, or in ``dtype``; its preprocessing in float32.

    Args:
        convolutions: Number of 3×3 convolutions in each of the five blocks.
        name: Name of the model.
        preprocessing: From images in [-1, 1] RGB to what the weights want, such as `caffe_preprocessing`. None feeds the
            images as they are.
        taps: Layers whose outputs are returned.
        dtype: A dtype policy; None is the global one.

    Returns:
        A frozen keras.Model from images ``(B, H, W, 3)`` in [-1, 1] to the list of features of ``taps`` (channels 64, 128,
        256, 512, 512 in blocks 1 to 5; strides 1, 2, 4, 8, 16). H and W are at least 16. Each convolution is a layer of the
        name of its output, `relu3_2` for instance.

    Raises:
        ValueError: If a tap is no layer of the network, or Keras is set to put channels first.

    Reference: Simonyan and Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition", 2015, table 1.

    Example:

    >>> model = vgg_trunk((1, 1, 1, 1, 1), name="tiny")
    >>> [tuple(feature.shape) for feature in model(keras.ops.zeros((1, 16, 32, 3)))][-1]
    (1, 1, 2, 512)
    """
    check_channels_last()
    names = [f"relu{block}_{i}" for block, depth in enumerate(convolutions, start=1) for i in range(1, depth + 1)]
    if not taps or set(taps) - set(names):
        raise ValueError(f"taps={taps!r}: expected some of {', '.join(map(repr, names))}.")
    deepest = max(map(names.index, taps))
    image = keras.Input((None, None, 3), name="image")
    x = image if preprocessing is None else preprocessing(image)
    outputs = {}
    for layer in names[: deepest + 1]:
        block = int(layer[len("relu")])
        if block > 1 and layer.endswith("_1"):
            x = keras.layers.MaxPooling2D(name=f"pool{block - 1}", dtype=dtype)(x)
        x = outputs[layer] = keras.layers.Conv2D(
            _FILTERS[block - 1], 3, padding="same", activation="relu", kernel_initializer="he_normal", dtype=dtype, name=layer
        )(x)
    model = keras.Model(image, [outputs[tap] for tap in taps], name=name)
    model.trainable = False
    return model


def caffe_preprocessing(bgr_mean: tuple[float, float, float]) -> Callable:
    """Images in [-1, 1] RGB to BGR in 0..255 minus a mean (blue, green, red), as weights from Caffe want them."""
    offset = [127.5 - mean for mean in reversed(bgr_mean)]
    rescaling = keras.layers.Rescaling(127.5, offset, dtype="float32", name="to_0_255_minus_mean")
    return lambda image: ops.flip(rescaling(image), axis=-1)
