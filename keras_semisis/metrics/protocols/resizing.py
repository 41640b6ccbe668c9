"""How images are resized on their way into a network."""

import keras
import numpy as np
from keras import ops
from PIL import Image

from keras_semisis.metrics.generation_metric import to_numpy


def pillow_bilinear(images: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Pillow's bilinear filter, which smooths where it shrinks: (B, H, W, 3), uint8 as RGB, float32 channel by channel."""
    if images.shape[1:3] == tuple(size):
        return images
    if images.dtype == np.uint8:
        return np.stack([np.asarray(Image.fromarray(image).resize(size[::-1], Image.Resampling.BILINEAR)) for image in images])
    return np.stack([_by_channel(image, size, Image.Resampling.BILINEAR) for image in images])


def pillow_bicubic_299(images: np.ndarray) -> np.ndarray:
    """Antialiased resize of uint8 images (B, H, W, 3) to 299×299 in floating point: float32 in [0, 255], not rounded.

    Reference: Parmar et al., "On Aliased Resizing and Surprising Subtleties in GAN Evaluation", 2022.
    """
    resized = [_by_channel(image, (299, 299), Image.Resampling.BICUBIC) for image in images.astype(np.float32)]
    return np.stack(resized).clip(0.0, 255.0)


def _by_channel(image, size, resample):
    channels = [Image.fromarray(np.ascontiguousarray(image[..., c])).resize(size[::-1], resample) for c in range(3)]
    return np.stack([np.asarray(channel) for channel in channels], axis=-1)


def bilinear(maps: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Bilinear resize of maps (B, H, W, C) with half-pixel centres and without antialiasing, float32."""
    maps = maps.astype(np.float32)
    if maps.shape[1:3] == tuple(size):
        return maps
    return to_numpy(ops.image.resize(maps, tuple(size), "bilinear", antialias=False, data_format="channels_last"))


def softmax(logits: np.ndarray) -> np.ndarray:
    """Softmax over the last axis, on the backend."""
    return to_numpy(keras.activations.softmax(ops.convert_to_tensor(logits), axis=-1))
