"""What `pack` may be told."""

from dataclasses import dataclass
from pathlib import Path

from keras_semisis.options.data import DataOptions
from keras_semisis.options.named_data import NamedData
from keras_semisis.options.option import option, same_as
from keras_semisis.options.text import SIZE


@dataclass(kw_only=True)
class PackOptions(DataOptions):
    """Every option of `pack`."""

    data: str = same_as(
        NamedData, "data", help="What to pack, as --data of train: camvid:PATH, folder:PATH or synthetic.", argument=True
    )
    output: Path = option(help="The folder that is written, for --data records:FOLDER.", argument=True)
    image_size: tuple[int, int] = option((64, 96), "Height x width that synthetic scenes are rendered at.", form=SIZE)
    skip_bad: int = same_as(
        DataOptions,
        "skip_bad",
        help="Number of damaged or wrongly labeled files to leave out; they are listed at the end. All files are read "
        "before, to know them.",
    )
