"""JSON files of labelme, one for each photo."""

import base64
import binascii
import io
import posixpath
from collections import Counter
from collections.abc import Iterable
from pathlib import Path, PureWindowsPath
from typing import Any

import numpy as np
from PIL import Image

from keras_semisis.drawings.shapes import Drawing, Drawings, Shape, ellipse, part_of_mask, polygons, rectangle, understood

KIND = "labelme"


def read_labelme(documents: Iterable[tuple[Path, dict[str, Any]]], root: Path) -> Drawings:
    """What the ``shapes`` of files say.

    Args:
        documents: Each file, and what it holds.
        root: The folder of the files, from which the photos have their paths.

    Raises:
        DataError: If one is not understood.
    """
    items, left_out = [], Counter[str]()
    for file, document in documents:
        where = str(file)
        with understood(where, KIND):
            shapes = []
            for each in document["shapes"]:
                paint = _paint(each, where)
                if paint is None:
                    left_out[f"a {each['shape_type']}"] += 1
                else:
                    shapes.append(Shape(str(each["label"]), paint))
            size = int(document["imageHeight"]), int(document["imageWidth"])
            photo, elsewhere = _photo(str(document["imagePath"]), file.parent.relative_to(root).as_posix())
            items.append(Drawing(where, photo, size, shapes, elsewhere))
    return Drawings(KIND, items, left_out=left_out)


def _photo(path, folder):
    """The path of a photo from the root; if it leads out of it, that of a photo beside the JSON file, and the path."""
    path = path.replace("\\", "/")
    joined = posixpath.normpath(posixpath.join(folder, path))
    if PureWindowsPath(path).anchor or joined.startswith("../"):
        return posixpath.normpath(posixpath.join(folder, posixpath.basename(path))), joined
    return joined, None


def _paint(shape, where):
    """What paints a shape; None of one without an area."""
    kind, points = shape.get("shape_type") or "polygon", np.asarray(shape["points"], np.float64).reshape(-1, 2)
    if kind == "polygon":
        return polygons([points.ravel().tolist()], where)
    if kind == "rectangle":
        (left, top), (right, bottom) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
        return rectangle(left, top, right - left, bottom - top, 0.0, (left, top), where)
    if kind == "circle":
        radius = float(np.linalg.norm(points[1] - points[0]))
        return ellipse((points[0, 0], points[0, 1]), (radius, radius))
    if kind == "mask":
        try:
            with Image.open(io.BytesIO(base64.b64decode(shape["mask"]))) as image:
                mask = np.asarray(image.convert("L")) > 0
        except (OSError, binascii.Error) as error:
            raise ValueError(f"its mask is no picture: {error}") from error
        left, top = np.rint(points[0]).astype(int).tolist()
        return part_of_mask(mask, left, top, where)
    if kind in ("point", "points", "line", "linestrip"):
        return None
    raise ValueError(f"a shape of the type {kind!r}")
