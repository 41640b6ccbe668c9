"""What `check` may be told."""

from dataclasses import dataclass
from typing import ClassVar

from keras_semisis.options.data import DataOptions
from keras_semisis.options.option import same_as
from keras_semisis.options.read import ReadOptions


@dataclass(kw_only=True)
class CheckOptions(ReadOptions):
    """Every option of `check`."""

    # of synthetic scenes, which are drawn in any
    image_size: ClassVar[tuple[int, int]] = (64, 96)
    skip_bad: int = same_as(DataOptions, "skip_bad", help="Number of bad files that make no error.")
