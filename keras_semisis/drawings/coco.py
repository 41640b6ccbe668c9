"""Instances in a JSON file of COCO: polygons and runs."""

from collections import Counter, defaultdict
from typing import Any

from keras_semisis.drawings.shapes import Drawing, Drawings, Shape, polygons, understood, whole_mask

KIND = "COCO"


def read_coco(document: dict[str, Any], where: str) -> Drawings:
    """What ``images``, ``categories`` and ``annotations`` say.

    Args:
        document: What the JSON file holds.
        where: The file, for messages.

    Raises:
        DataError: If it is not understood.
    """
    with understood(where, KIND):
        names = {each["id"]: str(each["name"]) for each in sorted(document["categories"], key=lambda each: each["id"])}
        images = {each["id"]: each for each in document["images"]}
        shapes, left_out = defaultdict(list), Counter[str]()
        for each in document["annotations"]:
            place = f"{where}, annotation {each.get('id')}"
            with understood(place, KIND):
                if each["image_id"] not in images:
                    raise ValueError(f"there is no image {each['image_id']}")
                if each["category_id"] not in names:
                    raise ValueError(f"there is no category {each['category_id']}")
                segmentation = each.get("segmentation")
                if not segmentation:
                    left_out["a box without a segmentation"] += 1
                    continue
                image = images[each["image_id"]]
                size = int(image["height"]), int(image["width"])
                shapes[each["image_id"]].append(Shape(names[each["category_id"]], _paint(segmentation, size, place)))
        items = [
            Drawing(f"{where}, image {key}", str(image["file_name"]), (int(image["height"]), int(image["width"])), shapes[key])
            for key, image in images.items()
        ]
    return Drawings(KIND, items, list(names.values()), by_area=True, left_out=left_out)


def _paint(segmentation, size, where):
    if isinstance(segmentation, list):
        return polygons(segmentation, where)
    from pycocotools import mask

    counts, (height, width) = segmentation["counts"], (int(side) for side in segmentation["size"])
    if (height, width) != size:
        raise ValueError(f"its runs are of {height}×{width}, the image is {size[0]}×{size[1]}")
    lengths = [int(length) for length in counts] if isinstance(counts, list) else _lengths(counts.encode())
    if sum(lengths) != height * width or min(lengths, default=0) < 0:
        raise ValueError(f"its runs are of {sum(lengths)} pixels, the image has {height * width}")
    runs = mask.frPyObjects({"size": [height, width], "counts": lengths}, height, width)
    return lambda size: whole_mask(mask.decode(runs).astype(bool), where)(size)


def _lengths(packed: bytes) -> list[int]:
    """Lengths of runs from their compressed form: 5 bits a character, and a sixth that says whether the number goes on.

    From the fourth on, a number is what its length is more than that of two before. (maskApi.c of COCO, ``rleFrString``.)
    """
    lengths: list[int] = []
    number = bits = 0
    for character in packed:
        if not 48 <= character < 112:
            raise ValueError(f"its runs have the character {chr(character)!r}")
        number |= (character - 48 & 31) << bits
        bits += 5
        if character - 48 & 32:
            continue
        if character - 48 & 16:
            number -= 1 << bits
        lengths.append(number + lengths[-2] if len(lengths) > 2 else number)
        number = bits = 0
    if bits:
        raise ValueError("its runs are cut short")
    return lengths
