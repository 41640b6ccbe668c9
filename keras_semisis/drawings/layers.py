"""Drawings in layers: a folder with one PNG for each class."""

import re
from pathlib import Path

import numpy as np
from PIL import Image

from keras_semisis.data.data_error import DataError
from keras_semisis.data.remedy import Remedy
from keras_semisis.drawings.shapes import Drawing, Drawings, Shape, whole_mask

KIND = "layers"
# "02_road": what lies above has the higher number
_NUMBER = re.compile(r"^(\d+)[ _-]+(?=\S)")


def layer_folders(root: Path) -> list[Path]:
    """The folders with layers: this one, or its subfolders, beside which their photos may lie.

    Raises:
        DataError: If it may be either.
    """
    folders = [each for each in sorted(root.iterdir()) if each.is_dir() and not _is_hidden(each) and any(_layers_in(each))]
    names = {folder.name for folder in folders}
    layers = [file for file in sorted(_layers_in(root)) if file.stem not in names]
    if layers and folders:
        raise DataError(
            f"{root}: {layers[0].name} may be a layer of one photo, and the folder {folders[0].name} the layers of another.",
            Remedy("Take either out of the folder. Photos may lie in one of their own, named by {}.", {"images": ...}),
        )
    return [root] if layers else folders


def read_layers(root: Path) -> Drawings:
    """Layers by their names, ``CLASS.png`` or ``NUMBER_CLASS.png``, those that come later above.

    What is opaque belongs to the class; in a file without transparency, what is not black.

    Args:
        root: A folder of layers, named after its photo, or one with such folders in it.

    Raises:
        DataError: If a file is no PNG, those of one photo differ in size, or it is not clear which of both the folder is.
    """
    items, classes = [], dict[str, None]()
    for folder in layer_folders(root):
        files, sizes, shapes = sorted(_layers_in(folder), key=_order), {}, []
        for file in files:
            with _opened(file) as image:
                sizes[file] = image.size[::-1]
            label = _NUMBER.sub("", file.stem)
            shapes.append(Shape(label, _paint(file)))
            classes[label] = None
        odd = next((file for file in files if sizes[file] != sizes[files[0]]), None)
        if odd is not None:
            (height, width), (others, other) = sizes[odd], sizes[files[0]]
            raise DataError(
                f"{odd}: this layer is {height}×{width} (height×width), but {files[0].name} is {others}×{other}. Export "
                "all layers at the size of the photo."
            )
        items.append(Drawing(str(folder), folder.name, sizes[files[0]], shapes))
    return Drawings(KIND, items, list(classes))


def _layers_in(folder):
    return (each for each in folder.iterdir() if each.suffix.lower() == ".png" and each.is_file() and not _is_hidden(each))


def _is_hidden(path):
    return path.name.startswith(".")


def _order(file):
    number = _NUMBER.match(file.stem)
    return (int(number[1]) if number else -1, file.stem.casefold())


def _opened(file):
    try:
        return Image.open(file, formats=["PNG"])
    except OSError as error:
        raise DataError(f"{file}: no PNG that can be read ({error}). Export it again.") from None


def _paint(file):
    """What paints a layer, which is read as it does."""
    return lambda size: whole_mask(_mask(file), str(file))(size)


def _mask(file):
    try:
        with _opened(file) as image:
            rgba = np.asarray(image.convert("RGBA"))
    except (OSError, SyntaxError) as error:
        raise DataError(f"{file}: no PNG that can be read ({error}). Export it again.") from None
    has_transparency = (rgba[..., 3] < 255).any()
    return rgba[..., 3] > 127 if has_transparency else rgba[..., :3].any(axis=-1)
