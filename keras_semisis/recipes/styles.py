"""Photos whose style others are drawn in, and the picture of all in each."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from keras_semisis.callbacks.grids import GAP, tile_size
from keras_semisis.callbacks.model_file import load_model
from keras_semisis.data import DataError
from keras_semisis.data.pictures.resizing import resize_image
from keras_semisis.data.sources.folder_files import find_photos
from keras_semisis.gans import Sampler


def style_files(paths: Iterable[Path]) -> dict[str, Path]:
    """Files of photos, those in folders included, by their names.

    Raises:
        DataError: If there is no such file, or two have one name.
    """
    files: dict[str, Path] = {}
    for path in paths:
        if not path.exists():
            raise DataError(f"{path}: there is no such file or folder. Give photos, or folders of them, as --style.")
        for file in find_photos(path).values() if path.is_dir() else [path]:
            if file.stem in files:
                raise DataError(f"{file}: there are two photos of this name among the styles. Rename one.")
            files[file.stem] = file
    return files


def take_encoder(gan: Sampler, path: Path) -> None:
    """Gives a generator by itself the encoder of its styles, a file of ``import``.

    Raises:
        ValueError: If there is no such file, or its network makes no styles of this generator.
    """
    if not path.is_file():
        raise ValueError(f"--encoder {path}: there is no such file. Give one that `keras-semisis import` has written.")
    encoder = load_model(path, "--encoder", compile=False)
    shapes = getattr(encoder, "output_shape", None)
    if not isinstance(shapes, list) or [shape[-1] for shape in shapes] != [gan.noise_channels] * 2:
        raise ValueError(
            f"--encoder {path}: a network of mean and logarithm of the variance of {gan.noise_channels} channels is expected, "
            f"as `keras-semisis import --network spade_encoder` writes it; this one returns {shapes}."
        )
    gan.encoder = encoder


def style_grid(
    label_maps: Sequence[np.ndarray], styles: Sequence[np.ndarray], photos: Sequence[Sequence[np.ndarray]]
) -> Image.Image:
    """A row for each label map, a column for each style, with the label maps on the left and the styles on top.

    Args:
        label_maps: Label maps in colors, uint8 ``(H, W, 3)``.
        styles: The photos.
        photos: For each label map its photo in each style.
    """
    height, width = label_maps[0].shape[:2]
    rows = [[np.full((height, width, 3), 255, "uint8"), *styles]]
    rows += [[label_map, *drawn] for label_map, drawn in zip(label_maps, photos, strict=True)]
    tile = tile_size(height, width)
    size = [GAP + number * (side + GAP) for number, side in zip((len(rows[0]), len(rows)), tile, strict=True)]
    picture = Image.new("RGB", (size[0], size[1]), "white")
    for i, row in enumerate(rows):
        for j, image in enumerate(row):
            enlarged = Image.fromarray(resize_image(image, (height, width))).resize(tile, Image.Resampling.NEAREST)
            picture.paste(enlarged, (GAP + j * (tile[0] + GAP), GAP + i * (tile[1] + GAP)))
    return picture
