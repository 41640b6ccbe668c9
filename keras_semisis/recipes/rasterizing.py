"""Drawings of other programs as label maps in files."""

import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath, PureWindowsPath

import numpy as np

from keras_semisis.data import DataError, LabelSpace
from keras_semisis.data.argument_error import ArgumentError, require_choice
from keras_semisis.data.labels.distinct_colors import distinct_colors
from keras_semisis.data.labels.label_map_png import label_map_png
from keras_semisis.data.pictures.decoding import upright_size
from keras_semisis.data.remedy import Remedy
from keras_semisis.data.sources.classes_file import classes_text, read_classes
from keras_semisis.data.sources.file_source import SUFFIXES
from keras_semisis.drawings.reading import read_drawings
from keras_semisis.drawings.shapes import Drawing, Drawings, Shape
from keras_semisis.options.rasterize import RasterizeOptions
from keras_semisis.recipes.notices import tell, warn
from keras_semisis.recipes.progress import SILENT, Progress

UNLABELED = "unlabeled"
ORDERS = ("file", "area")
_MUCH = 0.2
# In the folder that is written, until all is
_PART = ".part"


@dataclass
class RasterReport:
    """What was written.

    Attributes:
        label_space: The classes.
        photos: Number of photos, those without a label map included.
        label_maps: Number of label maps.
        shapes: Number of shapes of each class, by name.
        pixels: Pixels of each class id, ``(num_classes,)``.
        left_out: What has no area or no class, by what it is.
    """

    label_space: LabelSpace
    photos: int = 0
    label_maps: int = 0
    shapes: Counter[str] = field(default_factory=Counter)
    pixels: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    left_out: Counter[str] = field(default_factory=Counter)


def rasterize(
    annotations: str | Path,
    output: str | Path,
    images: str | Path | None = None,
    *,
    photos: bool = True,
    classes: str | Path | None = None,
    background: str | None = None,
    merge: Mapping[str, str] | None = None,
    order: str | None = None,
    progress: Progress = SILENT,
) -> RasterReport:
    """Writes label maps of what was drawn in COCO's tools, labelme, CVAT, Label Studio, or in layers.

    In the folder are ``labels/`` with indexed PNG files of class ids, ``images/`` with copies of the photos, under the same
    names, and ``classes.csv``: `data.Folder` reads it, and ``--data folder:DIR``. A photo on which nothing is drawn gets a
    label map only where ``background`` says what it shows. All of it appears at the end: what was interrupted can be called
    again.

    Polygons, runs and masks have the pixels that pycocotools gives them; ellipses and circles those whose middle lies inside.

    Args:
        annotations: The file or folder, as `read_drawings` takes it.
        output: The folder.
        images: Folder of the photos; None is that of the annotations.
        photos: Whether they are copied. Without, label maps alone are written.
        classes: A ``classes.csv``; None takes the classes of the annotations, in their order (of COCO by category id), or
            sorted by name.
        background: Name of the class of what no shape covers, which becomes the first one if it is none of the others; None
            makes that don't-care, a class ``unlabeled``.
        merge: Class to the class that it is taken for; ``"unlabeled"`` is don't-care.
        order: ``"file"``: what comes later lies above (of CVAT by ``z_order`` first); ``"area"``: what is smaller. None is area
            for COCO, whose files have no order, and else file.
        progress: Shows how far it is.

    Returns:
        What was written.

    Raises:
        DataError: If a file is not understood; a photo is missing, or of another size than that which was drawn on; a class is
            not in ``classes``; or two photos have one name.
        ArgumentError: If an argument cannot be.
        FileExistsError: If there is something in the folder.
        ModuleNotFoundError: If pycocotools is missing (extra ``rasterize``).
    """
    annotations, output, merge = Path(annotations), Path(output), dict(merge or {})
    if order is not None:
        require_choice("order", order, ORDERS)
    if not annotations.exists():
        read_drawings(annotations)  # which says what is expected
    for name, path, is_there in (("images", images, Path.is_dir), ("classes", classes, Path.is_file)):
        if path is not None and not is_there(Path(path)):
            raise ArgumentError(f"{{}}: there is no such {'folder' if name == 'images' else 'file'}.", {name: str(path)})
    if output.exists() and (not output.is_dir() or any(path.name != _PART for path in output.iterdir())):
        raise FileExistsError(f"{output} exists and holds something. Remove it or name another folder.")
    _require_pycocotools()
    drawings = read_drawings(annotations)
    if not drawings.items:
        raise DataError(f"{annotations}: nothing is drawn in it.")
    space = _label_space(drawings, None if classes is None else Path(classes), background, merge)
    folder = Path(images) if images is not None else annotations if annotations.is_dir() else annotations.parent
    names = _names(drawings)
    files = _files(drawings, folder, photos)
    report = RasterReport(space, left_out=drawings.left_out, pixels=np.zeros(space.num_classes, np.int64))
    by_area = drawings.by_area if order is None else order == "area"
    with _whole(output) as part, progress.counting("Label maps") as show:
        for number, (item, name, file) in enumerate(zip(drawings.items, names, files, strict=True)):
            if photos and file is not None:
                _copy(file, part / "images" / f"{name}{file.suffix}")
                report.photos += 1
            size = item.size if file is None else upright_size(file)
            if size is None:
                report.left_out["a photo on which nothing is drawn"] += 1
            elif item.shapes or background is not None:
                label_map = _painted(item.shapes, size, space, background, merge, by_area)
                path = part / "labels" / f"{name}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(label_map_png(label_map, space))
                report.label_maps += 1
                report.pixels += np.bincount(label_map.ravel(), minlength=space.num_classes)
                report.shapes.update(merge.get(shape.label, shape.label) for shape in item.shapes)
            show(number + 1, len(drawings.items))
        (part / "classes.csv").write_text(classes_text(space), encoding="utf-8")
    _tell(report, background)
    return report


