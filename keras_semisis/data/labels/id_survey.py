"""Which ids label maps hold, and how their pixels lie: whether they are ids at all, and what may be set so that they are."""

from collections.abc import Iterable, Mapping

import numpy as np

from keras_semisis.data.remedy import Remedy

# More ids in one label map than people tell apart
_MOST_IN_A_MAP = 100
# As many ids without an inside are no thin things: edges that were smoothed, or, where nothing has an inside, a photo
_MANY_EDGES, _MANY_IN_A_PHOTO = 16, 64
# Above it ids are sorted instead of counted
_MOST_COUNTED = 2**16
# Fewer lie between the ids beside them in most of their pixels
_FEW_EDGES = 2
# So many levels, with gaps between them, are an id map that can be written down
MOST_LEVELS = 32
UNLABELED = {-1, 255}

WITHOUT_SMOOTHING = Remedy(
    "Write the label maps again as PNG, without anti-aliasing, resized with nearest neighbor alone, "
    "and from a file that was never a JPEG; or remove the photo that lies among them."
)


class IdSurvey:
    """Pixels of each id in label maps: all, those inside (equal to their four neighbors), those between two others.

    Args:
        label_maps: Ids as stored, ``(H, W)``.

    Attributes:
        pixels: Id → number of pixels, in ascending order.

    Example:

    >>> IdSurvey([np.array([[0, 0, 7], [0, 0, 7]])]).pixels
    {0: 4, 7: 2}
    """

    def __init__(self, label_maps: Iterable[np.ndarray] = ()):
        self._counts: dict[int, np.ndarray] = {}
        self._most_in_a_map = 0
        for label_map in label_maps:
            self.add(label_map)

    def add(self, label_map: np.ndarray) -> None:
        """Goes on by one label map."""
        lowest = min(0, int(label_map.min(initial=0)))
        shifted = label_map if lowest == 0 else label_map.astype(np.int64) - lowest
        if shifted.max(initial=0) > _MOST_COUNTED:
            ids, shifted = np.unique(shifted, return_inverse=True)
            shifted = shifted.reshape(label_map.shape)
        else:
            ids = np.arange(int(shifted.max(initial=0)) + 1)
        counts = np.stack([np.bincount(part.ravel(), minlength=len(ids)) for part in (shifted, *_parts(shifted))], axis=1)
        found = np.flatnonzero(counts[:, 0])
        for i, row in zip((ids[found] + lowest).tolist(), counts[found], strict=True):
            self._counts[i] = self._counts.get(i, 0) + row
        self._most_in_a_map = max(self._most_in_a_map, len(found))

    def join(self, other: "IdSurvey") -> None:
        """Goes on by the label maps of another survey."""
        for i, row in other._counts.items():
            self._counts[i] = self._counts.get(i, 0) + row
        self._most_in_a_map = max(self._most_in_a_map, other._most_in_a_map)

    @property
    def pixels(self) -> dict[int, int]:
        return {i: int(self._counts[i][0]) for i in sorted(self._counts)}

    def fault(self) -> str | None:
        """Why these are no ids, if they are none: they were smoothed, or are a photo."""
        counts = np.array([self._counts[i] for i in sorted(self._counts)], np.int64).reshape(-1, 3)
        number = len(counts)
        inside, between = counts[:, 1] / counts[:, 0].clip(1), counts[:, 2] / counts[:, 0].clip(1)
        edges = int((inside < 0.25).sum())
        steps = int(((inside < 0.1) & (between > 0.5)).sum())
        solid = int((inside >= 0.5).sum())
        many = edges >= _MANY_EDGES and 3 * edges >= 2 * number and (solid or number > _MANY_IN_A_PHOTO)
        if self._most_in_a_map > _MOST_IN_A_MAP or many:
            return (
                f"it has {number} different values: this is no label map but a photo, or a mask that was smoothed (by an "
                "interpolation, anti-aliasing or JPEG)"
            )
        if solid and steps >= _FEW_EDGES and are_levels(self._counts):
            return (
                f"{steps} of its {number} values lie between others along edges alone: this mask was smoothed (by an "
                "interpolation or anti-aliasing)"
            )
        return None


def _parts(ids):
    """The ids of the pixels that are inside, and of those that lie between their neighbors in one direction."""
    padded = np.pad(ids, 1, mode="edge")
    middle, up, down = padded[1:-1, 1:-1], padded[:-2, 1:-1], padded[2:, 1:-1]
    left, right = padded[1:-1, :-2], padded[1:-1, 2:]
    inside = (middle == up) & (middle == down) & (middle == left) & (middle == right)
    edges = np.nonzero(~inside)
    value = middle[edges]
    between = np.zeros(len(value), bool)
    for one, other in ((left[edges], right[edges]), (up[edges], down[edges])):
        between |= ((one < value) & (value < other)) | ((other < value) & (value < one))
    return middle[inside], value[between]


