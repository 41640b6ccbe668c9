"""What the pixels of a label picture mean: whether they are ids or colors, where both would be possible."""

import math
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from keras_semisis.data.data_error import DataError
from keras_semisis.data.labels.distinct_colors import distinct_colors
from keras_semisis.data.labels.snapping import nearest_classes
from keras_semisis.data.pictures.label_picture import LabelPicture, colors_of, is_gray, packed_colors
from keras_semisis.data.remedy import Remedy

if TYPE_CHECKING:
    from keras_semisis.data.labels.label_space import LabelSpace

_MOST_COLORS = 64
# Colors beside those of classes, in the palette of an indexed picture: more are from smoothing
_MOST_UNKNOWN = 5
_BLACK_AND_WHITE = np.array([[0] * 3, [255] * 3], np.uint8)
_SNAP = "If its edges were drawn smooth, give {} to take such colors for those of the classes beside them."
STORE_IDS = Remedy("Store ids in an 8- or 16-bit gray PNG.")


def ids_or_classes(picture: LabelPicture, space: "LabelSpace | None", where: str) -> tuple[np.ndarray, bool]:
    """What a label picture holds: ids as stored, or, where its colors say so, classes.

    Args:
        picture: The picture.
        space: What ids and colors mean; None if nothing is known but that they are ids.
        where: The file, for messages.

    Returns:
        Integers ``(H, W)``, and whether they are classes.

    Raises:
        DataError: If ids and colors contradict each other, or colors are of no class.
    """
    pixels, palette, says_classes, is_black_and_white = picture
    if pixels.ndim == 3:
        if is_gray(pixels):
            return _gray_ids(pixels, space, where)
        if space is None or space.all_ids:
            raise without_palette(where, colors_of(pixels))
        return decode_colors(pixels, space, where), True
    if space is not None and says_classes and _has_own_colors(pixels, palette, space):
        return pixels, True
    if is_black_and_white and space is not None:
        _check_bits(space, where)
    if palette is None or space is None:
        return pixels, False
    return _indices(pixels, *palette, space, where)


def _has_own_colors(classes, palette, space):
    """Whether indices, as classes, have the colors of these; numbers without a palette have none, and need only be classes."""
    used = np.unique(classes)
    if palette is None:
        return used.max(initial=0) < space.num_classes
    colors, _ = palette
    known = used.max(initial=0) < min(len(colors), space.num_classes)
    return known and np.array_equal(colors[used], np.asarray(space.palette)[used])


def without_palette(where: str, colors: np.ndarray) -> DataError:
    """The error of colors that nothing explains."""
    listed = [tuple(color) for color in colors.tolist()]
    if len(listed) > _MOST_COLORS:
        return DataError(
            f"{where}: this label map has {len(listed)} colors, and no palette says what they mean: it is a "
            "photo, or was smoothed.",
            STORE_IDS,
        )
    return DataError(
        f"{where}: this label map has colors, and no palette says what they mean: {', '.join(map(str, listed))}.",
        Remedy("Name them in a classes.csv (header id,name,r,g,b), or store ids in an 8- or 16-bit gray PNG."),
        Remedy("In Python {} does, or a label_space=.", {"palette": listed}),
    )


def _gray_ids(rgb, space, where):
    """Gray that is stored as red = green = blue: ids, or colors of a palette that has grays."""
    values = rgb[..., 0]
    if space is None or space.all_ids:
        return values, False
    used = np.unique(values).tolist()
    classes = [_class_of(i, space) for i in used]
    meant = _meant(np.repeat(np.array(used)[:, None], 3, axis=1), space)
    ids_fit, colors_fit = None not in classes, all(meant)
    if ids_fit and colors_fit and not _agree(classes, meant):
        raise _contradiction(where, "values, read as ids,", used, classes, meant, space)
    shared = colors_fit and any(len(found) > 1 for found in meant)
    if not shared and (ids_fit or not any(meant)):
        return values, False
    return decode_colors(rgb, space, where), True


