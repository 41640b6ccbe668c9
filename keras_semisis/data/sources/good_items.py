"""The items of a source that can be used."""

from collections.abc import Callable

from keras_semisis.ahead import in_order
from keras_semisis.data.bad_files import BadFiles
from keras_semisis.data.data_error import DataError
from keras_semisis.data.sources.source import Source


def good_items(
    source: Source, bad: BadFiles, images: bool = True, progress: Callable[[int, int], None] | None = None
) -> Source:
    """The items of a source that can be used; where bad files are tolerated, each is read once to know.

    Args:
        source: Photos, label maps or both.
        bad: Takes note of the others.
        images: False looks at the label maps alone. (Of a source without ``label_space`` the photos are looked at alone.)
        progress: Called with (items read, items in all).

    Raises:
        DataError: If more are bad than tolerated, or all of them.
    """
    if not bad.tolerated or not len(source):
        return source
    read = source.load if images else source.load_label_map
    if source.label_space is None:
        read = source.load_image

    def usable(index):
        try:
            read(index)
        except DataError as error:
            bad.add(error)
            return False
        return True

    good = []
    for index, is_good in enumerate(in_order(usable, 0, len(source))):
        good += [index] * is_good
        if progress is not None:
            progress(index + 1, len(source))
    if not good:
        raise DataError(f"None of the {len(source)} items can be used:", listed=bad.errors)
    return source.subset(good)
