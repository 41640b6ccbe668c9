"""A JSON file that Label Studio has exported."""

import re
from collections import Counter
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import numpy as np

from keras_semisis.data.data_error import DataError
from keras_semisis.drawings.shapes import Drawing, Drawings, Shape, ellipse, polygons, rectangle, understood, whole_mask

KIND = "Label Studio"
# What stands before the name of a photo that was uploaded
HASH = re.compile(r"^[0-9a-f]{8}-")


def read_label_studio(tasks: list[dict[str, Any]], where: str) -> Drawings:
    """What the first annotation of each task says that was not canceled.

    Args:
        tasks: What the JSON file holds.
        where: The file, for messages.

    Raises:
        DataError: If it is not understood, or is JSON-MIN.
    """
    items, left_out = [], Counter[str]()
    for number, task in enumerate(tasks):
        place = f"{where}, task {task.get('id', number)}"
        with understood(place, KIND):
            if "annotations" not in task:
                raise DataError(f'{place}: it has no "annotations", as of JSON-MIN. Export the project as JSON.')
            done = [each for each in task["annotations"] if not each.get("was_cancelled")]
            results = [each for each in (done[0]["result"] if done else []) if "original_width" in each]
            if not results:
                left_out["a photo on which nothing is drawn"] += 1
                continue
            size = int(results[0]["original_height"]), int(results[0]["original_width"])
            shapes = []
            for each in results:
                shape = _shape(each, size, place)
                if shape is None:
                    left_out[f"one of {each['type']}"] += 1
                else:
                    shapes.append(shape)
            items.append(Drawing(place, _photo(task["data"], results[0].get("to_name")), size, shapes))
    return Drawings(KIND, items, left_out=left_out)


def _photo(data, name):
    """The name of the photo, of ``/data/upload/1/NAME`` or ``/data/local-files/?d=PATH`` or another address."""
    address = data[name] if name in data else next(iter(data[key] for key in ("image", "img", "photo") if key in data), None)
    if address is None:
        address = next(value for value in data.values() if isinstance(value, str))
    parts = urlsplit(address)
    local = parse_qs(parts.query).get("d")
    return (local[0] if local else unquote(parts.path)).replace("\\", "/").rsplit("/", 1)[-1]


def _shape(result, size, where):
    """A shape; None of what has no area or no class."""
    kind, value = result["type"].removesuffix("labels"), result["value"]
    labels = value.get(f"{kind}labels")
    if kind not in ("polygon", "rectangle", "ellipse", "brush") or not labels:
        return None
    height, width = size
    scale = np.array([width, height]) / 100  # all lengths are percents
    if kind == "polygon":
        paint = polygons([(np.asarray(value["points"], np.float64) * scale).ravel().tolist()], where)
    elif kind == "brush":
        if value.get("format", "rle") != "rle":
            raise ValueError(f"a brush of the format {value['format']!r}")
        paint = whole_mask(brush_mask(value["rle"], size, where), where)
    else:
        x, y = (np.array([value["x"], value["y"]], np.float64) * scale).tolist()
        degrees = float(value.get("rotation") or 0)
        if kind == "rectangle":
            across, down = (np.array([value["width"], value["height"]], np.float64) * scale).tolist()
            paint = rectangle(x, y, across, down, degrees, (x, y), where)
        else:
            radii = (np.array([value["radiusX"], value["radiusY"]], np.float64) * scale).tolist()
            paint = ellipse((x, y), (radii[0], radii[1]), degrees)
    return Shape(str(labels[0]), paint)


def brush_mask(packed: list[int], size: tuple[int, int], where: str) -> np.ndarray:
    """The mask that a brush has drawn.

    It is an RGBA picture of which the alpha counts, its bytes packed as runs of words: the number of words in 32 bits, the bits
    of a word less 1 in 5, four lengths of counts less 1 in 4 each; then for each run a bit that says whether it repeats one
    word, 2 bits that say which length its count has, the count less 1, and the word or words. (The format of rle-pack.)

    Args:
        packed: Bytes.
        size: (height, width) of the photo.
        where: The file, for messages.

    Returns:
        bool ``(height, width)``.

    Raises:
        DataError: If it is cut short, or of another size.
    """
    bits = np.unpackbits(np.asarray(packed, np.uint8))
    at = 0

    def take(number):
        nonlocal at
        if at + number > len(bits):
            raise DataError(f"{where}: a brush is cut short. Export it again.")
        at += number
        value = 0
        for bit in bits[at - number : at].tolist():
            value = 2 * value + bit
        return value

    words, word = take(32), take(5) + 1
    lengths = [take(4) + 1 for _ in range(4)]
    if words != size[0] * size[1] * 4 or word > 8:
        raise DataError(f"{where}: a brush of {words} values for a photo of {size[0]}×{size[1]}. Export it again.")
    out, done = np.zeros(words, np.uint8), 0
    while done < words:
        repeats = take(1)
        end = min(words, done + take(lengths[take(2)]) + 1)
        if repeats:
            out[done:end] = take(word)
        else:
            for i in range(done, end):
                out[i] = take(word)
        done = end
    return out.reshape(*size, 4)[..., 3] > 127
