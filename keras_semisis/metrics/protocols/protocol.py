"""What a score depends on, under one name."""

import hashlib
import json
from dataclasses import asdict, dataclass

from keras_semisis.metrics.protocols.segmentation_rule import PLAIN_RULES, PUBLISHED_RULES, SegmentationRule


@dataclass(frozen=True)
class Protocol:
    """Everything that a score depends on beside model, data, weights, seed and versions.

    Scores compare where protocol (by `sha256`), data, counts and weights are equal, and nowhere else. A protocol of your own:
    ``dataclasses.replace(get_protocol("native"), name="mine", kid_subset_size=100)``.

    What holds for all of them: real images are the validation images, resized to the generator's size by Pillow's bicubic
    filter whatever their aspect ratio, label maps by nearest neighbour; generated images are one for each of these label maps,
    of the moving-average generator. Real scores compare as many training images, evenly spread, with the validation images.

    Args:
        name: Its name.
        version: Raised whenever scores change.
        definition: In words.
        statistics_batches: Number of training batches over which the generator's batch-norm statistics are re-estimated; None
            leaves those that are stored in the model.
        eight_bit: Whether the feature network sees generated images rounded to 8 bits, as they are in files.
        segmenter_eight_bit: Whether the segmenter does.
        features: ``"inception_v3_fid"``, or ``"any"`` feature network.
        resize: How images come to the feature network: ``"network"``, as they are (the Inception network resizes them to
            299×299, bilinear without antialiasing); ``"pillow_bicubic_299"``, antialiased on the 8-bit values, unrounded.
        scale: How 8-bit values v become the network's input: ``"v / 127.5 - 1"`` or ``"(v - 128) / 128"``.
        statistics: ``"float32"`` or ``"float64"``: mean and covariance of the Fréchet distance.
        segmentation: Rules of published segmenters; one with the label maps' own classes always has the rule of these.
        kept_images: Number of images, from the first on, that kernel distance, precision and recall are computed from.
        kid_subset_size, kid_subsets: Of the kernel distance, see `kernel_estimate`.
        neighbours: Of precision and recall.
        diversity_maps, diversity_draws: Label maps, evenly spread, and noises for each, of the diversity score.

    Example:

    >>> protocol = get_protocol("clean")
    >>> protocol.statistics, len(protocol.sha256)
    ('float64', 64)
    """

    name: str
    version: int
    definition: str
    statistics_batches: int | None = None
    eight_bit: bool = False
    segmenter_eight_bit: bool = False
    features: str = "any"
    resize: str = "network"
    scale: str = "v / 127.5 - 1"
    statistics: str = "float64"
    segmentation: tuple[SegmentationRule, ...] = ()
    kept_images: int = 10_000
    kid_subset_size: int = 1000
    kid_subsets: int = 100
    neighbours: int = 3
    diversity_maps: int = 100
    diversity_draws: int = 5

    @property
    def sha256(self) -> str:
        """Hash over all of the above, 64 hexadecimal digits."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()


PROTOCOLS = {
    protocol.name: protocol
    for protocol in (
        Protocol(
            "oasis2021",
            2,
            "FID and mIoU as OASIS and USIS compute them: batch-norm statistics re-estimated over 51 training batches; float "
            "images, not quantised; Inception of 2015-12-05, bilinear to 299x299 without antialiasing, 2048 features; mean and "
            "covariance in float32. Segmenters see the images at 8 bits: Cityscapes DRN-D-105 at the generated size, ADE20K "
            "UPerNet-101 at the five sizes of its program (scores resized to the label map, softmax, mean), COCO-Stuff "
            "DeepLab-v2-101 at the generated size; label maps by nearest neighbour at the generated size.",
            statistics_batches=51,
            segmenter_eight_bit=True,
            features="inception_v3_fid",
            statistics="float32",
            segmentation=PUBLISHED_RULES,
        ),
        Protocol(
            "clean",
            1,
            "FID as clean-fid computes it: images at 8 bits, resized to 299x299 by Pillow's antialiased bicubic filter channel "
            "by channel in floating point, clipped and not rounded; Inception of 2015-12-05 fed (v - 128) / 128; float64.",
            eight_bit=True,
            segmenter_eight_bit=True,
            features="inception_v3_fid",
            resize="pillow_bicubic_299",
            scale="(v - 128) / 128",
            segmentation=PLAIN_RULES,
        ),
        Protocol(
            "native",
            1,
            "Float images at their own generated size, any feature network and segmenter; float64.",
            segmentation=PLAIN_RULES,
        ),
    )
}
"""The protocols by name."""


def get_protocol(name: str | Protocol) -> Protocol:
    """A protocol by its name; one that is given is returned as it is.

    Raises:
        ValueError: If there is no such protocol.

    Example:

    >>> get_protocol("native").version
    1
    """
    if isinstance(name, Protocol):
        return name
    if name not in PROTOCOLS:
        raise ValueError(f"protocol={name!r}: expected one of {', '.join(map(repr, PROTOCOLS))}.")
    return PROTOCOLS[name]
