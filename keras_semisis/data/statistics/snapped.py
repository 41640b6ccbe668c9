"""How many pixels of label maps had colors of no class, and were taken for those of the nearest."""

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np

from keras_semisis.ahead import in_order
from keras_semisis.data.data_error import DataError
from keras_semisis.data.labels.ids_or_classes import ids_or_classes
from keras_semisis.data.pictures.decoding import decode_label_picture
from keras_semisis.data.sources.source import Source


@dataclass
class SnapReport:
    """What was taken for the nearest color.

    Attributes:
        label_maps: How many label maps were read.
        pixels: How many pixels they have.
        files: Snapped pixels of each label map that has some, by where it comes from.
        classes: Snapped pixels by the name of the class that they were taken for.
        farthest: How far a color was from that of its class at most, in RGB.
    """

    label_maps: int = 0
    pixels: int = 0
    files: dict[str, int] = field(default_factory=dict)
    classes: Counter[str] = field(default_factory=Counter)
    farthest: float = 0.0

    def __str__(self):
        share = sum(self.files.values()) / max(1, self.pixels)
        taken = ", ".join(f"{name} {count}" for name, count in self.classes.most_common())
        worst = max(self.files, key=lambda name: self.files[name], default="")
        if not worst:
            return f"{self.label_maps} label maps: every color is that of a class."
        return (
            f"{len(self.files)} of {self.label_maps} label maps have colors of no class: {share:.2%} of the pixels, at most "
            f"{self.farthest:.0f} from the color of the class that they were taken for ({taken} pixels); most, "
            f"{self.files[worst]}, in {worst}."
        )


def snap_report(source: Source, progress: Callable[[int, int], None] | None = None) -> SnapReport:
    """What `Folder`'s ``snap`` has done to the label maps of a source, each of which is read once.

    Args:
        source: The source. Label maps that cannot be read are left out.
        progress: Called with (label maps read, label maps in all).

    Example:

    >>> import tempfile
    >>> from pathlib import Path
    >>> from PIL import Image
    >>> from keras_semisis.data import Folder
    >>> folder = Path(tempfile.mkdtemp())
    >>> Image.fromarray(np.array([[[0, 0, 0], [9, 9, 0], [255, 0, 0]]], "uint8")).save(folder / "a.png")
    >>> source = Folder(folder, images=None, labels=".", palette=[(0, 0, 0), (255, 0, 0)], snap=20)
    >>> source.load_label_map(0).tolist(), snap_report(source).classes
    ([[0, 0, 1]], Counter({'class 0': 1}))
    """
    report, space = SnapReport(), source.label_space
    palette, nothing = np.asarray(space.palette), np.zeros(0, np.int64)

    def snapped(index):
        where = source.location(index)
        with suppress(DataError):
            content = source.label_map_bytes(index)
            if content is None:
                return source.load_label_map(index).size, nothing, nothing
            picture = decode_label_picture(content, where)
            label_map, are_classes = ids_or_classes(picture, source.stored_label_space, where)
            if not are_classes:
                return label_map.size, nothing, nothing
            colors = picture.pixels if picture.palette is None else picture.palette[0][picture.pixels]
            distances = np.sqrt(((colors.astype(np.float64) - palette[label_map]) ** 2).sum(-1))
            return label_map.size, label_map[distances > 0], distances[distances > 0]
        return None

    for index, found in enumerate(in_order(snapped, 0, len(source))):
        if found is not None:
            size, classes, distances = found
            report.label_maps += 1
            report.pixels += size
            if len(classes):
                report.files[source.location(index)] = len(classes)
                report.classes.update(space.class_names[c] for c in classes.tolist())
                report.farthest = max(report.farthest, float(distances.max()))
        if progress is not None:
            progress(index + 1, len(source))
    return report
