"""DRN-D-105: the segmenter by which Cityscapes results are scored."""

import keras
from keras import ops

from keras_semisis.layers.resize import resize_bilinear
from keras_semisis.models.resnet import bottleneck, conv_norm_relu, convolution, image_input, normalize

# Of Cityscapes' training images, not of ImageNet
_MEAN = (0.29010095242892997, 0.32808144844279574, 0.28696394422942517)
_STD = (0.1829540508368939, 0.18656561047509476, 0.18447508988480435)
# Blocks, width, stride of the first block, dilation of base.3 to base.6
_STAGES = ((3, 64, 2, 1), (4, 128, 2, 1), (23, 256, 1, 2), (3, 512, 1, 4))


@keras.saving.register_keras_serializable(package="keras_semisis")
class BilinearTransposedConv(keras.layers.Layer):
    """Eightfold upsampling by the fixed transposed convolution of DRN: zeros lie outside of the map."""

    def call(self, x):
        height, width = ops.shape(x)[1:3]
        return resize_bilinear(x, (8 * height, 8 * width), ratio=1 / 8, zeros_outside=True)

    def compute_output_shape(self, input_shape):
        batch, height, width, channels = input_shape
        return (batch, height and 8 * height, width and 8 * width, channels)


def drn_d_105(num_classes: int = 19, image_size: tuple[int, int] | None = None, name: str = "drn_d_105") -> keras.Model:
    """DRN-D-105, which published mIoU figures on Cityscapes are measured with.

    Fill it by ``ks.checkpoints.load_reference_weights(model, "drn-d-105_ms_cityscapes.pth", family="drn")`` and give it to
    `metrics.evaluate_protocol`. Output c is Cityscapes' train id c (road, sidewalk, ..., bicycle); the label ids of the data
    set are 7, 8, 11, 12, 13, 17, 19, ..., 28, 31, 32, 33, and pixels of all others do not count. `metrics.GeneratedMeanIoU`
    needs label maps of train ids, ``np.array(data.Cityscapes.train_ids)[label_map]`` with ``ignore_class=255``. The published
    evaluation runs on images of 1024×2048, at one size; papers on image synthesis feed it 256×512 as well, with other results.

    Args:
        num_classes: Number of classes.
        image_size: ``(height, width)`` of the images; None for any.
        name: Name of the model.

    Returns:
        A frozen keras.Model from RGB images float32 ``(B, H, W, 3)`` in [-1, 1] to log-probabilities float32
        ``(B, H', W', num_classes)``; H' and W' are H and W rounded up to a multiple of 8, as published. Where they were not
        multiples, ``[:, :H, :W]`` belongs to the image. The published normalization (mean and deviation of Cityscapes) is part
        of the model. The weights are random. The layer ``"seg"`` returns the scores at an eighth of the size.

    Raises:
        ValueError: If ``num_classes`` or ``image_size`` is not positive.

    Reference: Yu et al., "Dilated Residual Networks", CVPR 2017; the network is that of fyu/drn.

    Example:

    >>> drn_d_105(image_size=(32, 60)).output_shape
    (None, 32, 64, 19)
    """
    image = image_input("drn_d_105", num_classes, image_size)
    x = normalize(image, _MEAN, _STD)
    x = conv_norm_relu(x, "base-0", 16, 7)
    x = conv_norm_relu(x, "base-1", 16, 3)
    x = conv_norm_relu(x, "base-2", 32, 3, strides=2)
    for stage, (blocks, width, strides, dilation) in enumerate(_STAGES, start=3):
        for i in range(blocks):
            x = bottleneck(x, f"base-{stage}-{i}", width, strides=1 if i else strides, dilation=dilation, shortcut=i == 0)
    x = conv_norm_relu(x, "base-7", 512, 3, dilation=2)
    x = conv_norm_relu(x, "base-8", 512, 3)
    x = convolution(x, "seg", num_classes, 1, use_bias=True)
    x = BilinearTransposedConv(dtype="float32", name="up")(x)
    x = keras.layers.Activation("log_softmax", dtype="float32", name="log_softmax")(x)
    model = keras.Model(image, x, name=name)
    # also holds the running statistics, whatever ``training`` is
    model.trainable = False
    return model
