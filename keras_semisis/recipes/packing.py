"""A data set as packed records."""

from collections.abc import Iterator
from pathlib import Path

from keras_semisis.data import BadFiles, Source, write_records
from keras_semisis.data.sources.good_items import good_items
from keras_semisis.options.pack import PackOptions
from keras_semisis.recipes.notices import tell
from keras_semisis.recipes.progress import SILENT, Progress
from keras_semisis.recipes.sources import open_settings
from keras_semisis.whole_file import check_folder


def pack(options: PackOptions, bad: BadFiles, progress: Progress = SILENT) -> Iterator[tuple[Path, Source]]:
    """Writes the packs ``train`` and ``val``, split as a training on the data itself would split it.

    Args:
        options: The data, and the folder of both packs. Photos are packed in the 8 bits that ``image_range`` makes of them.
        bad: Takes the items of both that are bad, which are left out.
        progress: Shows how far it is.

    Yields:
        Each pack that is written, and what is in it.

    Raises:
        DataError: If the data cannot be read, or more items are bad.
        FileExistsError: If there is something else at ``output``.
        NotADirectoryError: If that is a file.
    """
    check_folder(options.output)
    for split, source in zip(("train", "val"), open_settings(options, bad), strict=True):
        with progress.counting(f"Checking {split}") as show:
            source = good_items(source, bad, progress=show)
        for name, images in (("unpaired_images", True), ("unpaired_labels", False)):
            if getattr(source, name) is not None:
                setattr(source, name, good_items(getattr(source, name), bad, images))
        folder = options.output / split
        with progress.counting(f"Packing {split}") as show:
            write_records(source, folder, progress=show)
        if source.has_instances:
            tell(f"{folder}: without the instance maps of the data, which packs do not hold.")
        yield folder, source
