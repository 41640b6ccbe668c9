"""DeepLab-v2 on ResNet-101 at three scales: the segmenter by which COCO-Stuff results are scored."""

from typing import Any

import keras
from keras import ops

from keras_semisis.data.argument_error import ArgumentError
from keras_semisis.layers.resize import resize_bilinear
from keras_semisis.models.resnet import (
    CAFFE_NAMES,
    ResizeLike,
    blue_green_red,
    bottleneck,
    check_size,
    conv_norm,
    convolution,
    image_input,
    max_pool,
    relu,
)

_MEAN = (104.008, 116.669, 122.675)
# Blocks, width, stride of the first block, dilation of layer2 to layer5
_STAGES = ((3, 64, 1, 1), (4, 128, 2, 1), (23, 256, 1, 2), (3, 512, 1, 4))
_RATES = (6, 12, 18, 24)
_SCALES = (0.5, 0.75)


@keras.saving.register_keras_serializable(package="keras_semisis")
class Shrink(keras.layers.Layer):
    """A copy of an image of ``floor(scale * size)``, bilinear; ``recompute_scale`` as in `deeplab_v2_101`."""

    def __init__(self, scale, recompute_scale, **kwargs):
        super().__init__(**kwargs)
        self.scale = scale
        self.recompute_scale = recompute_scale

    def call(self, image):
        return resize_bilinear(image, self._size(ops.shape(image)[1:3]), None if self.recompute_scale else 1 / self.scale)

    def _size(self, size):
        numerator, denominator = self.scale.as_integer_ratio()
        return tuple(n if n is None else n * numerator // denominator for n in size)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], *self._size(input_shape[1:3]), input_shape[3])

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"scale": self.scale, "recompute_scale": self.recompute_scale}


def deeplab_v2_101(
    num_classes: int = 182,
    image_size: tuple[int, int] | None = None,
    output_size: tuple[int, int] | None = None,
    recompute_scale: bool = False,
    name: str = "deeplab_v2_101",
) -> keras.Model:
    """DeepLab-v2 on ResNet-101 with multi-scale inputs, which published mIoU figures on COCO-Stuff are measured with.

    Fill it by ``ks.checkpoints.load_reference_weights(model, "deeplabv2_resnet101_msc-cocostuff164k-100000.pth",
    family="deeplab_pytorch")`` and give it to `metrics.evaluate_protocol`. Output c is the class that COCO-Stuff's files call c
    and `data.COCOStuff` c + 1; 255 in a file, 0 there, is unlabeled and does not count. `metrics.GeneratedMeanIoU` needs label
    maps with the ids of the files. Of the 182 classes 171 occur. The CRF that may follow in the published evaluation is not
    part of it.

    Args:
        num_classes: Number of classes.
        image_size: ``(height, width)`` of the images, 2 or more; None for any.
        output_size: ``(height, width)`` of the output (the published test's label size); None for that of the image.
        recompute_scale: The network sees the image and copies at 0.5 and 0.75 of its size, rounded down. False samples them at
            steps of 1 / 0.5 and 1 / 0.75 pixels, as the program does on PyTorch 1.6 and later. True takes steps of input size /
            output size, as it did before: when the weights of 2019 were trained, and in the papers of that time. Where both
            sides are multiples of 4 there is no difference.
        name: Name of the model.

    Returns:
        A frozen keras.Model from RGB images float32 ``(B, H, W, 3)`` in [-1, 1] to logits float32 ``(B, H, W, num_classes)``.
        The published preprocessing (BGR in 0..255 minus a mean) is part of the model. The weights are random. The layer
        ``"scores"`` returns what the published network itself does, the maximum over the scales at an eighth of the size; the
        layer ``"base"`` is the network of one scale.

    Raises:
        ValueError: If a number or size is not positive.

    Reference: Chen et al., "DeepLab: Semantic Image Segmentation with Deep Convolutional Nets, Atrous Convolution, and Fully
    Connected CRFs", 2018; the network is that of kazuto1011/deeplab-pytorch.

    Example:

    >>> model = deeplab_v2_101(image_size=(64, 96))
    >>> model.output_shape, model.get_layer("scores").output.shape
    ((None, 64, 96, 182), (None, 9, 13, 182))
    """
    image = image_input("deeplab_v2_101", num_classes, image_size)
    if image_size is not None and min(image_size) < 2:
        raise ArgumentError(
            "deeplab_v2_101: {}: expected 2 pixels or more, so that half of it is an image.", {"image_size": image_size}
        )
    if output_size is not None:
        output_size = check_size("deeplab_v2_101", "output_size", output_size)
    x = blue_green_red(image, _MEAN)
    base = _base(num_classes)
    full = base(x)
    scores = [full]
    for scale in _SCALES:
        small = base(Shrink(scale, recompute_scale, dtype="float32", name=f"image_{scale * 100:.0f}")(x))
        scores.append(ResizeLike(dtype="float32", name=f"scores_{scale * 100:.0f}")([small, full]))
    x = keras.layers.Maximum(dtype="float32", name="scores")(scores)
    x = ResizeLike(output_size, dtype="float32", name="logits")([x, image])
    model = keras.Model(image, x, name=name)
    # also holds the running statistics, whatever ``training`` is
    model.trainable = False
    return model


def _base(num_classes):
    """One scale: BGR images minus their mean, to scores at an eighth of the size."""
    image = keras.Input((None, None, 3), dtype="float32", name="bgr")
    x = conv_norm(image, "layer1-conv1-conv", "layer1-conv1-bn", 64, 7, strides=2)
    x = relu(x, "layer1-conv1")
    # PyTorch's ceil mode: the last window may lie half outside
    x = max_pool(x, "layer1", pad_after=2)
    for stage, (blocks, width, strides, dilation) in enumerate(_STAGES, start=2):
        for i in range(1, blocks + 1):
            x = bottleneck(
                x,
                f"layer{stage}-block{i}",
                width,
                CAFFE_NAMES,
                strides if i == 1 else 1,
                dilation,
                shortcut=i == 1,
                strides_first=True,
            )
    branches = [convolution(x, f"aspp-c{i}", num_classes, 3, dilation=rate, use_bias=True) for i, rate in enumerate(_RATES)]
    return keras.Model(image, keras.layers.Add(dtype="float32", name="aspp")(branches), name="base")
