"""What the classes of the published networks mean."""

from keras_semisis.data import ADE20K, Cityscapes, COCOStuff, LabelSpace

# Their programs leave label ids as they are stored and add unknown as the last class
_UNKNOWN_LAST = ("spade", "cc_fpse")
_UNKNOWN_FIRST = ("oasis", "usis")


def published_label_space(family: str, num_classes: int) -> LabelSpace | None:
    """The label space of a published network: which data set it is of shows in its number of classes.

    35 are `Cityscapes`, 151 `ADE20K`, 183 `COCOStuff`. Networks of OASIS and USIS have the classes of these sources. Those of
    SPADE and CC-FPSE have unknown as the last class of the latter two, in place of the first.

    Args:
        family: As `load_reference_weights` takes it.
        num_classes: Number of classes, the don't-care class included.

    Returns:
        The label space; None for a network of unknown data, or one that has no label maps.

    Example:

    >>> published_label_space("oasis", 183).class_names[:2], published_label_space("spade", 183).class_names[-1]
    (('unknown', 'person'), 'unknown')
    >>> published_label_space("oasis", 12) is None
    True
    """
    if family not in _UNKNOWN_FIRST + _UNKNOWN_LAST:
        return None
    sources = {source.label_space.num_classes: source for source in (Cityscapes, ADE20K, COCOStuff)}
    source = sources.get(num_classes)
    if source is None or family in _UNKNOWN_FIRST or source is Cityscapes:
        return source and source.label_space
    space, last = source.label_space, num_classes - 1
    # class c of the source is c - 1 here, and its unknown, 0, is the last
    id_map = {stored: (to - 1) % num_classes for stored, to in space.id_map.items()}
    return LabelSpace(
        (*space.class_names[1:], space.class_names[0]), (*space.palette[1:], space.palette[0]), last, id_map, space.all_ids
    )
