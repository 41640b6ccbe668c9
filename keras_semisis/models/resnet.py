"""What the three published segmenters are made of. Everything is float32, whatever the dtype policy."""

from typing import Any

import keras
from keras import ops

from keras_semisis.layers.resize import resize_bilinear
from keras_semisis.models.image_size import check_channels_last

# Names of a block's convolutions and their normalizations, in the published programs; the last is the shortcut's. A dash stands
# for the dot, which not every backend takes in a layer's name.
PYTORCH_NAMES = (("conv1", "bn1"), ("conv2", "bn2"), ("conv3", "bn3"), ("downsample-0", "downsample-1"))
CAFFE_NAMES = tuple((f"{part}-conv", f"{part}-bn") for part in ("reduce", "conv3x3", "increase", "shortcut"))
_FORM = {"data_format": "channels_last", "dtype": "float32"}


@keras.saving.register_keras_serializable(package="keras_semisis")
class ResizeLike(keras.layers.Layer):
    """Resizes its first input to height and width of its second, or to a fixed size, by `layers.resize_bilinear`."""

    def __init__(self, size=None, **kwargs):
        super().__init__(**kwargs)
        self.size = size and tuple(size)

    def call(self, inputs):
        x, like = inputs
        return resize_bilinear(x, self.size or ops.shape(like)[1:3])

    def compute_output_shape(self, input_shape):
        x, like = input_shape
        return (x[0], *(self.size or like[1:3]), x[3])

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"size": self.size}


def image_input(network: str, num_classes: int, image_size: tuple[int, int] | None):
    """The input of a segmenter, after a look at the arguments that all of them have.

    Raises:
        ValueError: If the number of classes or the size is not positive.
    """
    check_channels_last()
    if num_classes < 1:
        raise ValueError(f"{network}: num_classes={num_classes}: expected 1 or more.")
    return keras.Input((*check_size(network, "image_size", image_size), 3), dtype="float32", name="image")


def check_size(network: str, argument: str, size: tuple[int, int] | None) -> tuple:
    """``(height, width)``; ``(None, None)`` where it is open.

    Raises:
        ValueError: If it is neither None nor two positive numbers.
    """
    if size is None:
        return None, None
    if len(size) != 2 or min(size) < 1:
        raise ValueError(f"{network}: {argument}={size}: expected (height, width) in pixels, or None for any size.")
    return int(size[0]), int(size[1])


def normalize(image: Any, mean, std):
    """Images in [-1, 1] as (image in [0, 1] - mean) / std, with three numbers each."""
    scale = [0.5 / s for s in std]
    offset = [(0.5 - m) / s for m, s in zip(mean, std, strict=True)]
    return keras.layers.Rescaling(scale, offset, dtype="float32", name="preprocessing")(image)


def blue_green_red(image: Any, mean):
    """RGB images in [-1, 1] as BGR in 0..255, minus the means of blue, green and red."""
    offset = [127.5 - m for m in reversed(mean)]
    x = keras.layers.Rescaling(127.5, offset, dtype="float32", name="preprocessing")(image)
    return ops.flip(x, axis=-1)


def convolution(x: Any, name: str, filters: int, kernel, strides: int = 1, dilation=1, use_bias: bool = False):
    """A convolution padded by zeros alike on all sides, so that its map has ceil(input / strides) rows."""
    padding = "same"
    if strides > 1 and kernel > 1:  # "same" would put the odd row on one side
        x = keras.layers.ZeroPadding2D(dilation * (kernel // 2), **_FORM, name=f"{name}-pad")(x)
        padding = "valid"
    return keras.layers.Conv2D(
        filters, kernel, strides, padding, dilation_rate=dilation, use_bias=use_bias, **_FORM, name=name
    )(x)


def max_pool(x: Any, name: str, pad_after):
    """3×3 windows at every second pixel, with a row of zeros before and ``pad_after`` behind: input is not negative."""
    x = keras.layers.ZeroPadding2D(((1, pad_after), (1, pad_after)), **_FORM, name=f"{name}-pad")(x)
    return keras.layers.MaxPooling2D(3, 2, **_FORM, name=name)(x)


def relu(x: Any, name: str):
    return keras.layers.ReLU(dtype="float32", name=name)(x)


def conv_norm(x: Any, conv, norm: str, *args, **kwargs):
    """`convolution` and batch normalization."""
    x = convolution(x, conv, *args, **kwargs)
    return keras.layers.BatchNormalization(epsilon=1e-5, dtype="float32", name=norm)(x)


def conv_norm_relu(x: Any, name: str, *args, **kwargs):
    """As an ``nn.Sequential`` of this name has them; the ReLU bears the name itself."""
    return relu(conv_norm(x, f"{name}-0", f"{name}-1", *args, **kwargs), name)


def bottleneck(
    x: Any, name: str, width, names=PYTORCH_NAMES, strides: int = 1, dilation=1, shortcut=False, strides_first=False
):
    """The residual block of ResNet-50 and deeper, with ``4 * width`` channels; its last layer bears its name.

    Args:
        x: Its input.
        name: Its name.
        width: Channels inside.
        names: `PYTORCH_NAMES` or `CAFFE_NAMES`.
        strides, dilation: Those of the 3×3 convolution.
        shortcut: Whether the shortcut is a convolution.
        strides_first: Whether the first 1×1 convolution has the strides instead, as in Caffe's networks.
    """
    (first, second, third, residual) = [(f"{name}-{conv}", f"{name}-{norm}") for conv, norm in names]
    y = relu(conv_norm(x, *first, width, 1, strides if strides_first else 1), f"{first[0]}-relu")
    y = relu(conv_norm(y, *second, width, 3, 1 if strides_first else strides, dilation), f"{second[0]}-relu")
    y = conv_norm(y, *third, 4 * width, 1)
    if shortcut:
        x = conv_norm(x, *residual, 4 * width, 1, strides)
    return relu(keras.layers.Add(dtype="float32", name=f"{name}-sum")([y, x]), name)
