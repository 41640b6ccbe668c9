"""What the published data sets have in common: classes with colors, and splits, of some of which there are photos alone."""


def named_colors(text: str) -> tuple[tuple[str, ...], tuple[bytes, ...]]:
    """Names and colors of the classes that a text lists.

    Example:

    >>> names, colors = named_colors("sky 808080, traffic light ff0000")
    >>> names, [*colors[1]]
    (('sky', 'traffic light'), [255, 0, 0])
    """
    names, colors = zip(*(entry.rsplit(" ", 1) for entry in " ".join(text.split()).split(", ")), strict=True)
    return names, tuple(map(bytes.fromhex, colors))


def check_split(source, split: str, only: str | None) -> None:
    """Checks what is asked for of a data set.

    Args:
        source: Its ``splits`` have label maps, its ``photo_splits`` none.
        split, only: As the source takes them.

    Raises:
        ValueError: If there is no such split, or it has no label maps.
    """
    if only not in (None, "images", "labels"):
        raise ValueError(f'only={only!r} is none of "images", "labels" and None.')
    if split in source.splits or (split in source.photo_splits and only == "images"):
        return
    names = [f'"{name}"' for name in source.splits]
    listed = ", ".join(names[:-1]) + f" and {names[-1]}"
    if split in source.photo_splits:
        raise ValueError(f'split={split!r} is none of {listed}, which have label maps. only="images" reads its photos alone.')
    photos = "".join(f', nor "{name}" (photos alone)' for name in source.photo_splits)
    raise ValueError(f"split={split!r} is none of {listed}{photos}.")
