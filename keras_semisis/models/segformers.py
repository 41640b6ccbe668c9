"""SegFormer of keras-hub as a segmenter of this library."""

from typing import Any

import keras

# keras-hub 0.32 has the weights of ADE20K behind it
_MISLABELED = "segformer_b1_cityscapes_1024"


def segformer(preset: str | Any) -> keras.Model:
    """A SegFormer of keras-hub that takes images in [-1, 1]: a segmenter for mean IoU.

    Published weights exist for Cityscapes (19 train ids) and ADE20K (150 classes). The network takes one size alone; under
    the protocols `"native"` and `"clean"` images are resized to it, and its answers back.

    Args:
        preset: Name of a preset of `keras_hub.models.SegFormerImageSegmenter`, such as `"segformer_b0_cityscapes_1024"`,
            which keras-hub downloads on first use, or the folder of a saved one; or such a segmenter itself, with its
            preprocessor.

    Returns:
        A frozen keras.Model from images (B, H, W, 3) in [-1, 1] to logits (B, H, W, C), H and W those of the preset.

    Raises:
        ModuleNotFoundError: keras-hub is not installed.
        OSError: the preset cannot be had.
        ValueError: the segmenter has no preprocessor, which knows its normalization, or the preset is known to hold
            another network's weights.

    Reference:
        Xie et al., "SegFormer: Simple and Efficient Design for Semantic Segmentation with Transformers", 2021.

    Example:

    >>> segmenter = segformer("segformer_b0_ade20k_512")  # doctest: +SKIP
    >>> segmenter.output_shape  # doctest: +SKIP
    (None, 512, 512, 150)
    """
    segmenter = _load(preset) if isinstance(preset, str) else preset
    converter = getattr(getattr(segmenter, "preprocessor", None), "image_converter", None)
    if converter is None:
        raise ValueError(
            f"segformer: {segmenter.name!r} has no preprocessor with an image converter, so that its "
            "normalization is unknown. Load it by from_preset, or give it its preprocessor."
        )
    # the converter wants 0..255, and would crop to the network's aspect ratio: only its normalization is taken
    scale, offset = _three(converter.scale, 1.0), _three(converter.offset, 0.0)
    image = keras.Input(segmenter.input_shape[1:], dtype="float32", name="image")
    x = keras.layers.Rescaling(
        [127.5 * s for s in scale],
        [127.5 * s + o for s, o in zip(scale, offset, strict=True)],
        dtype="float32",
        name="normalize",
    )(image)
    model = keras.Model(image, segmenter(x), name=segmenter.name)
    model.trainable = False
    return model


def _three(value, default):
    if value is None:
        return [default] * 3
    return [float(value)] * 3 if isinstance(value, int | float) else [float(v) for v in value]


def _load(preset):
    if preset == _MISLABELED:
        raise ValueError(
            f"segformer: {preset!r} holds the weights of segformer_b1_ade20k_512 (keras-hub 0.32). Take "
            "segformer_b0_cityscapes_1024 or segformer_b2_cityscapes_1024."
        )
    try:
        import keras_hub
    except ImportError as error:
        raise ModuleNotFoundError(
            'segformer needs keras-hub: pip install "keras-semisis[keras-hub]". Without it '
            "give a segmenter of your own (keras-semisis train-segmenter makes one)."
        ) from error
    try:
        return keras_hub.models.SegFormerImageSegmenter.from_preset(preset)
    # whatever the download service raises
    except Exception as error:
        known = ", ".join(name for name in keras_hub.models.SegFormerImageSegmenter.presets if name != _MISLABELED)
        raise OSError(
            f"segformer: the preset {preset!r} could not be loaded ({error}). Presets: {known}. Where the download "
            "is out of reach give the folder of a preset that was saved elsewhere."
        ) from error
