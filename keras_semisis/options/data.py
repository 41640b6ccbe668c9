"""What to read, and how."""

from dataclasses import dataclass

from keras_semisis.options.layout import Layout
from keras_semisis.options.named_data import NamedData
from keras_semisis.options.option import DATA, option
from keras_semisis.options.text import RANGE


@dataclass(kw_only=True)
class DataOptions(Layout, NamedData):
    """Data, how they lie, and how their files are read."""

    ignore_class: int | None = option(
        None,
        "Don't-care id of the label maps of folder, hf and tfds: a class, or a stored id above all classes, such as "
        "255, of which a class is made.",
        DATA,
        of_resume=True,
    )
    id_map: tuple[str, ...] = option(
        (), "STORED=CLASS for ids of folder, hf and tfds that differ, such as 255=11. Repeatable.", DATA, of_resume=True
    )
    image_range: tuple[float, float] | None = option(
        None,
        "BLACK:WHITE, such as 0:4095, for photos (of folder and hf) of 16 bits that use fewer, or 0:1 for floating-point "
        "numbers.",
        DATA,
        form=RANGE,
    )
    skip_bad: int = option(
        0,
        "Number of damaged or wrongly labeled files to tolerate; they are listed at the end.",
        DATA,
        min=0,
        of_resume=True,
    )
