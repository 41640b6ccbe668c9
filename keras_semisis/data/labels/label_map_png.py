"""A label map as a file."""

import io

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from keras_semisis.data.labels.label_space import LabelSpace
from keras_semisis.data.pictures.label_picture import CLASS_IDS


def label_map_png(label_map: np.ndarray, space: LabelSpace) -> bytes:
    """A PNG of class ids, with the classes' colors as its palette where 8 bits suffice.

    Its text says that its numbers are classes, which a label space whose files store other ids could not know.

    Args:
        label_map: (height, width) integers.
        space: What the classes are.

    Example:

    >>> space = LabelSpace(("sky", "road"), [(0, 0, 255), (90, 90, 90)])
    >>> space.decode(label_map_png(np.array([[0, 1]]), space), "example").tolist()
    [[0, 1]]
    """
    if space.num_classes > 256:
        image = Image.fromarray(label_map.astype("uint16"))
    else:
        image = Image.fromarray(label_map.astype("uint8"), "P")
        image.putpalette(np.asarray(space.palette, "uint8").tobytes())
    text = PngInfo()
    text.add_text(*CLASS_IDS)
    file = io.BytesIO()
    image.save(file, "PNG", pnginfo=text)
    return file.getvalue()
