"""Segments in a JSON file of COCO panoptic, whose pixels are in PNG files beside it."""

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from keras_semisis.data.data_error import DataError
from keras_semisis.data.pictures.decoding import read_image
from keras_semisis.drawings.shapes import Drawing, Drawings, Shape, understood, whole_mask

KIND = "COCO panoptic"


def read_coco_panoptic(document: dict[str, Any], path: Path) -> Drawings:
    """What ``segments_info`` says of the segments in the PNG files.

    These lie in the folder that has the file's name without ``.json``, or beside it. The id of a pixel's segment is red + 256 ·
    green + 65,536 · blue; 0 is none.

    Args:
        document: What the JSON file holds.
        path: The file.

    Raises:
        DataError: If it is not understood, or a PNG file is missing.
    """
    items = []
    with understood(str(path), KIND):
        categories = sorted(document["categories"], key=lambda each: each["id"])
        names = {each["id"]: str(each["name"]) for each in categories}
        colors = {str(each["name"]): _color(each["color"]) for each in categories if "color" in each}
        images = {each["id"]: each for each in document["images"]}
        for each in document["annotations"]:
            place = f"{path}, image {each.get('image_id')}"
            with understood(place, KIND):
                image, segments = images[each["image_id"]], each["segments_info"]
                file = _file(path, str(each["file_name"]).replace("\\", "/"), place)
                listed = frozenset(int(part["id"]) for part in segments)
                for part in segments:
                    if part["category_id"] not in names:
                        raise ValueError(f"there is no category {part['category_id']}")
                shapes = [Shape(names[part["category_id"]], _paint(file, int(part["id"]), listed)) for part in segments]
                items.append(Drawing(place, str(image["file_name"]), _size(image), shapes))
        drawn = {each["image_id"] for each in document["annotations"]}
        items += [
            Drawing(f"{path}, image {key}", str(image["file_name"]), _size(image), [])
            for key, image in images.items()
            if key not in drawn
        ]
    return Drawings(KIND, items, list(names.values()), colors)


def _size(image):
    return int(image["height"]), int(image["width"])


def _color(color):
    red, green, blue = (int(channel) for channel in color)
    return red, green, blue


def _file(path, name, where):
    folders = (path.with_suffix(""), path.parent)
    found = next((folder / name for folder in folders if (folder / name).is_file()), None)
    if found is None:
        raise DataError(
            f"{where}: its segments {name} are neither in {folders[0]} nor in {folders[1]}. Put the PNG files there."
        )
    return found


def _paint(file, segment, listed):
    return lambda size: whole_mask(_segments(file, listed) == segment, str(file))(size)


@lru_cache(maxsize=1)  # all segments of an image are painted one after the other
def _segments(file: Path, listed: frozenset[int]) -> np.ndarray:
    """The id of each pixel's segment."""
    red, green, blue = np.moveaxis(read_image(file).astype(np.int32), -1, 0)
    ids = red + 256 * green + 65536 * blue
    odd = {*np.unique(ids).tolist()} - {0} ^ listed
    if odd:
        raise DataError(
            f"{file}: segment {min(odd)} is in the PNG file or in the JSON file alone. Both have to be of one export, and the "
            "PNG file without loss."
        )
    return ids