def _indices(indices, colors, alpha, space, where):
    """Indices of a palette: ids, unless the colors are those of the classes in another order."""
    used = np.flatnonzero(np.bincount(indices.ravel(), minlength=1)) if indices.size else np.zeros(0, int)
    if not len(used) or used[-1] >= len(colors) or is_ramp(colors):
        return indices, False
    classes = [_class_of(int(i), space) for i in used]
    meant = _meant(colors[used], space)
    if space.drawn_palette:
        if all(meant) and not _agree(classes, meant) and not space.all_ids and _are_drawn(colors):
            raise _contradiction(where, "indices", used.tolist(), classes, meant, space)
        known = range(min(len(colors), space.num_classes))
        _check_grays(np.asarray(known), colors, [_class_of(i, space) for i in known], space, where)
        return indices, False
    # of these a color of no class is no edge that was drawn smooth
    mapped = [int(i) in space.id_map for i in used]
    as_ids = _agree(classes, meant) and all(found or known for found, known in zip(meant, mapped, strict=True))
    if space.snap is not None and any(meant) and not all(meant) and not space.all_ids and not as_ids:
        return decode_colors(colors[indices], space, where), True
    if not any(meant):
        _check_grays(used, colors, classes, space, where)
        return indices, False
    if all(meant) and not space.all_ids and _agree(used.tolist(), meant):  # if anything says otherwise, it is the id map
        return indices, False
    if all(meant) and not _agree(classes, meant) and not space.all_ids and all(len(found) == 1 for found in meant):
        one_alpha = dict(zip(packed_colors(colors[used]).tolist(), alpha[used].tolist(), strict=True))
        if all(
            one_alpha[color] == value
            for color, value in zip(packed_colors(colors[used]).tolist(), alpha[used].tolist(), strict=True)
        ):
            table = np.zeros(len(colors), np.int32)
            table[used] = [found[0] for found in meant]
            return table[indices], True
    if _agree(classes, meant):
        if len(used) - meant.count([]) > 1 and meant.count([]) > _MOST_UNKNOWN:
            decode_colors(colors[used][None], space, where)  # raises: colors between those of the classes
        return indices, False
    raise _contradiction(where, "indices", used.tolist(), classes, meant, space)


def _check_bits(space, where):
    """Refuses 0 and 1 where they are shown as the colors of other classes."""
    if space.drawn_palette or space.all_ids or not {0, 1}.isdisjoint(space.id_map):
        return
    classes, meant = [_class_of(i, space) for i in (0, 1)], _meant(_BLACK_AND_WHITE, space)
    if all(len(found) == 1 for found in meant) and not _agree(classes, meant):
        raise _contradiction(where, "bits", [0, 1], classes, meant, space)


def classes_by_gray(palette: Sequence[Sequence[int]]) -> dict[int, int]:
    """The classes that have a gray of their own, by it.

    Example:

    >>> classes_by_gray(((0, 0, 0), (128, 0, 0), (255, 255, 255), (9, 9, 9), (9, 9, 9)))
    {0: 0, 255: 2}
    """
    times = Counter(tuple(color) for color in palette)
    return {color[0]: i for i, color in enumerate(palette) if len({*color}) == 1 and times[tuple(color)] == 1}


def _check_grays(used, colors, classes, space, where):
    """Refuses a palette of grays that are ids as well as the indices are: of a gray picture that was made an indexed one."""
    grays = colors[used]
    if not is_gray(grays):
        return
    others = [_class_of(int(value), space) for value in grays[:, 0]]
    if None not in others and others != classes:
        raise DataError(
            f"{where}: the indices of this label map are {_few(used.tolist())}, but their palette has the grays "
            f"{_few(grays[:, 0].tolist())}: it is not clear which of them are the ids.",
            STORE_IDS,
        )


def _contradiction(where, what, used, classes, meant, space):
    number, stored = next((n, i) for n, i in enumerate(used) if meant[n] and classes[n] not in meant[n])
    by_color = " or ".join(f"{c} ({space.class_names[c]})" for c in meant[number])
    by_id = "no class" if classes[number] is None else f"class {classes[number]} ({space.class_names[classes[number]]})"
    return DataError(
        f"{where}: the {what} of this label map say {by_id} where it has {stored}, but the color there is that "
        f"of class {by_color}.",
        STORE_IDS,
        Remedy("Or store the classes' own colors, in RGB and all of them named in classes.csv."),
    )


