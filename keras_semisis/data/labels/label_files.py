"""Label maps from files whose ids nobody checks yet, and instance maps, whose ids mean nothing."""

from pathlib import Path

import numpy as np

from keras_semisis.data.labels.ids_or_classes import ids_or_classes
from keras_semisis.data.labels.label_space import LabelSpace
from keras_semisis.data.pictures.decoding import decode_label_picture, read_bytes
from keras_semisis.data.pictures.label_picture import packed_colors


def read_label_map(path: Path, label_space: LabelSpace | None) -> np.ndarray:
    """A label map as integers ``(H, W)``, as stored: neither remapped nor checked; see `decode_label_map`.

    Raises:
        DataError: If the file is missing, truncated or damaged, or its pixels are not clearly ids.
    """
    return decode_label_map(read_bytes(path), label_space, str(path))


def read_instance_map(path: Path) -> np.ndarray:
    """An instance map as int32 ``(H, W)``: gray of 8 or 16 bits, indices, or colors, each of which is an instance.

    Raises:
        DataError: If the file is missing, truncated or damaged, or its pixels may have been altered.
    """
    pixels = decode_label_picture(read_bytes(path), str(path), "instance map").pixels
    return packed_colors(pixels) if pixels.ndim == 3 else pixels.astype(np.int32)


def decode_label_map(content: bytes, label_space: LabelSpace | None, where: str) -> np.ndarray:
    """A label map as integers ``(H, W)``: the ids as stored, neither remapped nor checked, or classes where it has colors.

    See `decode_label_picture` for what is read and what is refused.

    Args:
        content: The bytes of the file. Of its formats only PNG has checksums by which damage is sure to be found.
        label_space: Where colors are looked up; None if there is no palette.
        where: The file, for messages.

    Raises:
        DataError: If the bytes are truncated or damaged, their pixels not clearly ids, or there are colors that no palette
            explains.
    """
    return ids_or_classes(decode_label_picture(content, where), label_space, where)[0]
