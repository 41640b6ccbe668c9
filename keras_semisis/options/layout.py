"""How data lie."""

from dataclasses import dataclass
from typing import Any

from keras_semisis.options.option import DATA, option


@dataclass(kw_only=True)
class Layout:
    """How data lie, where it is not to be found by their usual names. None leaves it to these."""

    train_split: str | None = option(None, "Name of the split to train on, where it is not called train or training.", DATA)
    validation_split: str | None = option(
        None, "Name of the split to validate with, where it is not called val, valid or validation; such as test.", DATA
    )
    image_suffix: str | None = option(
        None,
        "What the names of a folder's photos have after the part that they share with label maps, such as _sat.",
        DATA,
    )
    label_suffix: str | None = option(
        None,
        "What the names of its label maps have there, such as _mask. Both are found by themselves, unless there are "
        "several kinds.",
        DATA,
    )
    image_prefix: str | None = option(None, "What the names of a folder's photos have before that part, such as img_.", DATA)
    label_prefix: str | None = option(None, "What the names of its label maps have there, such as mask_.", DATA)

    snap: float | None = option(
        None,
        "Of a folder's label maps in colors that were drawn with smooth edges: how far, in RGB, a color may be from that of "
        "the class beside it that it is taken for, such as 200. What was done is told.",
        DATA,
        min=0,
    )

    @property
    def of_folder(self) -> dict[str, Any]:
        """The arguments of `Folder`."""
        names = ("image_suffix", "label_suffix", "image_prefix", "label_prefix", "snap")
        return {name: getattr(self, name) for name in names}


USUAL_LAYOUT = Layout()
