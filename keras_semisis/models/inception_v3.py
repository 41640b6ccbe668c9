"""The Inception network whose features published FID values are computed from."""

import keras
from keras import ops

DEPTHS = (64, 192, 768, 2048)
_SIZE = (299, 299)


def inception_v3_fid(depths: int | tuple[int, ...] = DEPTHS, name: str = "inception_v3_fid") -> keras.Model:
    """Inception-v3 as FID uses it: pooled features at up to four depths.

    Fréchet distances in its 2048 features are comparable with published FID values once the weights are those of
    pytorch-fid (``pt_inception-2015-12-05-6726825d.pth``, a release file of that project, which is not downloaded here):
    fill the network by `keras_semisis.checkpoints.load_reference_weights(model, path, family="pytorch_fid")`. It differs
    from `keras.applications.InceptionV3` in padding, pooling and weights. Everything is float32, whatever the dtype policy.

    Args:
        depths: Which features: any of 64, 192, 768 (fewer features need fewer images) and 2048. One number gives a model
            with one output, which `metrics.FrechetInceptionDistance` takes; a tuple gives a list of outputs. Layers
            behind the deepest are not built.
        name: Name of the model.

    Returns:
        A frozen keras.Model from images ``(B, H, W, 3)`` in [-1, 1], of any size (they are resized to 299×299, bilinear,
        without antialiasing), to the mean over all positions of each feature map: float32 ``(B, 64)``, ``(B, 192)``,
        ``(B, 768)``, ``(B, 2048)``. The weights are random.

    Raises:
        ValueError: If a depth is none of the four.

    Reference: Szegedy et al., "Rethinking the Inception Architecture for Computer Vision", CVPR 2016; the distance: Heusel
    et al., "GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash Equilibrium", 2017.

    Example:

    >>> inception_v3_fid(depths=64).output_shape
    (None, 64)
    >>> inception_v3_fid(depths=(64, 192)).output_shape
    [(None, 64), (None, 192)]
    """
    wanted = (depths,) if isinstance(depths, int) else tuple(depths)
    if not wanted or not set(wanted) <= set(DEPTHS):
        raise ValueError(f"inception_v3_fid: depths={depths!r}: expected one or several of {DEPTHS}.")
    image = keras.Input((None, None, 3), dtype="float32", name="image")
    x = ops.image.resize(image, _SIZE, interpolation="bilinear", antialias=False, data_format="channels_last")
    pooled = {}
    for depth, stage in zip(DEPTHS, (_stage_64, _stage_192, _stage_768, _stage_2048), strict=True):
        x = stage(x)
        pooled[depth] = keras.layers.GlobalAveragePooling2D(data_format="channels_last", dtype="float32", name=f"pool{depth}")(
            x
        )
        if depth == max(wanted):
            break
    outputs = pooled[depths] if isinstance(depths, int) else [pooled[depth] for depth in wanted]
    model = keras.Model(image, outputs, name=name)
    # also holds the running statistics, whatever ``training`` is
    model.trainable = False
    return model


def _stage_64(x):
    x = _conv(x, "Conv2d_1a_3x3", 32, 3, strides=2, padding="valid")
    x = _conv(x, "Conv2d_2a_3x3", 32, 3, padding="valid")
    x = _conv(x, "Conv2d_2b_3x3", 64, 3)
    return _halve(x, "maxpool1")


def _stage_192(x):
    x = _conv(x, "Conv2d_3b_1x1", 80, 1)
    x = _conv(x, "Conv2d_4a_3x3", 192, 3, padding="valid")
    return _halve(x, "maxpool2")


def _stage_768(x):
    for block, pool_filters in (("Mixed_5b", 32), ("Mixed_5c", 64), ("Mixed_5d", 64)):
        x = _block_5(x, block, pool_filters)
    x = _block_6a(x, "Mixed_6a")
    for block, filters in (("Mixed_6b", 128), ("Mixed_6c", 160), ("Mixed_6d", 160), ("Mixed_6e", 192)):
        x = _block_6(x, block, filters)
    return x


def _stage_2048(x):
    x = _block_7a(x, "Mixed_7a")
    x = _block_7(x, "Mixed_7b", _average)
    # the original network's graph has a maximum here, and comparable values need it
    return _block_7(x, "Mixed_7c", _maximum)


