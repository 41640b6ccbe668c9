"""Photos for label maps in files."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any, cast

import numpy as np
from PIL import Image

from keras_semisis.data import DataError
from keras_semisis.data.argument_error import ArgumentError
from keras_semisis.data.pictures.decoding import read_image
from keras_semisis.data.pictures.resizing import fitted
from keras_semisis.data.sources.folder_files import find_label_maps
from keras_semisis.gans import Sampler
from keras_semisis.gans.noise import between
from keras_semisis.metrics import flicker, region_difference
from keras_semisis.options.generate import GenerateOptions
from keras_semisis.options.text import parse_id_map
from keras_semisis.presets.location import examples_of
from keras_semisis.recipes.devices import use_devices
from keras_semisis.recipes.film import check_film, write_film
from keras_semisis.recipes.instance_files import instance_files, read_instances
from keras_semisis.recipes.inverting import read_noise
from keras_semisis.recipes.name_length import check_length
from keras_semisis.recipes.named_sources import check_classes_beside
from keras_semisis.recipes.not_overwritten import check_not_read
from keras_semisis.recipes.notices import tell
from keras_semisis.recipes.progress import SILENT, Progress
from keras_semisis.recipes.styles import style_files, style_grid, take_encoder
from keras_semisis.recipes.trained_models import fit_of_model, label_space_of_model, load_gan
from keras_semisis.whole_file import check_folder

_BATCH = 8
# Of the picture of styles
_ROWS = 16


def generate(options: GenerateOptions, progress: Progress = SILENT) -> list[Path]:
    """Writes photos for label maps: ``name.png``, ``name-0.png``, ``name-1.png`` of several samples or frames.

    The noise of a photo depends on the seed and on its file's name alone.

    Args:
        options: Model, label maps, and how they are drawn.
        progress: Shows how far it is.

    Returns:
        The files that were written.

    Raises:
        ValueError: If options do not go together, or as `Sampler.generate` raises it.
        DataError: If a file is missing, cannot be read or holds a stray id, or two photos would have one name, or one a name
            that is too long.
        OSError: If there is no ffmpeg for a film of its kind, or ``output`` is a file.
    """
    _check(options)
    check_folder(options.output)
    files = _files(options.label_maps)
    check_film(options.video)
    regions = [_region(text) for text in options.resample]
    use_devices(options.devices)
    gan = load_gan(options.model)
    for region, _ in regions:
        if isinstance(region, int) and region >= cast(int, gan.num_classes):
            raise ArgumentError(
                f"{{}}: the model's classes are 0 to {cast(int, gan.num_classes) - 1}.", {"resample": options.resample}
            )
    space = label_space_of_model(gan, options.model)
    check_classes_beside((*options.label_maps, *files.values()), space, "the model")
    files = files or _files(_of_preset(options.model))
    space = space.with_ids(parse_id_map(options.id_map))
    space = space.with_snap(options.snap)
    noise = None if options.noise is None else read_noise(options.noise, gan.noise_channels)
    sized = _Sized(gan, noise, options.image_size, fit_of_model(options.fit, options.model))
    names = list(files)
    if options.encoder is not None:
        take_encoder(gan, options.encoder)
    if options.instances is not None and not gan.instance_edges:
        raise ArgumentError("{}: the model does not read edges between instances.", {"instances": options.instances})
    things = instance_files(options.instances, files) if gan.instance_edges else {}
    style = style_files(options.style)
    styles = {name: read_image(file) for name, file in style.items()}
    endings = _endings(options, styles)
    longest = max(endings, key=lambda ending: len(os.fsencode(ending)))
    for name, file in files.items():
        check_length(str(file), f"{Path(name).name}{longest}.png")
    masks = (Path(text.rpartition("=")[0]) for text in options.resample)
    read = [*files.values(), *things.values(), *style.values(), *masks]
    painter = _Painter(gan, options, regions, noise, sized.fit, progress, read, endings)
    painter.take_styles(styles)
    with nullcontext() if options.tile_size else progress.counting("Photos") as show:
        for first in range(0, len(names), _BATCH):
            stored = {name: space.read(files[name]) for name in names[first : first + _BATCH]}
            if things:
                painter.instances = {name: read_instances(things[name], stored[name], files[name]) for name in stored}
            for part, label_maps in sized.batches(stored):
                if options.interpolate:
                    painter.between_seeds(part, label_maps, options.interpolate)
                elif styles:
                    painter.in_styles(part, label_maps)
                else:
                    painter.samples(part, label_maps)
                if show is not None:
                    show(len(painter.written), len(names) * len(endings))
    painter.end()
    return painter.written


def _check(options):
    if options.video is not None and options.interpolate is None and not options.one_noise:
        raise ArgumentError("{} needs --interpolate or --one-noise: a film of what?", {"video": options.video})
    if options.noise is not None:
        for name in ("samples", "one_noise", "interpolate", "style"):
            value = getattr(options, name)
            if value is True or (value and value != 1):
                raise ArgumentError("{} has no use with --noise.", {name: value})
    others = (("samples", options.samples > 1), ("one_noise", options.one_noise), ("resample", options.resample))
    for which in ("interpolate", "style"):
        for name, given in (*others, ("interpolate", which == "style" and options.interpolate)):
            if getattr(options, which) and given:
                raise ArgumentError(f"{{}} has no use with --{which}.", {name: getattr(options, name)})
    if options.one_noise and options.samples > 1:
        raise ArgumentError("{} has no use with --one-noise.", {"samples": options.samples})
    if options.interpolate is None and options.frames != GenerateOptions.frames:
        raise ArgumentError("{} needs --interpolate: frames between what?", {"frames": options.frames})
    if options.tile_size is None and options.overlap is not None:
        raise ArgumentError("{} needs --tile-size: an overlap of what?", {"overlap": options.overlap})
    if options.interpolate is not None and min(options.interpolate) < 0:
        raise ArgumentError("{}: seeds are at least 0.", {"interpolate": options.interpolate})


def _endings(options, styles):
    """What follows a label map's name in those of its photos."""
    if options.interpolate:
        return [f"-{i:0{len(str(options.frames - 1))}d}" for i in range(options.frames)]
    if styles:
        return [f"-{style}" for style in styles]
    return [""] if options.samples == 1 else [f"-{i}" for i in range(options.samples)]


