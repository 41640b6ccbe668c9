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

    counts, shape = segmentation["counts"], tuple(int(side) for side in segmentation["size"])
    if shape != size:
        raise ValueError(f"its runs are of {shape[0]}×{shape[1]}, the image is {size[0]}×{size[1]}")
    if isinstance(counts, list):
        if sum(counts) != shape[0] * shape[1] or min(counts, default=0) < 0:
            raise ValueError(f"its runs are of {sum(counts)} pixels, the image has {shape[0] * shape[1]}")
        runs = mask.frPyObjects(segmentation, *shape)
    else:
        runs = {"size": list(shape), "counts": counts.encode() if isinstance(counts, str) else counts}
    return lambda size: whole_mask(mask.decode(runs).astype(bool), where)(size)