def _block_5(x, block, pool_filters):
    narrow = _conv(x, f"{block}-branch1x1", 64, 1)
    five = _conv(x, f"{block}-branch5x5_1", 48, 1)
    five = _conv(five, f"{block}-branch5x5_2", 64, 5)
    three = _conv(x, f"{block}-branch3x3dbl_1", 64, 1)
    three = _conv(three, f"{block}-branch3x3dbl_2", 96, 3)
    three = _conv(three, f"{block}-branch3x3dbl_3", 96, 3)
    pool = _conv(_average(x, block), f"{block}-branch_pool", pool_filters, 1)
    return _concatenate(block, narrow, five, three, pool)


def _block_6a(x, block):
    three = _conv(x, f"{block}-branch3x3", 384, 3, strides=2, padding="valid")
    double = _conv(x, f"{block}-branch3x3dbl_1", 64, 1)
    double = _conv(double, f"{block}-branch3x3dbl_2", 96, 3)
    double = _conv(double, f"{block}-branch3x3dbl_3", 96, 3, strides=2, padding="valid")
    return _concatenate(block, three, double, _halve(x, f"{block}-pool"))


def _block_6(x, block, filters):
    narrow = _conv(x, f"{block}-branch1x1", 192, 1)
    seven = _conv(x, f"{block}-branch7x7_1", filters, 1)
    seven = _conv(seven, f"{block}-branch7x7_2", filters, (1, 7))
    seven = _conv(seven, f"{block}-branch7x7_3", 192, (7, 1))
    double = _conv(x, f"{block}-branch7x7dbl_1", filters, 1)
    double = _conv(double, f"{block}-branch7x7dbl_2", filters, (7, 1))
    double = _conv(double, f"{block}-branch7x7dbl_3", filters, (1, 7))
    double = _conv(double, f"{block}-branch7x7dbl_4", filters, (7, 1))
    double = _conv(double, f"{block}-branch7x7dbl_5", 192, (1, 7))
    pool = _conv(_average(x, block), f"{block}-branch_pool", 192, 1)
    return _concatenate(block, narrow, seven, double, pool)


def _block_7a(x, block):
    three = _conv(x, f"{block}-branch3x3_1", 192, 1)
    three = _conv(three, f"{block}-branch3x3_2", 320, 3, strides=2, padding="valid")
    seven = _conv(x, f"{block}-branch7x7x3_1", 192, 1)
    seven = _conv(seven, f"{block}-branch7x7x3_2", 192, (1, 7))
    seven = _conv(seven, f"{block}-branch7x7x3_3", 192, (7, 1))
    seven = _conv(seven, f"{block}-branch7x7x3_4", 192, 3, strides=2, padding="valid")
    return _concatenate(block, three, seven, _halve(x, f"{block}-pool"))


def _block_7(x, block, pooling):
    narrow = _conv(x, f"{block}-branch1x1", 320, 1)
    three = _conv(x, f"{block}-branch3x3_1", 384, 1)
    three = _conv(three, f"{block}-branch3x3_2a", 384, (1, 3)), _conv(three, f"{block}-branch3x3_2b", 384, (3, 1))
    double = _conv(x, f"{block}-branch3x3dbl_1", 448, 1)
    double = _conv(double, f"{block}-branch3x3dbl_2", 384, 3)
    double = _conv(double, f"{block}-branch3x3dbl_3a", 384, (1, 3)), _conv(double, f"{block}-branch3x3dbl_3b", 384, (3, 1))
    pool = _conv(pooling(x, block), f"{block}-branch_pool", 192, 1)
    return _concatenate(block, narrow, *three, *double, pool)


def _conv(x, name, filters, kernel, strides=1, padding="same"):
    """Convolution, batch normalization, ReLU.

    A dash stands for the dot of the published names, which not every backend takes in a layer's name.
    """
    x = keras.layers.Conv2D(
        filters, kernel, strides, padding, use_bias=False, data_format="channels_last", dtype="float32", name=f"{name}-conv"
    )(x)
    x = keras.layers.BatchNormalization(epsilon=1e-3, dtype="float32", name=f"{name}-bn")(x)
    return keras.layers.ReLU(dtype="float32", name=f"{name}-relu")(x)


def _halve(x, name):
    return keras.layers.MaxPooling2D(3, 2, data_format="channels_last", dtype="float32", name=name)(x)


def _average(x, block):
    # "same" leaves the padding out of the count
    return keras.layers.AveragePooling2D(3, 1, "same", data_format="channels_last", dtype="float32", name=f"{block}-average")(x)


def _maximum(x, block):
    return keras.layers.MaxPooling2D(3, 1, "same", data_format="channels_last", dtype="float32", name=f"{block}-maximum")(x)


def _concatenate(block, *branches):
    return keras.layers.Concatenate(dtype="float32", name=block)(list(branches))
