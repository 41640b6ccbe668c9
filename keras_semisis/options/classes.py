"""What `classes` may be told."""

from dataclasses import dataclass
from pathlib import Path

from keras_semisis.options.data import DataOptions
from keras_semisis.options.named_data import NamedData
from keras_semisis.options.option import option, same_as


@dataclass(kw_only=True)
class ClassesOptions:
    """Every option of `classes`."""

    data: str = same_as(
        NamedData,
        "data",
        help="cityscapes, ade20k, coco_stuff, camvid, synthetic, tfds:NAME, hf:NAME, records:PATH or a folder.",
        argument=True,
    )
    legend: Path | None = option(None, "A PNG file to draw names and colors into.")
    ignore_class: int | None = same_as(DataOptions, "ignore_class")
    id_map: tuple[str, ...] = same_as(DataOptions, "id_map")
