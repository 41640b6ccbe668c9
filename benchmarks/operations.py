"""Floating-point operations of a training step, counted from the layers.

The rule: a convolution or dense layer costs two operations for each multiply-add of its forward pass, ``2 ·
positions · kernel size``. Normalization, activations, blur, wavelets, resizing, optimizers and the noise's
share of a SPADE layer are left out (a lower bound: under 5 % together in these networks). A network that
learns costs three forward passes (forward, gradient of its inputs, gradient of its kernels), a frozen one
that passes a gradient on costs two, one without gradient one. R1 costs six: forward, input gradient, and
twice each for the gradient of that. A convolution over label maps counts as the one over one-hot labels
that it is.
"""

import math
from contextlib import contextmanager

import keras
import numpy as np

from keras_semisis.layers import SemanticConv2D


def forward_operations(model: keras.Model, batch_size: int) -> int:
    """Operations of one forward pass of a batch."""
    inputs = [np.zeros((1, *(n or 32 for n in x.shape[1:])), "int32" if "int" in x.dtype else "float32") for x in model.inputs]
    counts = []
    with _every_call(lambda layer, output: counts.append(_operations(layer, output))):
        model(inputs if len(inputs) > 1 else inputs[0], training=False)
    return batch_size * sum(counts)


def _operations(layer, output):
    kernel = getattr(layer, "kernel", None)
    if kernel is None:
        return 0
    shape = kernel.shape
    if isinstance(layer, SemanticConv2D):
        shape = (*shape[:2], layer.num_classes, shape[3])
    return 2 * math.prod(output.shape[1:-1]) * math.prod(shape)


@contextmanager
def _every_call(record):
    """Reports every layer's calls, those within blocks too, which a functional model does not list."""
    call = keras.layers.Layer.__call__

    def recorded(layer, *args, **kwargs):
        output = call(layer, *args, **kwargs)
        record(layer, output)
        return output

    keras.layers.Layer.__call__ = recorded
    try:
        yield
    finally:
        keras.layers.Layer.__call__ = call


def step_operations(gan, batch_size: int) -> dict[str, float]:
    """Operations of each phase of a `SemiPairedGAN`, or of OASIS, at an average step."""
    g = forward_operations(gan.generator, batch_size)
    d = forward_operations(gan.discriminator, batch_size)
    settings = gan.settings
    phases = {
        "discriminator": g + 2 * 3 * d + (3 * d if settings.label_mix_weight else 0),
        "generator": 3 * g + 2 * d,
    }
    if "unconditional_discriminator" not in gan.network_names:
        return phases
    u = forward_operations(gan.unconditional_discriminator, batch_size)
    phases["generator"] += d if settings.feature_matching_weight else 0
    phases |= {
        "unpaired": 3 * g + (2 if gan.freeze_discriminator else 3) * d + 2 * u,
        "unconditional": g + 2 * 3 * u + (6 * u / settings.r1_every if settings.r1_gamma else 0),
    }
    if gan.perceptual is not None and settings.perceptual_weight:
        height, width = gan.image_size
        image = keras.Input((height, width, 3))
        sized = keras.Model(image, gan.perceptual(image))
        phases["generator"] += 3 * forward_operations(sized, batch_size)
    return phases
