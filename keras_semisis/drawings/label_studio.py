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
_HASH = re.compile(r"^[0-9a-f]{8}-")


def read_label_studio(tasks: list[dict[str, Any]], where: str) -> Drawings:
    """What the first annotation of each task says that was not canceled, for each of its photos.

    Args:
        tasks: What the JSON file holds.
        where: The file, for messages.

    Raises:
        DataError: If it is not understood, is JSON-MIN, or one tag shows several photos.
    """
    drawn, items, left_out = [], [], Counter[str]()
    for number, task in enumerate(tasks):
        place = f"{where}, task {task.get('id', number)}"
        with understood(place, KIND):
            if "annotations" not in task:
                raise DataError(f'{place}: it has no "annotations", as of JSON-MIN. Export the project as JSON.')
            drawn.append((place, task["data"], _by_tag(task["annotations"])))
    tags = dict.fromkeys(tag for *_, by_tag in drawn for tag in by_tag)
    for place, data, by_tag in drawn:
        with understood(place, KIND):
            # a photo of this task on which nothing is drawn is known by its tag, if one of another task is drawn on
            for tag, results in ({tag: [] for tag in tags if tag in data} | by_tag or {None: []}).items():
                address = _address(data, tag)
                if results and (not address or (tag not in data and len(tags) > 1)):
                    raise DataError(
                        f"{place}: something is drawn on {tag!r}, but its data does not say which photo that is. Rename what "
                        "is in data as the tags are named."
                    )
                if isinstance(address, list) or len({each.get("item_index") for each in results}) > 1:
                    raise DataError(
                        f"{place}: one tag, {tag!r}, shows several photos. Give each a task of its own, or a tag of its own."
                    )
                if address:
                    items.append(_drawing(place, address, results, left_out))
                else:
                    left_out["a photo on which nothing is drawn"] += 1
    return Drawings(KIND, items, left_out=left_out)


def _by_tag(annotations):
    """What is drawn, by the name of the tag that shows its photo."""
    done = [each for each in annotations if not each.get("was_cancelled")]
    by_tag: dict[str | None, list[dict[str, Any]]] = {}
    for each in done[0]["result"] if done else ():
        if "original_width" in each:
            by_tag.setdefault(each.get("to_name"), []).append(each)
    return by_tag


def _address(data, tag):
    """What the data says of a tag, or, as tags may have names of their own, of what is likely to be the photo."""
    named = [data[key] for key in (tag, "image", "img", "photo") if key in data]
    found = next(iter(named or [each for each in data.values() if isinstance(each, str)]), None)
    return found[0] if isinstance(found, list) and len(found) == 1 else found


def _drawing(where, address, results, left_out):
    size = (int(results[0]["original_height"]), int(results[0]["original_width"])) if results else None
    shapes = []
    for each in results:
        shape = _shape(each, size, where)
        if shape is None:
            left_out[f"one of {each['type']}"] += 1
        else:
            shapes.append(shape)
    photo, elsewhere = _photo(address)
    return Drawing(where, photo, size, shapes, elsewhere)


def _photo(address):
    """The path of a photo, of ``/data/local-files/?d=PATH`` or another address; of an upload its name, also without hash."""
    parts = urlsplit(address)
    path = parse_qs(parts.query).get("d", [unquote(parts.path)])[0].replace("\\", "/").lstrip("/")
    if "data/upload/" in path:
        name = path.rsplit("/", 1)[-1]
        return name, _HASH.sub("", name)
    return path, None


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
        packed = bytes([*value["rle"]])
        return Shape(str(labels[0]), lambda size: whole_mask(brush_mask(packed, size, where), where)(size))
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


def brush_mask(packed: bytes, size: tuple[int, int], where: str) -> np.ndarray:
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
    bits = np.unpackbits(np.frombuffer(packed, np.uint8))
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
