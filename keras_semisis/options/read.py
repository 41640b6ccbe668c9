"""All that a training reads."""

from dataclasses import dataclass

from keras_semisis.options.data import DataOptions
from keras_semisis.options.option import DATA, option


@dataclass(kw_only=True)
class ReadOptions(DataOptions):
    """All that a training reads, and `check` before it."""

    unpaired_images: str | None = option(
        None,
        "Further photos: a folder, records:PATH, hf:NAME, tfds:NAME, or a split of a benchmark such as "
        "cityscapes:PATH:train_extra, coco_stuff:PATH:unlabeled or ade20k:PATH:test.",
        DATA,
        methods=("semi_paired", "usis"),
        names="data",
    )
    unpaired_labels: str | None = option(
        None,
        "Further label maps of the same classes: a folder, records:PATH, hf:NAME, tfds:NAME, or a split of a "
        "benchmark such as cityscapes:PATH:train_extra.",
        DATA,
        methods=("semi_paired", "tcr", "usis"),
        names="data",
    )
    fit: str | None = option(
        None,
        "What is done with photos of other proportions than the image size: stretch, as published work does, or crop: the "
        "shorter side is scaled and the longer one cropped.",
        DATA,
    )


def check_fit(fit: str | None) -> None:
    """Refuses what is no way of fitting photos into the image size."""
    from keras_semisis.data.argument_error import require_choice
    from keras_semisis.data.stream.pipeline import FITS

    if fit is not None:
        require_choice("fit", fit, FITS)
