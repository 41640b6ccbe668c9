import keras
from keras import ops

# What keras.applications subtracts, in the order blue, green, red, for images in 0..255
CAFFE_MEAN = (103.939, 116.779, 123.68)


def vgg_trunk(
    convolutions: tuple[int, ...], name: str, bgr_mean: tuple[float, float, float] | None = None
) -> keras.Model:
    """The convolutions of a VGG network up to relu5_1, without weights.

    It computes in the global dtype policy's compute dtype; its preprocessing in float32.

    Args:
        convolutions: Number of 3×3 convolutions in each of the five blocks. Of the last block only the first
            is built, because no feature lies behind it.
        name: Name of the model.
        bgr_mean: With a mean, images in [-1, 1] RGB become BGR in 0..255 minus this mean (blue, green, red),
            as weights from Caffe want it. None feeds the images as they are.

    Returns:
        A frozen keras.Model from images (B, H, W, 3) in [-1, 1] to the list of relu1_1, relu2_1, relu3_1,
        relu4_1 and relu5_1 (channels 64, 128, 256, 512, 512; strides 1, 2, 4, 8, 16). H and W are at least
        16. Each convolution is a layer of the name of its output, `relu3_2` for instance.

    Reference:
        Simonyan and Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition", 2015,
        table 1.

    Example:

    >>> model = vgg_trunk((1, 1, 1, 1, 1), name="tiny")
    >>> [tuple(feature.shape) for feature in model(keras.ops.zeros((1, 16, 32, 3)))][-1]
    (1, 1, 2, 512)
    """
    image = keras.Input((None, None, 3), name="image")
    x = image
    if bgr_mean is not None:
        offset = [127.5 - mean for mean in reversed(bgr_mean)]
        x = keras.layers.Rescaling(127.5, offset, dtype="float32", name="to_0_255_minus_mean")(x)
        x = ops.flip(x, axis=-1)
    features = []
    for block, (depth, filters) in enumerate(
        zip(convolutions, (64, 128, 256, 512, 512), strict=True), start=1
    ):
        if block > 1:
            x = keras.layers.MaxPooling2D(name=f"pool{block - 1}")(x)
        for i in range(1, 2 if block == 5 else depth + 1):
            convolution = keras.layers.Conv2D(
                filters,
                3,
                padding="same",
                activation="relu",
                kernel_initializer="he_normal",
                name=f"relu{block}_{i}",
            )
            x = convolution(x)
            if i == 1:
                features.append(x)
    model = keras.Model(image, features, name=name)
    model.trainable = False
    return model
