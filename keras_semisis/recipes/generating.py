"""Photos for label maps in files."""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path

import numpy as np
from PIL import Image

from keras_semisis.data import DataError
from keras_semisis.data.pictures.resizing import fitted
from keras_semisis.data.sources.folder_files import find_label_maps
from keras_semisis.gans import Sampler
from keras_semisis.options.text import parse_id_map
from keras_semisis.recipes.devices import use_devices
from keras_semisis.recipes.notices import tell
from keras_semisis.recipes.progress import SILENT, Progress
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
    image_size: tuple[int, int] | str | None = None,
    tile_size: tuple[int, int] | None = None,
    overlap: int | None = None,
    progress: Progress = SILENT,
) -> list[Path]:
    """Writes photos for label maps.

    Args:
        model: As `load_gan` takes it.
        label_maps: Image files, or folders of them, which the model's label space reads.
        output: Folder of the photos: ``name.png``, or ``name-0.png``, ``name-1.png`` with several samples.
        seed: Seed of the first sample; the next ones follow it. The noise depends on it and on the file's name alone.
        samples: Photos for each label map, each with other noise.
        id_map: Stored ids that differ from the model's, as ``"255=11"``.
        devices: As `use_devices` takes it.
        fit: "stretch", or "crop" for the middle of the label maps; None as in the model's run, else stretched.
        image_size: ``(height, width)`` that label maps are resized to, by nearest neighbor, and drawn at; "own" draws each at
            its own size; None is the model's size.
        tile_size, overlap: As `Sampler.generate` takes them.
        progress: Shows how far it is.

    Returns:
        The files that were written.

    Raises:
        ValueError: As `Sampler.generate` raises it.
        DataError: If a file is missing, cannot be read or holds a stray id, or two photos would have one name.
    """
    files = _files(label_maps)
    use_devices(devices)
    gan = load_gan(model)
    space = label_space_of_model(gan, model).with_ids(parse_id_map(tuple(id_map)))
    fit = fit_of_model(fit, model)
    sized = _Sized(gan, image_size, fit)
    output.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    names = list(files)

    def batches():
        for first in range(0, len(names), _BATCH):
            part = {name: space.read(files[name]) for name in names[first : first + _BATCH]}
            yield from itertools.product(sized.batches(part), range(samples))

    with nullcontext() if tile_size else progress.counting("Photos") as show:
        for (part, batch), sample in batches():
            with progress.counting(f"Tiles of {', '.join(part)}") if tile_size else nullcontext() as show_tiles:
                photos = gan.generate(
                    batch,
                    seed=seed + sample,
                    batch_size=1 if tile_size else len(batch),
                    first=[Path(name).name for name in part],
                    tile_size=tile_size,
                    overlap=overlap,
                    progress=show_tiles,
                )
            for name, photo in zip(part, photos, strict=True):
                path = output / (f"{name}.png" if samples == 1 else f"{name}-{sample}.png")
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(photo).save(path)
                written.append(path)
            if show is not None:
                show(len(written), len(names) * samples)
    return written


class _Sized:
    """Label maps at the size at which they are drawn, and what is said of that, once."""

    def __init__(self, gan: Sampler, image_size: tuple[int, int] | str | None, fit: str):
        self.gan = gan
        self.image_size = image_size
        self.fit = fit
        self._said: set[str] = set()

    def batches(self, label_maps: Mapping[str, np.ndarray]) -> Iterator[tuple[list[str], np.ndarray]]:
        """Names and label maps of one size, not more pixels at once than a batch at the model's size has."""
        of_size: dict[tuple[int, ...], dict[str, np.ndarray]] = {}
        for name, label_map in label_maps.items():
            sized = self._at_size(name, label_map)
            of_size.setdefault(sized.shape, {})[name] = sized
        height, width = self.gan.image_size
        for shape, maps in of_size.items():
            most = max(1, _BATCH * height * width // (shape[0] * shape[1]))
            names = list(maps)
            for first in range(0, len(names), most):
                part = names[first : first + most]
                yield part, np.stack([maps[name] for name in part])

    def _at_size(self, name, label_map):
        if self.image_size is None and label_map.shape != self.gan.image_size:
            self._say(
                "resized",
                f"{name}: the label map is {_size(label_map.shape)}; it, and others of other sizes, are resized to the model's "
                f"{_size(self.gan.image_size)}. --image-size own draws each at its own size, HEIGHTxWIDTH at another.",
            )
        if not isinstance(self.image_size, str):
            label_map = fitted(label_map, self.image_size or self.gan.image_size, self.fit)
        if label_map.shape != self.gan.image_size:
            multiple = self.gan.size_multiple
            whole = tuple(side + -side % multiple for side in label_map.shape)
            if whole != label_map.shape:
                self._say(
                    "continued",
                    f"{name}: {_size(label_map.shape)} is no multiple of the generator's {multiple}; the label map is "
                    f"continued to {_size(whole)} by reflection, and the photo cut. Others of such sizes likewise.",
                )
        return label_map

    def _say(self, what, text):
        if what not in self._said:
            self._said.add(what)
            tell(text)


def _size(shape):
    return "×".join(map(str, shape))


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
