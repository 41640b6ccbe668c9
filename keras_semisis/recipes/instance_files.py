"""The instance maps of label maps in files, for generators that read edges between instances."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from keras_semisis.data import DataError
from keras_semisis.data.labels.label_files import read_instance_map
from keras_semisis.data.sources.folder_files import find_instance_maps
from keras_semisis.data.sources.folder_layout import INSTANCES
from keras_semisis.data.sources.source import check_instance_map

# Of labels/train/town/a.png the folders beside which one of instance maps is looked for
_LEVELS = 3


def instance_files(given: Path | None, label_maps: Mapping[str, Path]) -> dict[str, Path]:
    """The instance map of each label map.

    Args:
        given: Their folder, or the file of a single one; None looks for a folder ``instances`` beside that of the label maps.
        label_maps: Label files by name.

    Raises:
        ValueError: If none is given, and there is no such folder.
        DataError: If what is given is missing, or a label map has no instance map.
    """
    if given is not None and given.is_file() and len(label_maps) == 1:
        return dict.fromkeys(label_maps, given)
    found = find_instance_maps(given, label_maps) if given is not None else _beside(label_maps)
    missing = [path for name, path in label_maps.items() if name not in found]
    if missing:
        raise DataError(f"{missing[0]}: this label map has no instance map ({len(missing)} of {len(label_maps)} have none).")
    return found


def _beside(label_maps):
    names: dict[tuple[Path, Path], dict[str, str]] = {}
    for name, path in label_maps.items():
        path = path.absolute()
        places = [(folder, folder.parent / usual) for folder in path.parents[:_LEVELS] for usual in INSTANCES]
        place = next((place for place in places if place[1].is_dir() and place[0] != place[1]), None)
        if place is None:
            raise ValueError(
                f"{path}: the model reads edges between instances, and no folder instances lies beside that of this label map. "
                "Name the instance maps by --instances."
            )
        names.setdefault(place, {})[path.relative_to(place[0]).with_suffix("").as_posix()] = name
    found: dict[str, Path] = {}
    for (folder, instances), part in names.items():
        files = find_instance_maps(instances, {key: folder / key for key in part})
        found |= {part[key]: path for key, path in files.items()}
    return found


def read_instances(path: Path, label_map: np.ndarray, where: Path) -> np.ndarray:
    """The instance map of a label map.

    Args:
        path: The file.
        label_map: The label map as its file has it.
        where: That file, for messages.

    Raises:
        DataError: If the file cannot be read, or is of another size.
    """
    instances = read_instance_map(path)
    check_instance_map(instances, label_map, str(where), f"its instance map {path}")
    return instances
