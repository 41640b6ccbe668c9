"""Intermediate features of a network."""

import keras


def features(model: keras.Model) -> keras.Model:
    """A model of the same inputs that returns the outputs of the network's blocks, first to last, sharing its weights.

    For the OASIS discriminator and the U-Net segmenter these are the encoder blocks, then the decoder blocks; for the
    wavelet discriminator its convolution blocks; for the multi-scale discriminator a list of layer outputs for each scale.

    Args:
        model: A network of `keras_semisis.models`.

    Raises:
        ValueError: If the model has no such blocks.

    Example:

    >>> from keras_semisis import models
    >>> segmenter = models.unet_segmenter(4, (16, 16), channels=(8, 8), final_channels=8)
    >>> [tuple(output.shape[1:]) for output in features(segmenter).outputs]
    [(8, 8, 8), (4, 4, 8), (8, 8, 8), (16, 16, 8)]
    """
    outputs = [layer.output for layer in model.layers if getattr(layer, "is_feature_block", False)]
    if not outputs:
        raise ValueError(
            f"Model {model.name!r} has no layer that is marked as a feature block; set is_feature_block = "
            "True on the layers whose outputs are its features."
        )
    return keras.Model(model.input, outputs, name=f"{model.name}_features")