def rasterize_files(options: RasterizeOptions, progress: Progress = SILENT) -> RasterReport:
    """`rasterize` of what options name."""
    merge = dict(pair.split("=", 1) for pair in options.merge if "=" in pair)
    if len(merge) < len(options.merge):
        raise ValueError(f"--merge {' '.join(options.merge)}: expected FROM=TO, such as truck=car, each class once.")
    return rasterize(
        options.annotations,
        options.output,
        options.images,
        photos=options.photos,
        classes=options.classes,
        background=options.background,
        merge=merge,
        order=options.order,
        progress=progress,
    )


def _require_pycocotools():
    try:
        import pycocotools.mask  # noqa: F401
    except ImportError:
        raise ModuleNotFoundError(
            'rasterize needs pycocotools, which draws polygons and runs: pip install "keras-semisis[rasterize]".'
        ) from None


def _label_space(drawings: Drawings, classes: Path | None, background, merge) -> LabelSpace:
    labels = {*drawings.classes, *(shape.label for item in drawings.items for shape in item.shapes)}
    for name in merge:
        if name not in labels:  # in another split there may be some
            warn(f"--merge {name}={merge[name]}: nothing is drawn as {name!r}, there are {', '.join(sorted(labels))}.")
    drawn = {merge.get(shape.label, shape.label): item.where for item in drawings.items for shape in item.shapes}
    if classes is not None:
        space = read_classes(classes)
        if background in (None, UNLABELED) or UNLABELED in drawn:
            space = space.with_void(UNLABELED)
        known = {*space.class_names, UNLABELED}
        for name, where in [*drawn.items(), *([(background, "background")] if background is not None else [])]:
            if name not in known:
                raise DataError(
                    f"{where}: the class {name!r} is not in {classes}: there are {', '.join(space.class_names)}.",
                    Remedy("Add it there, or give {} to take it for one of these, or for unlabeled.", {"merge": ...}),
                )
        return space
    listed = [*drawings.classes, *sorted({*drawn} - {*drawings.classes})]
    names = list(dict.fromkeys(merge.get(name, name) for name in listed))
    if background is not None and background not in names:
        names.insert(0, background)
    is_void = background is None or UNLABELED in names
    names = [name for name in names if name != UNLABELED]
    if not names:
        raise DataError(f"{drawings.items[0].where}: no shape with an area is drawn, so that there are no classes.")
    own = [drawings.colors.get(name) for name in names]
    given = [color for color in own if color is not None]
    if len({*given}) == len(names):
        colors = given
    else:
        colors = [(red, green, blue) for red, green, blue in distinct_colors(len(names))]
    space = LabelSpace(names, colors)
    return space.with_void(UNLABELED) if is_void else space


def _class_of(name: str, space: LabelSpace) -> int:
    if name in space.class_names:
        return list(space.class_names).index(name)
    return space.ignore_class  # type: ignore[return-value]  # of what is unlabeled there is one


def _painted(shapes: list[Shape], size: tuple[int, int], space: LabelSpace, background, merge, by_area) -> np.ndarray:
    label_map = np.full(size, _class_of(UNLABELED if background is None else background, space), np.int32)
    # each mask is painted twice by area: all together would be gigabytes
    for shape in sorted(shapes, key=lambda shape: -np.count_nonzero(shape.paint(size)) if by_area else shape.level):
        label_map[shape.paint(size)] = _class_of(merge.get(shape.label, shape.label), space)
    return label_map