def level_map(stored: Iterable[int], id_map: Mapping[int, int]) -> dict[int, int]:
    """The id map that makes classes 0, 1, 2, ... of the ids in files, in the order of what they are now.

    Args:
        stored: The ids in the files.
        id_map: What makes classes of some of them now.

    Example:

    >>> level_map([0, 127, 255], {})
    {127: 1, 255: 2}
    """
    levels = sorted({id_map.get(i, i) for i in stored})
    return {i: levels.index(id_map.get(i, i)) for i in sorted(stored) if levels.index(id_map.get(i, i)) != i}


def are_levels(ids: Iterable[int]) -> bool:
    """Whether ids are so few and so far apart that they were spread over a range of gray."""
    ids = sorted(ids)
    return 1 < len(ids) <= MOST_LEVELS and ids[-1] >= 4 * len(ids)


def unlabeled(ids: Iterable[int]) -> list[int]:
    """Which of ids mark unlabeled pixels: 255 and -1, where the others are no levels of gray.

    Example:

    >>> unlabeled([0, 1, 255]), unlabeled([0, 127, 255])
    ([255], [])
    """
    ids = set(ids)
    others = ids - UNLABELED
    return [] if others == {0} or are_levels({0, *others}) else sorted(ids & UNLABELED)


def stray_remedies(
    stored: Iterable[int],
    num_classes: int,
    ignore_class: int | None,
    id_map: Mapping[int, int],
    grays: Mapping[int, int] | None = None,
) -> tuple[str, list[Remedy]]:
    """What to say of ids that are no classes, and what to do.

    Args:
        stored: All ids in the files.
        num_classes, ignore_class: The classes that there are.
        id_map: What makes classes of the ids now.
        grays: Classes by the gray that is their color, of those that somebody has given a gray of its own.

    Returns:
        The reason that they probably have, and remedies.
    """
    stored = {int(i) for i in stored}
    stray = {i for i in stored if not 0 <= id_map.get(i, i) < num_classes}
    by_color = {gray: to for gray, to in (grays or {}).items() if gray != to}
    spreads = [(spread, level_map(spread, {})) for spread in _spreads(num_classes)]
    if grays and stored <= grays.keys() and all(by_color != spread_map for _, spread_map in spreads):
        return "they are the grays of the classes' colors", [Remedy("Give {}.", {"id_map": by_color})]
    for spread, spread_map in spreads:
        if stored <= set(spread) and (len(stored) > 2 or num_classes == 2 or stray - UNLABELED):
            what = (
                "this looks like a mask of 0 and 255"
                if spread == [0, 255]
                else f"the ids may be scaled: spread over 0..{spread[-1]}"
            )
            return what, [Remedy("Give {}.", {"id_map": spread_map})]
    if stray <= UNLABELED:
        what = f"{' and '.join(map(str, sorted(stray)))} usually marks unlabeled pixels"
        if ignore_class is not None:
            return what, [
                Remedy("Give {}, the don't-care class.", {"id_map": {**id_map, **dict.fromkeys(sorted(stray), ignore_class)}})
            ]
        if len(stray) == 1:
            return what, [
                Remedy("Give {} to make a don't-care class of it.", {"ignore_class": max(stray)}),
                Remedy("Or say which class it is by {}.", {"id_map": ...}),
            ]
    if max(stored) == num_classes and 0 not in stored:
        return "the ids may begin at 1", [Remedy("Give {}.", {"id_map": {i + 1: i for i in range(num_classes)}})]
    if len(stored) == num_classes and are_levels(stored):
        return f"the ids may be scaled: {', '.join(map(str, sorted(stored)))}", [
            Remedy("If their order is that of the classes, give {}.", {"id_map": level_map(stored, {})})
        ]
    return "the ids may be scaled or belong to another label set", [
        Remedy("Say by {} which class each of them is, or name more classes.", {"id_map": ...})
    ]


def _spreads(num_classes):
    """Ids 0, 1, 2, ... as programs spread them over the range of 8 or 16 bits."""
    last = num_classes - 1
    if not 0 < last < MOST_LEVELS:
        return []
    return [
        [round(255 * i / last) for i in range(num_classes)],
        [255 // last * i for i in range(num_classes)],
        [257 * i for i in range(num_classes)],
    ]
