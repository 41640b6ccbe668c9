"""A data set and a ratio: its paired part, its unpaired images and its unpaired label maps."""

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np

from keras_semisis.data.argument_error import ArgumentError
from keras_semisis.data.bad_files import BadFiles, bad_files
from keras_semisis.data.data_error import DataError
from keras_semisis.data.remedy import Remedy
from keras_semisis.data.sources.joined import Joined
from keras_semisis.data.sources.one_sided import ImagesOnly, LabelMapsOnly
from keras_semisis.data.sources.source import Source, Subset
from keras_semisis.data.statistics.counted import Counted
from keras_semisis.data.statistics.counting import class_statistics
from keras_semisis.data.statistics.missing import missing_classes
from keras_semisis.data.statistics.to_be_counted import to_be_counted
from keras_semisis.data.stream.draws import permutation

# Unpaired label maps that are read for the warning: a class that none of so many shows is hardly ever asked for
_LOOKED_AT = 512


def semi_paired_split(
    source: Source,
    ratio: float,
    seed: int = 0,
    skip_bad: int | BadFiles = 0,
    statistics_cache: str | Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Subset, Source, Source]:
    """Splits a paired source into N_p = round(ratio · N) pairs, and unpaired images and label maps of the rest.

    Which item goes where depends on ``seed``, ``ratio`` and the items' names, not on the order in which a
    disk lists them. With one seed, the pairs of a smaller ratio are among those of a larger one. The unpaired
    images and the unpaired label maps are the same items in two independent orders.

    Photos without a label map that lie beside the pairs (``source.unpaired_images``) join the unpaired images, and label maps
    without a photo the unpaired label maps. N counts the pairs alone.

    It counts the classes of the paired part, which rare-class sampling then need not do again, and warns of those that it
    misses and that one of up to 512 unpaired label maps shows.

    Args:
        source: A source with images and label maps.
        ratio: Supervision ratio r, from 0 to 1. 0 gives no pairs (USIS); 1 gives all of them, and unpaired
            sources that are the same items reshuffled, or what lies beside the pairs, where there is any.
        seed: The seed of the split.
        skip_bad: Number of label maps that may be bad when they are counted; as in `paired_dataset`.
        statistics_cache: File for the class statistics of the paired part, see `class_statistics`.
        progress: Called while they are counted, see `class_statistics`.

    Returns:
        ``(paired, images, labels)``: three sources; of photos and label maps, photos alone, label maps alone.

    Raises:
        ValueError: If the ratio is not in 0..1, or the source has no label maps.
        DataError: If a ratio between 0 and 1 leaves no pair, or nothing unpaired; if more label maps than ``skip_bad`` cannot
            be used.

    Warns:
        UserWarning: If the paired part misses classes that the rest has.

    Example:

    >>> from keras_semisis.data import SyntheticScenes
    >>> paired, images, labels = semi_paired_split(SyntheticScenes(num_scenes=10), ratio=0.4, seed=0)
    >>> len(paired), len(images), len(labels)
    (4, 6, 6)

    Reference:
        Eskandar et al., "A Semi-Paired Approach for Label-to-Image Translation", arXiv 2306.13585, section 4.
    """
    if not 0 <= ratio <= 1:
        percent = [Remedy(f"For {ratio:g} % give {{}}.", {"ratio": ratio / 100})] if 1 < ratio <= 100 else []
        raise ArgumentError("{} is not between 0 and 1.", {"ratio": ratio}, *percent)
    if source.label_space is None:
        raise ValueError(
            "source= has no label maps (its label_space is None): there are no pairs in it. Give a source of "
            "images and label maps."
        )
    total = len(source)
    num_pairs = round(ratio * total)
    if ratio > 0 and num_pairs == 0:
        raise DataError(
            f"A ratio of {ratio} of {total} items leaves no pair.",
            Remedy("Give {} or more,", {"ratio": _share(1, total)}),
            Remedy("or {} to train without pairs (USIS).", {"ratio": 0}),
        )
    if ratio < 1 and num_pairs == total:
        raise DataError(
            f"A ratio of {ratio} of {total} items leaves nothing unpaired.",
            Remedy("Give {} or less,", {"ratio": _share(total - 1, total)}),
            Remedy("or {} to reuse the pairs as unpaired items.", {"ratio": 1}),
        )
    by_name = np.array(sorted(range(total), key=source.name), np.int64)
    order = by_name[permutation(total, seed, "split")]
    pairs, rest = order[:num_pairs], order[num_pairs:] if ratio < 1 else order
    paired = source.subset(pairs)
    images: Source = ImagesOnly(source, rest[permutation(len(rest), seed, "unpaired images")])
    labels: Source = LabelMapsOnly(source, rest[permutation(len(rest), seed, "unpaired label maps")])
    images = with_further(images, source.unpaired_images, ratio == 1)
    labels = with_further(labels, source.unpaired_labels, ratio == 1)
    if 0 < ratio < 1 or (ratio and source.unpaired_labels is not None):
        bad = bad_files(skip_bad)
        paired = Counted(source, pairs, class_statistics(to_be_counted(paired, bad), statistics_cache, progress))
        _warn_of_missing_classes(paired, to_be_counted(labels.subset(range(min(_LOOKED_AT, len(labels)))), bad), ratio)
    paired.unpaired_images = paired.unpaired_labels = None  # they are in the other two
    return paired, images, labels


def with_further(own: Source, further: Source | None, alone: bool) -> Source:
    """What a split leaves unpaired, and further photos or label maps.

    Args:
        own: Of the split.
        further: Others of that kind, or None.
        alone: Whether there are to be the further ones alone, since ``own`` are the pairs reshuffled.
    """
    if further is None:
        return own
    return further if alone else Joined(own, further)


def _share(number, total):
    """The shortest ratio that makes so many pairs."""
    return next(short for digits in range(1, 17) if round((short := round(number / total, digits)) * total) == number)


def _warn_of_missing_classes(paired: Source, unpaired: Source, ratio: float) -> None:
    missing = missing_classes(paired, unpaired)
    if missing:
        remedy = "Another seed or a larger ratio may include them." if ratio < 1 else "Label a photo that shows them."
        warnings.warn(
            f"The {len(paired)} pairs of a ratio of {ratio} hold no pixel of {', '.join(missing)}: no "
            f"label will teach the discriminator these classes. {remedy}",
            stacklevel=3,
        )
