"""What a page of painting asks of a model."""

import io
import threading
import zipfile
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from PIL import Image

from keras_semisis.data import DataError
from keras_semisis.data.labels.label_map_png import label_map_png
from keras_semisis.data.labels.label_space import unnamed_label_space
from keras_semisis.data.pictures.resizing import fitted
from keras_semisis.data.sources.classes_file import classes_text
from keras_semisis.gans import Sampler

# Photos of one request
MOST_PHOTOS = 16


class Easel:
    """A model that draws label maps which come as bytes, one request at a time.

    A label map travels as 16-bit little-endian class ids, row by row.

    Args:
        model: A trained model.
        name: What the page calls it.
        examples: Label maps to begin with, of the model's size.
        fit: How an opened label map comes to the model's size, as in `generate`.
    """

    def __init__(self, model: Sampler, name: str, examples: Sequence[np.ndarray] = (), fit: str = "stretch"):
        self.model = model
        self.name = name
        self.examples = [np.asarray(example) for example in examples]
        self.fit = fit
        number = cast(int, model.num_classes)
        self.space = model.label_space or unnamed_label_space(number, model.ignore_class)
        self._one_at_a_time = threading.Lock()

    def describe(self) -> dict[str, Any]:
        """What the page has to know, as JSON."""
        height, width = self.model.image_size
        return {
            "name": self.name,
            "height": height,
            "width": width,
            "classes": [
                {"id": i, "name": name, "color": list(color), "ignored": i == self.space.ignore_class}
                for i, (name, color) in enumerate(zip(self.space.class_names, self.space.palette, strict=True))
            ],
            "examples": len(self.examples),
            "noise": self.model.noise_channels > 0,
            "segments": self.model.segmenting_network is not None,
        }

    def read(self, body: bytes) -> np.ndarray:
        """The label map in a request.

        Raises:
            DataError: If it is of another size, or holds an id of no class.
        """
        height, width = self.model.image_size
        if len(body) != 2 * height * width:
            raise DataError(
                f"The label map has {len(body)} bytes; {2 * height * width} are expected: {height}×{width} ids of 16 bits. "
                "Load the page again."
            )
        return self.space.check(np.frombuffer(body, "<u2").reshape(height, width), "the label map")

    def draw(self, label_map: np.ndarray, seed: int, count: int = 1) -> bytes:
        """A PNG of photos of a label map, one below the other, of successive seeds.

        Raises:
            DataError: If there are to be more than `MOST_PHOTOS`, or none.
        """
        return png(self._photos(label_map, seed, count).reshape(-1, label_map.shape[1], 3))

    def _photos(self, label_map, seed, count):
        if not 1 <= count <= MOST_PHOTOS:
            raise DataError(f"{count} photos at once; 1 to {MOST_PHOTOS} are expected.")
        # the page tells things apart by their classes alone
        how = {"instances": label_map} if self.model.instance_edges else {}
        with self._one_at_a_time:
            return np.stack([self.model.generate(label_map, seed=seed + i, **how) for i in range(count)])

    def segment(self, label_map: np.ndarray, seed: int) -> bytes:
        """A PNG, in the classes' colors, of what the model sees in its own photo of a label map.

        Raises:
            ValueError: If it has no network that segments.
        """
        photo = self._photos(label_map, seed, 1)[0]
        with self._one_at_a_time:
            return png(self.space.colorize(self.model.segment(photo)))

    def open(self, content: bytes, name: str) -> np.ndarray:
        """The label map in an image file, at the model's size.

        Raises:
            DataError: As `LabelSpace.decode` raises it.
        """
        return fitted(self.space.decode(content, name), self.model.image_size, self.fit)

    def write(self, label_map: np.ndarray) -> bytes:
        """A label map as a PNG of class ids, with the classes' colors as its palette where 8 bits suffice."""
        return label_map_png(label_map, self.space)

    def write_pair(self, label_map: np.ndarray, seed: int, name: str) -> bytes:
        """A ZIP file of photo, label map and ``classes.csv``, as `data.Folder` reads them."""
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr(f"images/{name}.png", png(self._photos(label_map, seed, 1)[0]))
            archive.writestr(f"labels/{name}.png", self.write(label_map))
            archive.writestr("classes.csv", classes_text(self.space))
        return file.getvalue()


def label_bytes(label_map: np.ndarray) -> bytes:
    """A label map as `Easel.read` takes it."""
    return np.ascontiguousarray(label_map, "<u2").tobytes()


def png(image: np.ndarray) -> bytes:
    """An image as the bytes of a PNG file."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG", compress_level=1)
    return file.getvalue()
