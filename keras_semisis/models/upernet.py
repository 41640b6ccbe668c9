"""UPerNet-101: the segmenter by which ADE20K results are scored."""

from typing import Any

import keras

from keras_semisis.layers.resize import adaptive_average_pool
from keras_semisis.models.resnet import (
    ResizeLike,
    blue_green_red,
    bottleneck,
    check_size,
    conv_norm,
    conv_norm_relu,
    convolution,
    image_input,
    max_pool,
    normalize,
    relu,
)

_RGB_MEAN, _RGB_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_BGR_MEAN = (102.9801, 115.9465, 122.7717)
# Blocks, width, stride of the first block
_STAGES = ((3, 64, 1), (4, 128, 2), (23, 256, 2), (3, 512, 2))
_POOLS = (1, 2, 3, 6)
_WIDTH = 512
_SCORES = "decoder-conv_last-1"


@keras.saving.register_keras_serializable(package="keras_semisis")
class AdaptiveAveragePool(keras.layers.Layer):
    """`layers.adaptive_average_pool` to ``size`` × ``size``."""

    def __init__(self, size, **kwargs):
        super().__init__(**kwargs)
        self.size = size

    def call(self, x):
        return adaptive_average_pool(x, self.size)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.size, self.size, input_shape[3])

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"size": self.size}


def upernet_101(
    num_classes: int = 150,
    image_size: tuple[int, int] | None = None,
    output_size: tuple[int, int] | None = None,
    preprocessing: str = "rgb",
    name: str = "upernet_101",
) -> keras.Model:
    """UPerNet on ResNet-101, which published mIoU figures on ADE20K are measured with.

    Fill it by ``ks.checkpoints.load_reference_weights(model, ["encoder_epoch_50.pth", "decoder_epoch_50.pth"],
    family="csail")`` and give it to `metrics.evaluate_protocol`, whose protocol ``"oasis2021"`` has the published evaluation at
    five sizes. Output c is the class that ADE20K's annotation files and `data.ADE20K` call c + 1; their 0 is unlabeled and
    does not count. `metrics.GeneratedMeanIoU` needs label maps with the numbers of the outputs.

    Args:
        num_classes: Number of classes.
        image_size: ``(height, width)`` of the images; None for any.
        output_size: ``(height, width)`` of the output (published ``segSize``, the size of the label map); None for that of the
            image.
        preprocessing: Which images the weights were trained on; the wrong one goes unnoticed but for bad results. ``"rgb"``:
            RGB, ImageNet's mean and deviation, for ``ade20k-resnet101-upernet``. ``"bgr"``: BGR in 0..255 minus a mean, for the
            weights published until August 2019, ``baseline-resnet101-upernet`` among them.
        name: Name of the model.

    Returns:
        A frozen keras.Model from RGB images float32 ``(B, H, W, 3)`` in [-1, 1] to probabilities (the softmax is part of the
        published network) float32 ``(B, H, W, num_classes)``. The published normalization is part of the model. The weights are
        random. The layer ``"decoder-conv_last-1"`` returns the scores at a quarter of the size, before the softmax.

    Raises:
        ValueError: If a number or size is not positive, or there is no such ``preprocessing``.

    Reference: Xiao et al., "Unified Perceptual Parsing for Scene Understanding", ECCV 2018; the network is that of
    CSAILVision/semantic-segmentation-pytorch.

    Example:

    >>> upernet_101(image_size=(64, 96), output_size=(45, 70)).output_shape
    (None, 45, 70, 150)
    """
    image = image_input("upernet_101", num_classes, image_size)
    if preprocessing not in ("rgb", "bgr"):
        raise ValueError(f"upernet_101: preprocessing={preprocessing!r}: expected 'rgb' or 'bgr'.")
    if output_size is not None:
        output_size = check_size("upernet_101", "output_size", output_size)
    x = normalize(image, _RGB_MEAN, _RGB_STD) if preprocessing == "rgb" else blue_green_red(image, _BGR_MEAN)
    x = _decoder(_encoder(x), num_classes)
    x = ResizeLike(output_size, dtype="float32", name="resize")([x, image])
    x = keras.layers.Softmax(dtype="float32", name="softmax")(x)
    model = keras.Model(image, x, name=name)
    # also holds the running statistics, whatever ``training`` is
    model.trainable = False
    return model


def class_scores(network):
    """The part of an `upernet_101` up to its scores at a quarter of the size, before resize and softmax; others as they are."""
    if not isinstance(network, keras.Model) or _SCORES not in {layer.name for layer in network.layers}:
        return network
    return keras.Model(network.input, network.get_layer(_SCORES).output, name=network.name)


def _encoder(x):
    """The maps at 1/4, 1/8, 1/16 and 1/32."""
    for i, (filters, strides) in enumerate(((64, 2), (64, 1), (128, 1)), start=1):
        x = relu(conv_norm(x, f"encoder-conv{i}", f"encoder-bn{i}", filters, 3, strides), f"encoder-relu{i}")
    x = max_pool(x, "encoder-maxpool", pad_after=1)
    maps = []
    for stage, (blocks, width, strides) in enumerate(_STAGES, start=1):
        for i in range(blocks):
            x = bottleneck(x, f"encoder-layer{stage}-{i}", width, strides=1 if i else strides, shortcut=i == 0)
        maps.append(x)
    return maps


def _decoder(maps, num_classes):
    """Scores at 1/4: a pyramid of pools on the deepest map, then from there up."""
    x = running = _pyramid(maps[-1])
    outputs = [x]
    for i in (2, 1, 0):
        lateral = conv_norm_relu(maps[i], f"decoder-fpn_in-{i}", _WIDTH, 1)
        running = _resize(running, lateral, f"decoder-fpn_up-{i}")
        running = keras.layers.Add(dtype="float32", name=f"decoder-fpn_sum-{i}")([lateral, running])
        outputs.append(conv_norm_relu(running, f"decoder-fpn_out-{i}-0", _WIDTH, 3))
    finest, *coarser = reversed(outputs)
    x = _concatenate(
        "decoder-fusion", finest, *(_resize(x, finest, f"decoder-fusion_up-{i}") for i, x in enumerate(coarser, start=1))
    )
    x = conv_norm_relu(x, "decoder-conv_last-0", _WIDTH, 3)
    return convolution(x, _SCORES, num_classes, 1, use_bias=True)


def _pyramid(x):
    """Every pool is resized before its convolution; the authors' other decoders do it after."""
    pools = []
    for i, size in enumerate(_POOLS):
        pool = AdaptiveAveragePool(size, dtype="float32", name=f"decoder-ppm_pool-{i}")(x)
        pools.append(conv_norm_relu(_resize(pool, x, f"decoder-ppm_up-{i}"), f"decoder-ppm_conv-{i}", _WIDTH, 1))
    return conv_norm_relu(_concatenate("decoder-ppm", x, *pools), "decoder-ppm_last_conv", _WIDTH, 3)


def _resize(x, like, name):
    return ResizeLike(dtype="float32", name=name)([x, like])


def _concatenate(name, *maps):
    return keras.layers.Concatenate(dtype="float32", name=name)(list(maps))
