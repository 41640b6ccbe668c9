"""The Inception network of comparable FID values, from the user's own file."""

import hashlib
import warnings
from pathlib import Path

import keras

from keras_semisis.checkpoints import load_reference_weights
from keras_semisis.data.advised import Advised
from keras_semisis.data.remedy import Remedy
from keras_semisis.models import inception_v3_fid

INCEPTION_FILE = "pt_inception-2015-12-05-6726825d.pth"
INCEPTION_SOURCE = f"https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/{INCEPTION_FILE}"
# PyTorch names its files by the beginning of their SHA-256
_PUBLISHED = "6726825d"


def load_fid_inception(path: str | Path) -> keras.Model:
    """The Inception network whose features published FID values are computed from.

    Args:
        path: ``pt_inception-2015-12-05-6726825d.pth``, a release file of pytorch-fid, which is not downloaded here; or the same
            weights as ``.npz`` or ``.safetensors``.

    Returns:
        `models.inception_v3_fid` with 2048 features, filled. A `.pth` file of another SHA-256 is taken with a warning.

    Raises:
        FileNotFoundError: If there is no such file; the message says where it comes from and what works without.
        CheckpointError: If it cannot be read or holds another network.

    Example:

    >>> load_fid_inception("inception.pth")  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
    keras_semisis.metrics.protocols.inception.MissingInceptionError: inception.pth: there is no such file. ...
    """
    path = Path(path)
    if not path.is_file():
        raise MissingInceptionError(f"{path}: there is no such file.", *without_inception())
    model = load_reference_weights(inception_v3_fid(depths=2048), path, family="pytorch_fid")
    if not is_published_inception(path):
        warnings.warn(
            f"{path}: its SHA-256 does not begin with {_PUBLISHED}, so that this is not {INCEPTION_FILE}. Distances "
            "with it are comparable with published FID values only if it holds the same weights.",
            stacklevel=2,
        )
    return model


def without_inception() -> tuple[Remedy, ...]:
    """What an error advises where the file is missing."""
    return (
        Remedy(
            f"FID needs the Inception weights of 2015-12-05: download {INCEPTION_FILE} ({INCEPTION_SOURCE}) and give {{}}.",
            {"inception": ...},
            "features=load_fid_inception(FILE)",
        ),
        Remedy(
            "Without it use {}, or the features of a segmenter, whose distances compare among themselves alone;",
            {"protocol": "native", "features": "efficientnet_lite0"},
            'the protocol "native" and another network as features=',
        ),
        Remedy("or score mIoU alone with {}.", {"features": "none"}, "features=None"),
    )


class MissingInceptionError(Advised, FileNotFoundError):
    """There is no file with the Inception network."""


def is_published_inception(path: str | Path) -> bool:
    """Whether a file is pytorch-fid's, by its SHA-256."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest().startswith(_PUBLISHED)


def is_fid_inception(network) -> bool:
    """Whether a feature network is `models.inception_v3_fid` with 2048 features, whatever its weights."""
    return (
        isinstance(network, keras.Model)
        and getattr(network, "output_shape", None) == (None, 2048)
        and any(layer.name == "Mixed_7c" for layer in network.layers)
    )
