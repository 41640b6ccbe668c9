"""An XML file of CVAT, "CVAT for images" or "CVAT for video"."""

from collections import Counter, defaultdict
from xml.etree import ElementTree

from keras_semisis.data.data_error import DataError
from keras_semisis.drawings.shapes import (
    Drawing,
    Drawings,
    Shape,
    ellipse,
    part_of_mask,
    polygons,
    rectangle,
    runs_of_rows,
    understood,
)

KIND = "CVAT"


def read_cvat(content: bytes, where: str) -> Drawings:
    """What the images of a file say, or the tracks of a video. Shapes of a higher ``z_order`` lie above.

    The photo of a frame has the name under which CVAT writes it, ``frame_000012``.

    Args:
        content: The file.
        where: It, for messages.

    Raises:
        DataError: If it is not understood.
    """
    try:
        root = ElementTree.fromstring(content)
    except ElementTree.ParseError as error:
        raise DataError(f"{where}: this is no XML ({error}). Export it again as CVAT for images or for video.") from None
    items, left_out = [], Counter[str]()
    with understood(where, KIND):
        labels = {each.findtext("name", ""): each.findtext("color", "") for each in root.iterfind("meta//labels/label")}
        for image in root.iterfind("image"):
            shapes, place = [], f"{where}, image {image.get('name')}"
            with understood(place, KIND):
                for each in image:
                    if each.tag not in _PAINTS:
                        left_out[f"a {each.tag}"] += each.tag != "tag"
                        continue
                    paint = _PAINTS[each.tag](each.attrib, place)
                    shapes.append(Shape(each.attrib["label"], paint, int(each.get("z_order", "0"))))
                size = int(image.attrib["height"]), int(image.attrib["width"])
                items.append(Drawing(place, image.attrib["name"], size, shapes))
        if root.find("track") is not None:
            items += _frames(root, where, left_out)
        colors = {name: _color(text) for name, text in labels.items() if text}
    return Drawings(KIND, items, list(labels), colors, left_out=+left_out)


def _frames(root, where, left_out):
    """A drawing for each frame that a track names. A shape stands in each of its frames, those between keyframes included."""
    height, width = (int(root.findtext(f"meta//original_size/{side}", "")) for side in ("height", "width"))
    shapes: dict[int, list[Shape]] = defaultdict(list)
    for track in root.iterfind("track"):
        place = f"{where}, track {track.get('id')}"
        with understood(place, KIND):
            for each in track:
                of_frame = shapes[int(each.attrib["frame"])]
                if each.get("outside") == "1":
                    continue
                if each.tag not in _PAINTS:
                    left_out[f"a {each.tag}"] += 1
                    continue
                paint = _PAINTS[each.tag](each.attrib, f"{place}, frame {each.attrib['frame']}")
                of_frame.append(Shape(track.attrib["label"], paint, int(each.get("z_order", "0"))))
    return [
        Drawing(f"{where}, frame {frame}", f"frame_{frame:06d}", (height, width), drawn)
        for frame, drawn in sorted(shapes.items())
    ]


def _color(text):
    red, green, blue = bytes.fromhex(text.removeprefix("#"))
    return red, green, blue


def _number(attributes, name, default=None):
    return float(attributes[name] if default is None else attributes.get(name, default))


def _polygon(attributes, where):
    points = [float(number) for point in attributes["points"].split(";") for number in point.split(",")]
    return polygons([points], where)


def _box(attributes, where):
    left, top, right, bottom = (_number(attributes, name) for name in ("xtl", "ytl", "xbr", "ybr"))
    middle = (left + right) / 2, (top + bottom) / 2
    return rectangle(left, top, right - left, bottom - top, _number(attributes, "rotation", 0), middle, where)


def _ellipse(attributes, where):
    center, radii = (tuple(_number(attributes, name) for name in names) for names in (("cx", "cy"), ("rx", "ry")))
    return ellipse(center, radii, _number(attributes, "rotation", 0))


def _mask(attributes, where):
    left, top, width, height = (int(attributes[name]) for name in ("left", "top", "width", "height"))
    counts = [int(number) for number in attributes["rle"].split(",")]
    return part_of_mask(runs_of_rows(counts, (height, width), where), left, top, where)


_PAINTS = {"polygon": _polygon, "box": _box, "ellipse": _ellipse, "mask": _mask}
