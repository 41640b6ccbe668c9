"""Whether the palettes of indexed pictures allow their indices to be ids."""

import numpy as np

from keras_semisis.data.data_error import DataError
from keras_semisis.data.labels.ids_or_classes import is_ramp
from keras_semisis.data.pictures.label_picture import LabelPicture
from keras_semisis.data.remedy import Remedy


class FilePalettes:
    """The colors that indices have in the files' own palettes, which must agree if the indices are ids."""

    def __init__(self):
        self._seen: dict[int, tuple[tuple[int, ...], str]] = {}

    def add(self, picture: LabelPicture, where: str) -> None:
        """Compares the palette of one file with those before; may be called from threads.

        Args:
            picture: What is in the file.
            where: The file, for messages.

        Raises:
            DataError: If an index has another color than in them.
        """
        if picture.palette is None or is_ramp(picture.palette[0]):
            return
        colors = picture.palette[0]
        for i in np.flatnonzero(np.bincount(picture.pixels.ravel(), minlength=1)[: len(colors)]).tolist():
            color = tuple(colors[i].tolist())
            before, other = self._seen.setdefault(i, (color, where))
            if before != color:
                raise DataError(
                    f"{where}: its index {i} has the color {color}, but in {other} the color {before}: the "
                    "indices of these indexed pictures are no ids, their colors are.",
                    Remedy(
                        "Name the colors in a classes.csv (header id,name,r,g,b), or store ids in an 8- or 16-bit gray PNG."
                    ),
                )
