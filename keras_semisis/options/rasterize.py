"""What `rasterize` may be told."""

from dataclasses import dataclass
from pathlib import Path

from keras_semisis.options.option import option


@dataclass(kw_only=True)
class RasterizeOptions:
    """Every option of `rasterize`."""

    annotations: Path = option(
        help="A JSON file of COCO (instances or panoptic) or Label Studio, an XML file of CVAT, a folder of labelme's JSON "
        "files, or a folder with a folder for each photo and in it a PNG for each class.",
        argument=True,
    )
    output: Path = option(help="Folder that is written: images/, labels/ and classes.csv.")
    images: Path | None = option(None, "Folder of the photos; by default where the annotations lie.")
    photos: bool = option(True, "Whether photos are copied beside the label maps, and have to be there.")
    classes: Path | None = option(
        None,
        "A classes.csv (id,name,r,g,b,ignore): classes, order and colors; by default those of the annotations.",
    )
    background: str | None = option(
        None, "Class of what no shape covers: one of the others, or one of its own. By default it is don't-care, unlabeled."
    )
    merge: tuple[str, ...] = option(
        (), "FROM=TO: takes a class for another one, such as truck=car; unlabeled is don't-care. Repeatable."
    )
    order: str | None = option(
        None, "Which shapes lie above: file (later ones) or area (smaller ones). By default area of COCO, file of others."
    )