def _region(text):
    """``REGION=SEED``: a class by its name or id, or a mask, and a seed."""
    region, _, seed = text.rpartition("=")
    if not region or not seed.isdigit():
        raise ValueError(f"--resample {text}: expected REGION=SEED, such as car=7 or mask.png=7.")
    path = Path(region)
    if not path.is_file():
        return int(region) if region.isdigit() else region, int(seed)
    return read_image(path).any(-1), int(seed)


class _Painter:
    """Draws and writes photos, and what is said of them at the end."""

    def __init__(
        self,
        gan: Sampler,
        options: GenerateOptions,
        regions: list[tuple[Any, int]],
        noise: np.ndarray | None,
        fit: str,
        progress: Progress,
        read: Iterable[Path],
        endings: Sequence[str],
    ):
        self.gan = gan
        self.options = options
        self._read = {path.resolve() for path in read}
        self._endings = endings
        self.regions = regions
        self.noise = noise
        self.fit = fit
        self.progress = progress
        self.written: list[Path] = []
        self._differences: list[dict[str, float]] = []
        self._last: tuple[np.ndarray, np.ndarray] | None = None
        self._changes: list[dict[str, float]] = []
        self._frames: list[Path] = []
        self._styles: dict[str, np.ndarray] = {}
        self._means = np.zeros((0, 0))
        self._grid: list[tuple[np.ndarray, list[np.ndarray]]] = []
        # of the label maps that are being drawn, where the model reads edges
        self.instances: dict[str, np.ndarray] = {}

    def take_styles(self, photos: dict[str, np.ndarray]) -> None:
        """Photos in whose style `in_styles` draws."""
        self._styles = photos
        self._means = np.stack([self.gan.encode(photo)[0] for photo in photos.values()]) if photos else self._means

    def in_styles(self, names: list[str], label_maps: np.ndarray) -> None:
        """A photo of each label map in each style."""
        drawn = []
        for ending, mean in zip(self._endings, self._means, strict=True):
            drawn.append(self._draw(names, label_maps, style=mean[None]))
            for name, photo in zip(names, drawn[-1], strict=True):
                self._write(name + ending, photo)
        colors = self.gan.label_space.colorize(label_maps) if self.gan.label_space is not None else label_maps
        rows = zip(colors, (list(photos) for photos in zip(*drawn, strict=True)), strict=True)
        self._grid += [*rows][: _ROWS - len(self._grid)]

    def samples(self, names: list[str], label_maps: np.ndarray) -> None:
        """So many photos of each label map as options say, or one frame of a film."""
        one = self.options.one_noise
        noise = self.gan.noise_of_seed(self.options.seed)[0] if one else self.noise
        of_all = {} if noise is None else {"noise": np.repeat(noise[None], len(names), axis=0)}
        for sample, ending in enumerate(self._endings):
            drawing = {"seed": self.options.seed + sample, "first": [Path(name).name for name in names], **of_all}
            photos = self._draw(names, label_maps, **drawing, resample=self._regions(label_maps))
            if self.regions:
                plain = self._draw(names, label_maps, **drawing)
                self._differences.append(region_difference(plain, photos, self._mask(label_maps)))
            for i, name in enumerate(names):
                path = self._write(name + ending, photos[i])
                if one:
                    self._next_frame(path, photos[i], label_maps[i])

    def between_seeds(self, names: list[str], label_maps: np.ndarray, seeds: tuple[int, int]) -> None:
        """Photos of each label map on the way from one seed's noise to the other's."""
        number = self.options.frames
        for name, label_map in zip(names, label_maps, strict=True):
            start, end = (self.gan.noise_of_seed(seed, 1, Path(name).name)[0] for seed in seeds)
            noise, frames = between(start, end, number), list[Path]()
            for first in range(0, number, len(names)):
                part = noise[first : first + len(names)]
                repeated = np.repeat(label_map[None], len(part), axis=0)
                for photo in self._draw([name], repeated, noise=part):
                    frames.append(self._write(name + self._endings[len(frames)], photo))
            if self.options.video:
                self.written.append(write_film(frames, self.options.output / f"{name}.{self.options.video}"))

    def end(self) -> None:
        """Tells what was found, and writes the film of frames."""
        if self._differences:
            inside, outside = (_mean([found[where] for found in self._differences]) for where in ("inside", "outside"))
            tell(f"Resampled: a mean difference of {inside} gray levels inside, {outside} outside of the regions.")
        if self._changes:
            still, moving = ([found[where] for found in self._changes] for where in ("still", "moving"))
            tell(
                f"Flicker: from frame to frame a mean change of {_mean(still)} gray levels where the label map stays the same, "
                f"{_mean(moving)} where it moves."
            )
        if self._grid:
            picture = style_grid([row[0] for row in self._grid], list(self._styles.values()), [row[1] for row in self._grid])
            path = self._path("styles.png")
            picture.save(path)
            self.written.append(path)
        if self._frames and self.options.video:
            self.written.append(write_film(self._frames, self.options.output / f"film.{self.options.video}"))

    def _draw(self, names, label_maps, **how):
        tiles = self.options.tile_size
        if self.instances:  # several photos may be drawn of one label map
            things = np.stack([fitted(self.instances[name], label_maps.shape[1:], self.fit) for name in names])
            how["instances"] = np.repeat(things, len(label_maps) // len(names), axis=0)
        with self.progress.counting(f"Tiles of {', '.join(names)}") if tiles else nullcontext() as show:
            return self.gan.generate(
                label_maps,
                batch_size=1 if tiles else len(label_maps),
                tile_size=tiles,
                overlap=self.options.overlap,
                progress=show,
                **how,
            )

    def _regions(self, label_maps):
        """Regions as `Sampler.generate` takes them, masks at the size of these label maps."""
        size = label_maps.shape[1:]
        return [
            (fitted(region, size, self.fit) if isinstance(region, np.ndarray) else region, seed)
            for region, seed in self.regions
        ]

    def _mask(self, label_maps):
        """Where the regions are."""
        names = self.gan.label_space.class_names if self.gan.label_space is not None else ()
        masks = [
            region if isinstance(region, np.ndarray) else label_maps == (names.index(region) if region in names else region)
            for region, _ in self._regions(label_maps)
        ]
        return np.any([np.broadcast_to(mask, label_maps.shape) for mask in masks], axis=0)

    def _next_frame(self, path, photo, label_map):
        if self._last is not None and self._last[1].shape == label_map.shape:
            self._changes.append(flicker(*(np.stack(both) for both in zip(self._last, (photo, label_map), strict=True))))
        self._last = photo, label_map
        self._frames.append(path)

    def _write(self, name, photo):
        path = self._path(f"{name}.png")
        Image.fromarray(photo).save(path)
        self.written.append(path)
        return path

    def _path(self, name):
        """Where a picture goes, in a folder that is there."""
        path = self.options.output / name
        check_not_read(path, self._read)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path


def _mean(values):
    values = [value for value in values if not np.isnan(value)]
    return f"{np.mean(values):.1f}" if values else "no"


class _Sized:
    """Label maps at the size at which they are drawn, and what is said of that, once."""

    def __init__(self, gan: Sampler, noise: np.ndarray | None, image_size: tuple[int, int] | str | None, fit: str):
        self.gan = gan
        self.usual, self.whose = gan.image_size, "the model's"
        if noise is not None and noise.ndim == 3:  # a map, of one size alone
            self.usual, self.whose = noise.shape[:2], "the noise's"
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
        if self.image_size is None and label_map.shape != self.usual:
            self._say(
                "resized",
                f"{name}: the label map is {_size(label_map.shape)}; it, and others of other sizes, are resized to "
                f"{self.whose} {_size(self.usual)}. --image-size own draws each at its own size, HEIGHTxWIDTH at another.",
            )
        if not isinstance(self.image_size, str):
            label_map = fitted(label_map, self.image_size or self.usual, self.fit)
        if label_map.shape != self.gan.image_size:
            multiple = self.gan.size_multiple()
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


def _of_preset(model):
    files = examples_of(model)
    if not files:
        raise ValueError(f"{model}: no label maps lie beside it. Give some: PNG files, or folders of them.")
    return files


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
