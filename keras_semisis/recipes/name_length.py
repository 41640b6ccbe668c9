"""Names of photos that are made of those of label maps, and so may become too long."""

import os

from keras_semisis.data import DataError

# Bytes of a file's name, in usual file systems
_MOST = 255


def check_length(label_map: str, photo: str) -> None:
    """Raises a `DataError` if the photo of a label map would have a name that is too long for a file.

    Example:

    >>> check_length("town/1", "town_1-0.png")
    """
    length = len(os.fsencode(photo))
    if length > _MOST:
        raise DataError(
            f"{label_map}: the name of its photo, {photo}, would have {length} bytes; that of a file has at most {_MOST}. "
            "Give the label map a shorter name."
        )