def _few(values):
    return ", ".join(map(str, values[:8])) + (", ..." if len(values) > 8 else "")


def _are_drawn(colors):
    """Whether a palette is one that we may have drawn: it has no others of colors."""
    drawn = packed_colors(np.asarray(distinct_colors(256)))
    return bool(np.isin(packed_colors(colors), drawn).all())


def is_ramp(colors):
    """Whether a palette is that of a picture without one."""
    return len(colors) > 1 and bool((colors == np.arange(len(colors))[:, None]).all())


def _class_of(stored, space):
    to = space.id_map.get(stored, None if space.all_ids else stored)
    return to if to is not None and 0 <= to < space.num_classes else None


def _meant(colors, space):
    """For each color the classes that have it."""
    palette = packed_colors(np.asarray(space.palette)).tolist()
    return [[i for i, of_class in enumerate(palette) if of_class == color] for color in packed_colors(colors).tolist()]


def _agree(classes, meant):
    """Whether the classes by ids are those by colors, where colors are of any."""
    return all(not found or to in found for to, found in zip(classes, meant, strict=True))


def decode_colors(rgb: np.ndarray, label_space: "LabelSpace", where: str) -> np.ndarray:
    """Class ids (int32 ``(H, W)``) of the colors of uint8 ``(H, W, 3)``; of others, up to ``snap``, that of a class near them.

    Raises:
        DataError: If a color is not in the palette, and not as near as that, or two classes share one.
    """
    packed = packed_colors(rgb)
    colors = packed_colors(np.asarray(label_space.palette))
    order = np.argsort(colors, kind="stable")
    shared = np.flatnonzero(np.diff(colors[order]) == 0)
    twice = shared[np.isin(colors[order][shared], packed)]
    if len(twice):
        first, second = order[twice[0]], order[twice[0] + 1]
        raise DataError(
            f"{where}: classes {first} and {second} share the color {label_space.palette[first]}, so this RGB "
            "label map is ambiguous. Store ids in a gray PNG, or give each class its own color."
        )
    found = order[np.searchsorted(colors[order], packed).clip(max=len(order) - 1)]
    unknown = colors[found] != packed
    if unknown.any():
        classes, distances = nearest_classes(rgb, found, unknown, np.asarray(label_space.palette))
        if label_space.snap is None or distances.max() > label_space.snap:
            raise _unknown_colors(packed, unknown, distances, colors, label_space, where)
        found[unknown] = classes
    return found.astype(np.int32)


def _unknown_colors(packed, unknown, distances, colors, space, where):
    """The error of colors that are of no class, or too far from any."""
    values, counts = np.unique(packed[unknown], return_counts=True)
    most, others = int(counts.max()), len(values)
    color, covered = int(values[counts.argmax()]), f"covers {most} pixel{'' if most == 1 else 's'}"
    words = f"is not in the palette of {space.num_classes} colors ({others} unknown color{'' if others == 1 else 's'} in all)"
    if space.snap is not None:
        color, covered = int(packed[unknown][distances.argmax()]), f"is {distances.max():.1f} from that of its class"
        words = f"more than the {space.snap:g} up to which colors are taken for the nearest"
    # no blend of two colors is farther from both
    half = np.linalg.norm(np.ptp(np.asarray(space.palette, float), axis=0)) / 2
    hint, remedies = "", [Remedy(_SNAP, {"snap": math.ceil(distances.max())})] if distances.max() <= half else []
    if len(values) > _MOST_UNKNOWN:
        hint = " Label maps must be resized with nearest neighbor, and without smoothing."
    if np.isin(packed_colors(np.stack([packed & 255, packed >> 8 & 255, packed >> 16], axis=-1)), colors).all():
        hint = " Its channels are in the order blue, green, red, as OpenCV has them: write them as RGB."
        remedies = []
    return DataError(
        f"{where}: color ({color >> 16}, {color >> 8 & 255}, {color & 255}) {covered} and {words}. Add it to the palette if it "
        f"is a class.{hint}",
        *remedies,
    )