def _with_slashes(path: str) -> str:
    """A path that was written on Windows as it is elsewhere."""
    return path.replace("\\", "/")


def _names(drawings: Drawings) -> list[str]:
    """Paths of label maps without suffix, in their folder."""
    names, taken = [], dict[str, str]()
    for item in drawings.items:
        path = PurePosixPath(_with_slashes(item.photo))
        if PureWindowsPath(item.photo).anchor or ".." in path.parts:
            path = PurePosixPath(path.name)
        name = str(path.with_suffix("") if path.suffix.lower() in SUFFIXES else path)
        if name.casefold() in taken:
            raise DataError(
                f"{item.where}: its label map would have the name of that of {taken[name.casefold()]}, {name}. Rename one of "
                "the photos, or put those of folders of one name into folders of their own."
            )
        taken[name.casefold()] = item.where
        names.append(name)
    return names


def _files(drawings: Drawings, folder: Path, photos: bool) -> list[Path | None]:
    """The photos, of which each is drawn on once; without ``photos``, those alone that have to say their size, if there."""
    files, taken = list[Path | None](), dict[Path, Drawing]()
    for item in drawings.items:
        file = _found(item, folder) if photos or item.size is None else None
        if photos:
            file = _checked(item, file, folder)
        if file is not None and taken.setdefault(file, item) is not item:
            raise DataError(
                f"{item.where}: its photo {item.photo} is not in {folder}, or that of {taken[file].where} is not: both would "
                f"be {file}. Put each there under its own path."
            )
        files.append(file)
    return files


def _found(item: Drawing, folder: Path) -> Path | None:
    """The file of a photo, at its path or at an end of this, the longest first."""
    ends = []
    for path in dict.fromkeys((item.photo, _with_slashes(item.photo), item.elsewhere or "")):
        parts = PurePosixPath(path.lstrip("/")).parts
        ends += [parts[start:] for start in range(len(parts)) if not start or ".." not in parts[start:]]
    candidates = [folder.joinpath(*end) for end in ends]
    if PurePosixPath(item.photo).suffix.lower() not in SUFFIXES:
        endings = [*SUFFIXES, *(suffix.upper() for suffix in SUFFIXES)]  # CVAT writes frames as .PNG
        candidates += [file.with_name(file.name + ending) for file in candidates for ending in endings]
    return next((file for file in candidates if file.is_file()), None)


def _checked(item: Drawing, found: Path | None, folder: Path) -> Path:
    """The file of a photo, if there is one, of the size that was drawn on."""
    if found is None:
        raise DataError(
            f"{item.where}: its photo {item.photo} is not in {folder}.",
            Remedy("Name the folder of photos by {}, or write label maps alone: --no-photos (photos=False).", {"images": ...}),
        )
    size = upright_size(found)
    if size is None:
        raise DataError(f"{found}: this is no photo that can be read. Put the one there that was drawn on.")
    if item.size not in (None, size):
        turned = (
            " They would agree if the photo were not turned as its EXIF data says: save it turned, and draw on that."
            if size == item.size[::-1]
            else " Put the photo there that was drawn on, at its size."
        )
        raise DataError(
            f"{found}: this photo is {size[0]}×{size[1]} (height×width), but {item.where} was drawn on one of "
            f"{item.size[0]}×{item.size[1]}.{turned}"
        )
    return found


@contextmanager
def _whole(output: Path) -> Iterator[Path]:
    """Within ``with``: a folder inside the one that is to be written, into which all that is in it moves at the end.

    One of a process that was killed is written anew.
    """
    part = output / _PART
    if part.exists():
        shutil.rmtree(part)
    part.mkdir(parents=True)
    try:
        yield part
        for name in ("images", "classes.csv", "labels"):  # photos alone are no data set yet
            if (part / name).exists():
                (part / name).rename(output / name)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _copy(file, to):
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, to)


def _tell(report: RasterReport, background):
    for what, count in report.left_out.items():
        tell(f"Left out: {count} times {what}.")
    if report.photos > report.label_maps:
        tell(
            f"{report.photos - report.label_maps} photos on which nothing is drawn have no label map. --background NAME "
            "gives them one."
        )
    void, total = report.label_space.ignore_class, report.pixels.sum()
    if background is None and void is not None and report.pixels[void] > _MUCH * total:
        tell(
            f"{report.pixels[void] / total:.0%} of the pixels are in no shape, and don't-care (unlabeled). --background NAME "
            "makes a class of them."
        )
