"""Photos for label maps in files."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from keras_semisis.data import DataError
from keras_semisis.data.pictures.resizing import fitted
from keras_semisis.data.sources.folder_files import find_label_maps
from keras_semisis.options.text import parse_id_map
from keras_semisis.recipes.devices import use_devices
from keras_semisis.recipes.trained_models import fit_of_model, label_space_of_model, load_gan

_BATCH = 8


def generate(
    model: str | Path,
    label_maps: Sequence[Path],
    output: Path,
    seed: int,
    samples: int,
    id_map: Sequence[str] = (),
    fit: str | None = None,
    devices: str | None = None,
) -> list[Path]:
    """Writes photos for label maps.

    Args:
        model: As `load_gan` takes it.
        label_maps: Image files, or folders of them, which the model's label space reads. They are resized by nearest neighbor
            to the model's size.
        output: Folder of the photos: ``name.png``, or ``name-0.png``, ``name-1.png`` with several samples.
        seed: Seed of the first sample; the next ones follow it. The noise depends on it and on the file's name alone.
        samples: Photos for each label map, each with other noise.
        id_map: Stored ids that differ from the model's, as ``"255=11"``.
        devices: As `use_devices` takes it.
        fit: "stretch", or "crop" for the middle of the label maps; None as in the model's run, else stretched.

    Returns:
        The files that were written.

    Raises:
        DataError: If a file is missing, cannot be read or holds a stray id, or two photos would have one name.
    """
    files = _files(label_maps)
    use_devices(devices)
    gan = load_gan(model)
    space = label_space_of_model(gan, model).with_ids(parse_id_map(tuple(id_map)))
    fit = fit_of_model(fit, model)
    output.mkdir(parents=True, exist_ok=True)
    written = []
    names = list(files)
    for first in range(0, len(names), _BATCH):
        part = names[first : first + _BATCH]
        batch = np.stack([fitted(space.read(files[name]), gan.image_size, fit) for name in part])
        for sample in range(samples):
            photos = gan.generate(batch, seed=seed + sample, batch_size=_BATCH, first=[Path(name).name for name in part])
            for name, photo in zip(part, photos, strict=True):
                path = output / (f"{name}.png" if samples == 1 else f"{name}-{sample}.png")
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(photo).save(path)
                written.append(path)
    return written


def _files(paths: Iterable[Path]) -> dict[str, Path]:
    """Label files by the name of the photo that they lead to."""
    files: dict[str, Path] = {}
    for path in paths:
        if not path.exists():
            raise DataError(f"{path}: there is no such file or folder. Give label maps as PNG files, or folders of them.")
        for name, file in (find_label_maps(path) if path.is_dir() else {path.stem: path}).items():
            if name in files:
                raise DataError(
                    f"{file}: {files[name]} leads to a photo of the same name, {name}.png. Generate them into two folders."
                )
            files[name] = file
    return files
