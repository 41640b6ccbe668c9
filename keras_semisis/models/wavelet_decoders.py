"""The decoder of USIS: an image from the features of its wavelet discriminator."""

import keras

from keras_semisis.layers import InstanceNorm, SpectralConv2DTranspose
from keras_semisis.models.image_size import check_image_size

FEATURE_WIDTHS = (4, 8, 8, 8, 8, 8)
DECODER_WIDTHS = (8, 8, 8, 4, 2, 1)


def wavelet_decoder(image_size: tuple[int, int], base_channels: int = 64, name: str = "wavelet_decoder") -> keras.Model:
    """The decoder that rebuilds an image from the features of a wavelet discriminator of six blocks.

    USIS trains the discriminator to keep what the decoder needs: it adds ``mean(|image - decoder(features)|)`` to the
    discriminator's loss. The features are those of ``models.features(models.wavelet_discriminator(image_size))`` where
    that has six blocks: a longer side from 512 to 1023.

    Args:
        image_size: ``(height, width)``, multiples of 128.
        base_channels: Width of the last block; the features' widths are 4, 8, 8, 8, 8 and 8 times as large. 64 fits the
            default widths of the wavelet discriminator.
        name: Name of the model.

    Returns:
        A model from six feature maps, finest first, ``(B, H/4, W/4, 4 * base_channels)`` to
        ``(B, H/128, W/128, 8 * base_channels)``, to images float32 ``(B, H, W, 3)`` in [-1, 1].

    Raises:
        ValueError: If the size does not fit, naming the nearest that do.

    Reference: Eskandar et al., "Wavelet-based unsupervised label-to-image translation", ICASSP 2022.

    Example:

    >>> decoder = wavelet_decoder((128, 256), base_channels=2)
    >>> decoder.input_shape[0], decoder.input_shape[-1]
    ((None, 32, 64, 8), (None, 1, 2, 16))
    >>> decoder.output_shape
    (None, 128, 256, 3)
    """
    height, width = check_image_size("wavelet_decoder", image_size, 128)
    features = [
        keras.Input((height // 2 ** (i + 2), width // 2 ** (i + 2), factor * base_channels), name=f"feature_{i}")
        for i, factor in enumerate(FEATURE_WIDTHS)
    ]
    x = features[-1]
    for i, factor in enumerate(DECODER_WIDTHS, start=1):
        if i > 1:
            x = keras.layers.Concatenate(name=f"skip_{i}")([x, features[-i]])
        x = SpectralConv2DTranspose(factor * base_channels, 4, strides=2, use_bias=False, name=f"up_{i}")(x)
        x = InstanceNorm(name=f"norm_{i}")(x)
        x = keras.layers.ReLU(name=f"relu_{i}")(x)
        if i <= 2:
            x = keras.layers.Dropout(0.5, name=f"dropout_{i}")(x)
    x = SpectralConv2DTranspose(3, 4, strides=2, name="final_up")(x)
    image = keras.layers.Activation("tanh", dtype="float32", name="image")(x)
    return keras.Model(features, image, name=name)
