"""The published evaluation of UPerNet: the mean over five image sizes."""

import keras
import numpy as np
from keras import ops
from PIL import Image

from keras_semisis.layers.resize import resize_bilinear

# Sides are rounded up to multiples of it
_MULTIPLE = 32


class MultiSizeUPerNet:
    """UPerNet as its published evaluation runs it: the mean of its probabilities over several sizes of each image.

    A segmenter for `metrics.GeneratedMeanIoU`. Images are rounded to 8 bits and resized by Pillow (bilinear, smoothed), as
    the published program does it; the aspect ratio may change a little.

    Args:
        model: From `models.upernet_101`, with weights, built for any ``image_size``.
        short_sides: Lengths that the shorter side is brought to, one after the other, before both sides are rounded up to a
            multiple of 32.
        longest_side: The longer side is not made longer than this, before it is rounded up.

    Call arguments:
        images: Float ``(B, H, W, 3)`` in [-1, 1].

    Returns of a call:
        Probabilities, NumPy float32 ``(B, H, W, num_classes)``, or of the model's ``output_size`` where it has one.

    Raises:
        ValueError: If the model is no such network, is built for one image size, or a size is not positive; in a call, if
            the images are none.

    Reference: CSAILVision/semantic-segmentation-pytorch, evaluation on ADE20K.

    Example:

    >>> from keras_semisis import models
    >>> segmenter = MultiSizeUPerNet(models.upernet_101(num_classes=3), short_sides=(32, 64))
    >>> segmenter(np.zeros((1, 20, 30, 3), "float32")).shape
    (1, 20, 30, 3)
    """

    def __init__(self, model: keras.Model, short_sides: tuple[int, ...] = (300, 375, 450, 525, 600), longest_side: int = 1000):
        if "decoder-conv_last-1" not in {layer.name for layer in model.layers}:
            raise ValueError(f"MultiSizeUPerNet: {model.name!r} is no network of models.upernet_101.")
        if model.input_shape[1:3] != (None, None):
            raise ValueError(f"MultiSizeUPerNet: {model.name!r} takes images of {model.input_shape[1:3]} only. Build it "
                             "without image_size.")
        if not short_sides or min(*short_sides, longest_side) < 1:
            raise ValueError(f"MultiSizeUPerNet: short_sides={short_sides}, longest_side={longest_side}: expected positive "
                             "numbers of pixels.")
        self.short_sides = tuple(short_sides)
        self.longest_side = longest_side
        self._output_size = model.get_layer("resize").size
        self._scores = keras.Model(model.input, model.get_layer("decoder-conv_last-1").output)

    def __call__(self, images) -> np.ndarray:
        images = ops.convert_to_numpy(images)
        if images.dtype.kind in "iub" or images.ndim != 4 or images.shape[-1] != 3:
            raise ValueError(f"MultiSizeUPerNet: expected float images (B, H, W, 3) in [-1, 1], found {images.dtype} of the "
                             f"shape {images.shape}.")
        pixels = np.rint(np.clip((images + 1.0) * 127.5, 0, 255)).astype("uint8")
        size = self._output_size or pixels.shape[1:3]
        total = 0.0
        for short_side in self.short_sides:
            resized = self._resize(pixels, short_side).astype("float32") / 127.5 - 1.0
            scores = ops.convert_to_tensor(self._scores.predict_on_batch(resized))
            total = total + ops.convert_to_numpy(ops.softmax(resize_bilinear(scores, size), axis=-1))
        return total / len(self.short_sides)

    def _resize(self, pixels, short_side):
        height, width = pixels.shape[1:3]
        scale = min(short_side / min(height, width), self.longest_side / max(height, width))
        height, width = (max(-(-int(side * scale) // _MULTIPLE), 1) * _MULTIPLE for side in (height, width))
        return np.stack([Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR) for image in pixels])
