"""One small case of every public layer: how to make it, and inputs for it."""

import numpy as np

from keras_semisis import layers

LABELS = np.random.default_rng(0).integers(0, 3, (2, 8, 8)).astype("int32")
NOISE = np.random.default_rng(1).standard_normal((2, 5)).astype("float32")


def image(height=8, width=8, channels=4):
    return np.random.default_rng(2).standard_normal((2, height, width, channels)).astype("float32")


# class, arguments that all differ from their defaults where there are any, inputs
CASES = [
    (layers.BatchNorm, {"momentum": 0.8, "epsilon": 1e-3, "affine": True}, image()),
    (layers.InstanceNorm, {"epsilon": 1e-3}, image()),
    (layers.Blur, {"padding": 2, "strides": 2}, image()),
    (
        layers.EqualizedConv2D,
        {
            "filters": 6,
            "kernel_size": 3,
            "strides": 2,
            "padding": 2,
            "activation": "fused_leaky_relu",
            "use_bias": False,
        },
        image(),
    ),
    (
        layers.EqualizedDense,
        {"units": 6, "activation": "fused_leaky_relu", "use_bias": False},
        image()[:, 0, 0],
    ),
    (layers.ClassAffinity, {"num_classes": 3, "former_classes": 4}, LABELS),
    (layers.EdgeChannel, {"num_classes": 3}, [LABELS, (LABELS[..., None] > 1).astype("float32")]),
    (layers.DetailGain, {"gain": 0.5}, image()),
    (layers.MinibatchStdDev, {"group_size": 2}, image()),
    (layers.SemanticConv2D, {"filters": 6, "num_classes": 3, "activation": "relu"}, [LABELS, NOISE]),
    (
        layers.SpectralConv2D,
        {"filters": 6, "kernel_size": 3, "strides": 2, "padding": 0, "use_bias": False},
        image(),
    ),
    (layers.SPADE, {"num_classes": 3, "hidden_channels": 7, "norm": "instance"}, [image(), LABELS, NOISE]),
    (
        layers.SPADEResidualBlock,
        {"filters": 6, "num_classes": 3, "hidden_channels": 7, "norm": "instance"},
        [image(), LABELS, NOISE],
    ),
    (
        layers.SpectralConv2DTranspose,
        {"filters": 6, "kernel_size": 4, "strides": 2, "use_bias": False},
        image(),
    ),
    (layers.PredictedDepthwiseConv2D, {}, [image(), image(channels=36)]),
    (layers.ConditionalConv2D, {"filters": 6, "hidden_channels": 7}, [image(), image(channels=3)]),
    (
        layers.ConditionalResidualBlock,
        {"filters": 6, "num_classes": 3, "hidden_channels": 7},
        [image(), LABELS, image(channels=2)],
    ),
    (
        layers.DiffAugment,
        {"policy": ("color", "cutout"), "fill_class": 9},
        [image(channels=3), np.random.default_rng(3).uniform(size=(2, 5)).astype("float32")],
    ),
    (
        layers.RandomAffine,
        {"max_rotation": 20, "max_translation_x": 2, "max_translation_y": 1, "max_scaling": 10, "fill_class": 9},
        [image(), np.random.default_rng(3).uniform(size=(2, 4)).astype("float32")],
    ),
    (layers.WaveletDown, {"wavelet": "db2"}, image()),
    (layers.WaveletUp, {"wavelet": "db2"}, image()),
    (
        layers.WaveletSPADE,
        {"num_classes": 3, "hidden_channels": 7, "norm": "instance", "wavelet": "db2"},
        [image(4, 4), LABELS, NOISE],
    ),
    (
        layers.WaveletResidualBlock,
        {
            "filters": 8,
            "num_classes": 3,
            "hidden_channels": 7,
            "norm": "instance",
            "wavelet": "db2",
            "upsample": False,
            "detail_gain": 0.5,
        },
        [image(4, 4), LABELS, NOISE],
    ),
]
IDS = [case[0].__name__ for case in CASES]
