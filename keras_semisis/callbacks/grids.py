"""Pictures of what a model makes: label map, real image, generated image, D's segmentation of it."""

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from keras_semisis.callbacks.every_steps import EverySteps
from keras_semisis.data.eight_bit import to_8_bit
from keras_semisis.data.labels.distinct_colors import distinct_colors
from keras_semisis.data.labels.label_space import LabelSpace
from keras_semisis.metrics.generation_metric import to_images
from keras_semisis.processes import is_first_process

GAP, TITLE = 4, 20
_TILE_HEIGHT = 128


def sample_grid(
    path: str | Path,
    model: Any,
    label_maps: np.ndarray,
    images: np.ndarray | None = None,
    label_space: LabelSpace | None = None,
    seed: int = 0,
    instances: np.ndarray | None = None,
) -> None:
    """Writes a PNG with one row for each label map: label map · real · generated · D's segmentation.

    Args:
        path: The file; its folder is made if missing.
        model: An `AdversarialModel`, or any other `Sampler`. The last column is D's segmentation of the generated image, where
            it has a network that segments.
        label_maps: ``(B, H, W)`` of any integer dtype.
        images: The photos that belong to them, ``(B, H, W, 3)``, uint8 or float in [-1, 1]; None leaves the
            column out.
        label_space: Says the colors of the ids; None takes the model's, or draws some where it has none.
        seed: Seed of the noise.
        instances: Instance maps, for a model that reads edges between instances.

    Raises:
        ValueError: If ``images`` and ``label_maps`` differ in number, or ``images`` are no photos in [-1, 1].
    """
    label_maps = np.asarray(label_maps)
    images = None if images is None else np.asarray(images)
    if images is not None and len(images) != len(label_maps):
        raise ValueError(f"sample_grid: {len(images)} images for {len(label_maps)} label maps; give one for each, or None.")
    generated = model.generate(label_maps, seed=seed, **({} if instances is None else {"instances": instances}))
    segmented = None if getattr(model, "segmenting_network", None) is None else model.segment(generated)
    colorize = _colors(label_space or getattr(model, "label_space", None), label_maps, segmented)
    columns = {"label map": colorize(label_maps)}
    if images is not None:
        columns["real"] = images if images.dtype == np.uint8 else to_8_bit(to_images(images, "images"))
    columns["generated"] = generated
    if segmented is not None:
        columns["D's segmentation"] = colorize(segmented)
    if is_first_process():
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        _compose(columns).save(path)


class SampleGrid(EverySteps):
    """Writes the picture of `sample_grid` every n steps and at the end, as ``grid-000500.png``.

    Args:
        directory: Folder of the pictures.
        label_maps, images, label_space, seed, instances: As in `sample_grid`. All pictures show the same noise.
        every: Number of steps from one picture to the next.
    """

    def __init__(
        self,
        directory: str | Path,
        label_maps: np.ndarray,
        images: np.ndarray | None = None,
        every: int = 500,
        label_space: LabelSpace | None = None,
        seed: int = 0,
        instances: np.ndarray | None = None,
    ):
        super().__init__(every)
        self.directory = Path(directory)
        self.label_maps = label_maps
        self.images = images
        self.label_space = label_space
        self.seed = seed
        self.instances = instances

    def act(self, logs: dict | None) -> None:
        path = self.directory / f"grid-{self.step:06d}.png"
        sample_grid(path, self.model, self.label_maps, self.images, self.label_space, self.seed, self.instances)


def _colors(label_space, *label_maps):
    if label_space is not None:
        return label_space.colorize
    highest = max(int(label_map.max()) for label_map in label_maps if label_map is not None)
    palette = np.array(distinct_colors(highest + 1), np.uint8)
    return lambda label_map: palette[label_map]


def tile_size(height: int, width: int) -> tuple[int, int]:
    """(width, height) of an image in a picture."""
    factor = max(1, _TILE_HEIGHT // height)
    return width * factor, height * factor


def _compose(columns):
    """Tiles in rows, a title over each column; small images are enlarged by a whole factor."""
    rows, height, width = next(iter(columns.values())).shape[:3]
    tile = tile_size(height, width)
    step = (tile[0] + GAP, tile[1] + GAP)
    picture = Image.new("RGB", (len(columns) * step[0] + GAP, rows * step[1] + GAP + TITLE), "white")
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(13)
    for column, (title, images) in enumerate(columns.items()):
        left = GAP + column * step[0]
        draw.text((left, GAP), title, fill="black", font=font)
        for row, image in enumerate(images):
            enlarged = Image.fromarray(image).resize(tile, Image.Resampling.NEAREST)
            picture.paste(enlarged, (left, TITLE + GAP + row * step[1]))
    return picture
