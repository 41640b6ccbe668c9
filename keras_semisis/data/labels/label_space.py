"""What a label id means: names, colors, the don't-care class, and which class an id in a file stands for."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_semisis.data.argument_error import ArgumentError
from keras_semisis.data.data_error import DataError
from keras_semisis.data.labels.distinct_colors import distinct_colors
from keras_semisis.data.labels.file_palettes import FilePalettes
from keras_semisis.data.labels.id_survey import WITHOUT_SMOOTHING, IdSurvey, stray_remedies
from keras_semisis.data.labels.ids_or_classes import classes_by_gray, ids_or_classes
from keras_semisis.data.labels.stored_ids import class_ids, integer_ids, named_ids, remap
from keras_semisis.data.pictures.decoding import decode_label_picture, read_bytes
from keras_semisis.data.remedy import Remedy


@keras.saving.register_keras_serializable(package="keras_semisis")
@dataclass(frozen=True)
class LabelSpace:
    """Names, colors and the don't-care class of a set of labels, and the rule by which the ids in label files become them.

    Classes are 0 to ``num_classes - 1``. Arrays hold classes; files hold *stored ids*, which may be others: `read` converts.

    Args:
        class_names: One name per class id, the don't-care class included.
        palette: ``(num_classes, 3)`` RGB values in 0..255, one row per class id.
        ignore_class: The don't-care id, or None where every pixel counts.
        id_map: Stored id → class id, for ids that differ; the others stay.
        all_ids: Whether ``id_map`` names every stored id, so that any other is an error, and so are colors.
        snap: How far, in RGB, a color in a file may be from that of the class that it is taken for; None allows the palette's
            colors alone.
        drawn_palette: Whether nobody has said what colors the classes have, so that ``palette`` is of our own drawing: other
            colors in an indexed file are then as good, and its indices the ids.

    Raises:
        ValueError: If the palette and the names differ in length, a color is not three numbers in 0..255,
            ``ignore_class`` is no class id, ``id_map`` holds what is no integer, or ``snap`` is negative.

    Example:

    >>> space = LabelSpace(("sky", "road", "void"), ((0, 128, 255), (90, 90, 90), (0, 0, 0)), ignore_class=2)
    >>> space.num_classes
    3
    >>> space.colorize(np.array([[0, 1]])).tolist()
    [[[0, 128, 255], [90, 90, 90]]]
    >>> space.with_ids({255: 2}).of_stored_ids(np.array([[0, 255]], "uint8"), "scene.png").tolist()
    [[0, 2]]
    """

    class_names: Sequence[str]
    palette: Sequence[Sequence[int]] = field(repr=False)
    ignore_class: int | None = None
    # hashes of caches and packs are of the representation, and have the rule beside it
    id_map: Mapping[int, int] = field(default_factory=dict, repr=False, hash=False)
    all_ids: bool = field(default=False, repr=False)
    snap: float | None = field(default=None, repr=False)
    drawn_palette: bool = field(default=False, repr=False, compare=False)

    def __post_init__(self):
        if self.snap is not None and self.snap < 0:
            raise ArgumentError("{} must not be negative: it is a distance between colors.", {"snap": self.snap})
        object.__setattr__(self, "id_map", integer_ids(self.id_map))
        object.__setattr__(self, "class_names", tuple(str(name) for name in self.class_names))
        object.__setattr__(self, "palette", tuple(tuple(int(v) for v in color) for color in self.palette))
        if len(self.palette) != self.num_classes:
            raise ValueError(
                f"{self.num_classes} class names, but {len(self.palette)} palette colors: give one color per class."
            )
        for i, color in enumerate(self.palette):
            if len(color) != 3 or min(color) < 0 or max(color) > 255:
                raise ValueError(
                    f"the color of class {i} is {color}, but must be red, green and blue, each in 0..255. Correct it."
                )
        if self.ignore_class is not None and not 0 <= self.ignore_class < self.num_classes:
            raise ValueError(
                f"ignore_class={self.ignore_class} is not one of the class ids "
                f"0..{self.num_classes - 1}. Use None where every pixel counts."
            )

    @property
    def num_classes(self) -> int:
        """Number of classes, the don't-care class included."""
        return len(self.class_names)

    @property
    def id_rule(self) -> str:
        """The rule of stored ids as a text, for fingerprints. Another text makes caches and packs of before be made anew."""
        snap = "" if self.snap is None else f", snap={self.snap:g}"
        drawn = ", drawn_palette=True" if self.drawn_palette else ""
        return f"StoredIds(id_map={self.id_map}, all_ids={self.all_ids}{snap}{drawn})"

    def with_ids(self, id_map: Mapping[int, int] | None) -> "LabelSpace":
        """This label space where further stored ids have a class of their own, or others than before.

        Raises:
            ValueError: If they are no integers, or what they are to be is no class.
        """
        ids = integer_ids(id_map)
        stray = {stored: to for stored, to in ids.items() if not 0 <= to < self.num_classes}
        if stray:
            raise ArgumentError(f"{{}}: the classes are 0..{self.num_classes - 1}. Name one of them.", {"id_map": stray})
        return replace(self, id_map={**self.id_map, **ids}) if ids else self

    def with_snap(self, snap: float | None) -> "LabelSpace":
        """This label space with smooth edges in files of colors allowed, or itself for None."""
        return self if snap is None else replace(self, snap=snap)

    def read(self, path: str | Path) -> np.ndarray:
        """The label map in an image file.

        Args:
            path: A gray or palette-mode PNG of stored ids, or an RGB file of this palette's colors.

        Returns:
            Class ids: integers ``(H, W)``, in 0..num_classes-1.

        Raises:
            DataError: If the file is missing, damaged or no label map, or holds an id or color that is of no class.
        """
        return self.decode(read_bytes(Path(path)), str(path))

    def decode(
        self,
        content: bytes,
        where: str,
        others: Callable[[], Iterable[int]] = tuple,
        palettes: FilePalettes | None = None,
    ) -> np.ndarray:
        """As `read`, of the bytes of a file.

        Args:
            content: The bytes.
            where: The file, for messages.
            others: Gives stored ids of further files of the data, for a remedy that suits them all.
            palettes: Those of further files of the data, which must agree where nobody has said what colors the classes have.

        Raises:
            DataError: As `read` raises it, or if an index has another color than in a file before.
        """
        picture = decode_label_picture(content, where)
        label_map, are_classes = ids_or_classes(picture, self, where)
        if palettes is not None and self.drawn_palette and not are_classes:
            palettes.add(picture, where)
        return self.check(label_map, where) if are_classes else self.of_stored_ids(label_map, where, others)

    def of_stored_ids(self, label_map: np.ndarray, where: str, others: Callable[[], Iterable[int]] = tuple) -> np.ndarray:
        """The classes of an array that holds stored ids.

        Args:
            label_map: Integers, of any shape.
            where: Where it comes from, for messages.
            others: As `decode` takes them.

        Raises:
            DataError: If an id is of no class.
        """
        if self.all_ids:
            return self.check(class_ids(label_map, self.id_map, where), where)
        return self.check(remap(label_map, self.id_map), where, label_map, others)

    def require_same_classes(self, other: "LabelSpace", mine: str, others: str) -> None:
        """Checks that the classes of another label space are these, in this order.

        Names that say nothing, "class 0", "class 1" and so on, contradict none; colors and stored ids may differ.

        Args:
            other: The other one.
            mine, others: What the two are of, for messages.

        Raises:
            DataError: If number, names or order differ: both lists.

        Example:

        >>> space = LabelSpace(("sky", "road"), ((0, 0, 255), (90, 90, 90)))
        >>> other = LabelSpace(("road", "sky"), space.palette)
        >>> space.require_same_classes(other, "the model", "the data")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        keras_semisis.data.data_error.DataError: The classes of the data are not those of the model. The model: 0 sky, ...
        """
        names, other_names = ([name.strip().casefold() for name in space.class_names] for space in (self, other))
        if len(names) == len(other_names) and (names == other_names or unnamed_classes(len(names)) in (names, other_names)):
            return
        both = " ".join(
            # a path keeps its letter case
            f"{what if os.sep in what else what[:1].upper() + what[1:]}: "
            f"{', '.join(f'{i} {name}' for i, name in enumerate(space.class_names))}."
            for what, space in ((mine, self), (others, other))
        )
        message = f"The classes of {others} are not those of {mine}. {both}"
        if sorted(names) != sorted(other_names) or len(set(names)) < len(names):
            raise DataError(message, Remedy("Take data of the same classes in the same order."))
        moved = {i: names.index(name) for i, name in enumerate(other_names) if names[i] != name}
        raise DataError(
            message, Remedy("Of a folder, bring classes.csv into the order of the former and give {}.", {"id_map": moved})
        )

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor, ready for JSON."""
        return {
            "class_names": list(self.class_names),
            "palette": [list(color) for color in self.palette],
            "ignore_class": self.ignore_class,
            "id_map": [list(pair) for pair in self.id_map.items()],
            "all_ids": self.all_ids,
            **({} if self.snap is None else {"snap": self.snap}),
            **({"drawn_palette": True} if self.drawn_palette else {}),
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "LabelSpace":
        """The label space of what `get_config` has returned."""
        return cls(**{**config, "id_map": dict(config.get("id_map", ()))})

    def colorize(self, label_map: Any) -> np.ndarray:
        """Integer label map ``(..., H, W)`` to RGB uint8 ``(..., H, W, 3)``."""
        return np.asarray(self.palette, np.uint8)[np.asarray(label_map)]

    def with_void(self, name: str = "void") -> "LabelSpace":
        """The same with a don't-care class after the others, or itself where there is one.

        Args:
            name: The name of the class.

        Example:

        >>> space = LabelSpace(("sky", "road"), ((0, 128, 255), (90, 90, 90))).with_void()
        >>> space.class_names, space.ignore_class
        (('sky', 'road', 'void'), 2)
        """
        if self.ignore_class is not None:
            return self
        color = next(c for c in ((0, 0, 0), (255, 255, 255), *distinct_colors(self.num_classes + 1)) if c not in self.palette)
        return replace(
            self, class_names=(*self.class_names, name), palette=(*self.palette, color), ignore_class=self.num_classes
        )

    def check(
        self, label_map: np.ndarray, where: str, stored: np.ndarray | None = None, others: Callable[[], Iterable[int]] = tuple
    ) -> np.ndarray:
        """Returns ``label_map`` if every id is a class id.

        Args:
            label_map: Class ids.
            where: Where they are from, for messages.
            stored: The ids in the file that they are of, from which the remedy is told; None where they are these.
            others: As `decode` takes them.

        Raises:
            DataError: If an id lies outside 0..num_classes-1, naming ``where``, the ids and their pixel
                counts.
        """
        if label_map.min(initial=0) >= 0 and label_map.max(initial=0) < self.num_classes:
            return label_map
        listed = named_ids(label_map[(label_map < 0) | (label_map >= self.num_classes)])
        survey = IdSurvey([label_map if stored is None else stored])
        found = f"{where}: label id {listed} found, but the {self.num_classes} classes are 0..{self.num_classes - 1}; "
        fault = survey.fault()
        if fault is not None:
            raise DataError(f"{found}{fault}.", WITHOUT_SMOOTHING)
        reason, remedies = stray_remedies(
            {*survey.pixels, *others()},
            self.num_classes,
            self.ignore_class,
            {} if stored is None else self.id_map,
            {} if self.drawn_palette else classes_by_gray(self.palette),
        )
        raise DataError(f"{found}{reason}.", *remedies)


def unnamed_classes(number: int) -> list[str]:
    """Names of classes of which nothing is known.

    Example:

    >>> unnamed_classes(2)
    ['class 0', 'class 1']
    """
    return [f"class {i}" for i in range(number)]


def unnamed_label_space(number: int, ignore_class: int | None = None) -> LabelSpace:
    """A label space of which nothing is known but its number of classes: unnamed, in drawn colors."""
    return uncolored_label_space(unnamed_classes(number), ignore_class=ignore_class)


def uncolored_label_space(class_names: Sequence[str], **others: Any) -> LabelSpace:
    """A label space of classes whose colors nobody has said: in drawn ones.

    Args:
        class_names: As `LabelSpace` takes them.
        **others: Its other arguments.
    """
    return LabelSpace(class_names, distinct_colors(len(class_names)), drawn_palette=True, **others)
