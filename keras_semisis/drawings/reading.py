"""From a path to the drawings in it, whatever program has written them."""

import json
from pathlib import Path

from keras_semisis.data.data_error import DataError
from keras_semisis.data.pictures.decoding import read_bytes
from keras_semisis.drawings.coco import read_coco
from keras_semisis.drawings.coco_panoptic import read_coco_panoptic
from keras_semisis.drawings.cvat import read_cvat
from keras_semisis.drawings.label_studio import read_label_studio
from keras_semisis.drawings.labelme import read_labelme
from keras_semisis.drawings.layers import layer_folders, read_layers
from keras_semisis.drawings.shapes import Drawings

_EXPECTED = (
    "a JSON file of COCO (instances or panoptic) or Label Studio, an XML file of CVAT, a folder of labelme's JSON files, or a "
    "folder with a folder for each photo and in it a PNG for each class"
)


def read_drawings(path: Path) -> Drawings:
    """What is drawn in a file or folder.

    Args:
        path: A JSON file of COCO, labelme or Label Studio, an XML file of CVAT, or a folder of labelme's files or of layers.

    Raises:
        DataError: If it is none of these, or a file cannot be understood.
    """
    if path.is_dir():
        files = sorted(file for file in path.rglob("*.json") if not file.name.startswith("."))
        documents = [(file, _json(file)) for file in files]
        if documents and all(_is_labelme(document) for _, document in documents):
            return read_labelme(documents, path)
        if documents:
            odd = next(where for where, document in documents if not _is_labelme(document))
            raise DataError(
                f"{odd}: no file of labelme, as those of a folder have to be. Name a file of COCO or Label Studio itself, or "
                "take other files out of the folder."
            )
        if layer_folders(path):
            return read_layers(path)
        raise DataError(f"{path}: there is nothing to read in this folder. Give {_EXPECTED}.")
    if not path.is_file():
        raise DataError(f"{path}: there is no such file or folder. Give {_EXPECTED}.")
    if path.suffix.lower() == ".xml":
        return read_cvat(read_bytes(path), str(path))
    if path.suffix.lower() == ".json":
        document = _json(path)
        if isinstance(document, list) and all(isinstance(each, dict) for each in document):
            return read_label_studio(document, str(path))
        if _is_labelme(document):
            return read_labelme([(path, document)], path.parent)
        if _is_panoptic(document):
            return read_coco_panoptic(document, path)
        if isinstance(document, dict) and {"images", "annotations", "categories"} <= document.keys():
            return read_coco(document, str(path))
    raise DataError(f"{path}: this file is not known. Give {_EXPECTED}.")


def _json(file):
    try:
        return json.loads(read_bytes(file).decode("utf-8-sig"))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise DataError(f"{file}: this is no JSON ({error}). Export it again.") from None


def _is_labelme(document):
    return isinstance(document, dict) and "shapes" in document and "imagePath" in document


def _is_panoptic(document):
    annotations = document.get("annotations") if isinstance(document, dict) else None
    return isinstance(annotations, list) and any(isinstance(each, dict) and "segments_info" in each for each in annotations)
